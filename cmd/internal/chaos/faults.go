//go:build cgo

package main

import (
	"context"
	"time"
)

// fault is something that happens to a site.
type fault struct {
	name   string
	layout layout
	short  bool // it is part of the short form
	inject func(ctx context.Context, e *experiment) error
	after  time.Duration  // how long it is watched after that; at least 10 s
	check  func(*figures) // what must hold, besides that nothing is missing, doubled, changed or discontinuous
	remade bool           // worker and origin die together: the segment in progress is made anew
}

// whole is one process that embeds NATS; single has one NATS server, cluster three and a warm standby, lossy one and a bad
// network before the camera.
var (
	single  = layout{servers: 1}
	cluster = layout{servers: 3, warm: true}
	lossy   = layout{servers: 1, udp: true}
	whole   = layout{}
	layouts = []layout{single, cluster, lossy, whole}
)

func faults() []fault {
	return []fault{
		{name: "none", layout: single, short: true, inject: nothing, check: (*figures).everyFrame},

		{name: "child killed", layout: single, short: true, inject: killChild, check: tookOver},
		{name: "child frozen", layout: single, inject: freezeChild, check: thawed},
		{name: "worker killed", layout: single, short: true, inject: killWorker, check: tookOver},
		{name: "worker frozen 10 s", layout: single, inject: freezeWorker, check: tookOver},
		{name: "worker drained", layout: single, inject: drainWorker, check: drained},

		{name: "ingest killed", layout: single, short: true, inject: killIngest, check: ingestTookOver},
		{name: "ingest frozen 10 s", layout: single, inject: freezeIngest, check: ingestTookOver},
		{name: "ingest drained", layout: single, inject: drainIngest, check: ingestTookOver},
		{name: "origin killed", layout: single, short: true, inject: killOrigin, check: (*figures).everyFrame},
		{name: "disk full", layout: single, inject: fillDisk, check: (*figures).everyFrame, after: 15 * time.Second},
		{name: "NATS killed", layout: single, short: true, inject: killNATS, check: (*figures).everyFrame},

		{name: "camera cut 0.3 s", layout: single, inject: cut(300 * time.Millisecond), check: cameraBack},
		{name: "camera cut 3 s", layout: single, inject: cut(3 * time.Second), check: slated},
		{name: "camera cut 30 s", layout: single, inject: cut(30 * time.Second), check: slated},
		{name: "camera clock at 0", layout: single, inject: rebootCamera, check: cameraBack},
		{name: "camera resolution", layout: single, inject: replaceCamera, check: cameraBack},
		{name: "two at once", layout: single, inject: two, check: both, after: 20 * time.Second},

		{name: "ingest killed (warm)", layout: cluster, inject: killIngest, check: (*figures).everyFrame},
		{name: "NATS leader killed", layout: cluster, inject: killLeader, check: leaderChanged, after: 15 * time.Second},
		{name: "serve killed", layout: whole, inject: killOrigin, check: served, remade: true},
		{name: "2 % loss and 200 ms jitter", layout: lossy, inject: nothing, check: (*figures).growing, after: 20 * time.Second},
	}
}

// tookOver is what must hold when a worker or its child dies.
func tookOver(f *figures) {
	f.everyFrame()
	f.bound(f.NextPart <= 3.5, "next part after %.2f s, want 3.5 s at most", f.NextPart)
	f.bound(f.CaughtUp <= 20, "caught up after %.2f s, want 20 s at most", f.CaughtUp)
}

// thawed is what must hold when a child hangs, which is noticed after 5 s without a part.
func thawed(f *figures) {
	f.everyFrame()
	f.bound(f.NextPart <= 5+3.5, "next part after %.2f s, want 8.5 s at most", f.NextPart)
	f.bound(f.CaughtUp <= 20, "caught up after %.2f s, want 20 s at most", f.CaughtUp)
}

// drained is what must hold when a worker is told to end.
func drained(f *figures) {
	f.everyFrame()
	f.bound(f.NextPart <= 2, "next part after %.2f s, want 2 s at most", f.NextPart)
}

// ingestTookOver is what must hold when an ingest dies: its successor needs a connection and a keyframe.
func ingestTookOver(f *figures) {
	f.growing()
	f.bound(f.Stale <= 2, "%.2f s without a new picture, want 2 s at most", f.Stale)
}

// leaderChanged is what must hold when the leader of the feed's stream dies.
func leaderChanged(f *figures) {
	f.everyFrame()
	f.bound(f.LongestWait <= 2, "%.2f s without a new part, want 2 s at most", f.LongestWait)
}

// served is what must hold when everything but the camera dies together, and is away for two seconds.
func served(f *figures) {
	f.bound(f.NextPart <= 8, "next part after %.2f s, want 8 s at most", f.NextPart)
	f.bound(f.Stale <= 8, "%.2f s without a new picture, want 8 s at most", f.Stale)
}

// both is what must hold when a worker dies together with something that is away for two seconds: one after the other.
func both(f *figures) {
	f.bound(f.LongestWait <= 3.5+2, "%.2f s without a new part, want 5.5 s at most", f.LongestWait)
}

// growing checks that the playlist never stands still for longer than a takeover takes.
func (f *figures) growing() {
	f.bound(f.LongestWait <= 3.5, "%.2f s without a new part, want 3.5 s at most", f.LongestWait)
}

// cameraBack is what must hold when the camera is away for a short time.
func cameraBack(f *figures) {
	f.growing()
	f.bound(f.Back <= 2, "first picture %.2f s after the camera's return, want 2 s at most", f.Back)
}

// slated is what must hold when the camera is away for longer than a repeat may last.
func slated(f *figures) {
	cameraBack(f)
	f.bound(f.Unreadable > 0, "no slate was seen")
}
