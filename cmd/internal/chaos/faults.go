//go:build cgo

package main

import (
	"context"
	"fmt"
	"syscall"
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
}

// single has one NATS server, cluster three, lossy one and a bad network before the camera.
var (
	single  = layout{servers: 1}
	cluster = layout{servers: 3}
	lossy   = layout{servers: 1, udp: true}
)

func faults() []fault {
	return []fault{
		{name: "none", layout: single, inject: nothing, check: (*figures).everyFrame, short: true},
		{name: "kill child", layout: single, inject: killChild, check: tookOver, short: true},
		{name: "kill worker", layout: single, inject: killWorker, check: tookOver, short: true},
	}
}

func nothing(context.Context, *experiment) error { return nil }

// tookOver is what must hold when a worker or its child dies.
func tookOver(f *figures) {
	f.everyFrame()
	f.bound(f.NextPart <= 3.5, "next part after %.2f s, want 3.5 s at most", f.NextPart)
	f.bound(f.CaughtUp <= 20, "caught up after %.2f s, want 20 s at most", f.CaughtUp)
}

func killChild(_ context.Context, e *experiment) error {
	who, _ := owner(e.site.workers)
	pid, err := who.child()
	if err != nil {
		return err
	}
	e.note("SIGKILL to the child of %s", who.name)
	return syscall.Kill(pid, syscall.SIGKILL)
}

func killWorker(_ context.Context, e *experiment) error {
	who, _ := owner(e.site.workers)
	e.note("SIGKILL to %s", who.name)
	if err := who.kill(); err != nil {
		return err
	}
	return e.later(who)
}

// later starts a program again that was killed: it is the next standby.
func (e *experiment) later(p *program) error {
	if err := e.site.restart(p); err != nil {
		return fmt.Errorf("starting %s again: %w", p.name, err)
	}
	return nil
}
