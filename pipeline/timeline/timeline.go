// Package timeline turns the RTP times of a camera into PTS on its feed's timeline, once and for all.
//
// RTP times start anywhere, wrap, jump and drift (RFC 3550 §5.1). PTS count from the Unix epoch, UTC, by the clock of
// the ingest host, over all connections of the source, and never start over. The package reads no clock and starts no
// goroutine: the same calls give the same times.
package timeline

import (
	"time"

	"github.com/venuecast/venuecast/codecs"
)

// Reason says why the time of a unit was not simply taken from its track.
type Reason string

// The reasons for a repair.
const (
	Jump    Reason = "jump"    // far off its track: stamped after the last unit
	Reset   Reason = "reset"   // three in a row were off: the track has a new anchor
	Repeat  Reason = "repeat"  // the RTP time of the unit before, again
	Reorder Reason = "reorder" // older than reordering of B-pictures explains; for audio: older than the unit before
	Wrap    Reason = "wrap"    // the 32-bit RTP time began again from 0
	Drift   Reason = "drift"   // the source's clock is too fast or too slow to be followed by slewing
	Gap     Reason = "gap"     // the source was silent, or stalled, for longer than the tolerance
)

// Options are the constants of a Timeline.
type Options struct {
	// Tolerance is how late a unit may come, and how long a source may be silent, before that is a gap.
	// It defaults to 5 s.
	Tolerance time.Duration
	// Settle is how long after a new anchor the timeline may still be pulled back freely to where the first units
	// belong: a source that sends its last group of pictures at once, or a late first packet. It defaults to 1 s.
	Settle time.Duration
	// Window is how long the least delay of a track is remembered. It defaults to 60 s.
	Window time.Duration
	// NotBefore is the last PTS that the feed already has, from an earlier process. All PTS are later.
	NotBefore codecs.Ticks
	// Repaired is called for every repair. It may be nil.
	Repaired func(Reason)
}

// Timeline is the time of one feed over all sessions of its source. It is not safe for concurrent use.
type Timeline struct {
	tolerance, settle, window codecs.Ticks

	repaired func(Reason)
	last     map[codecs.Kind]codecs.Ticks // the highest PTS given to each kind
}

// New returns the timeline of a feed.
func New(o Options) *Timeline {
	if o.Repaired == nil {
		o.Repaired = func(Reason) {}
	}
	return &Timeline{
		tolerance: ticksOr(o.Tolerance, 5*time.Second),
		settle:    ticksOr(o.Settle, time.Second),
		window:    ticksOr(o.Window, time.Minute),
		repaired:  o.Repaired,
		last:      map[codecs.Kind]codecs.Ticks{codecs.Video: o.NotBefore, codecs.Audio: o.NotBefore},
	}
}

func ticksOr(d, byDefault time.Duration) codecs.Ticks {
	if d <= 0 {
		d = byDefault
	}
	return codecs.TicksIn(d)
}

// Track is one media of a session.
type Track struct {
	Kind      codecs.Kind
	ClockRate int // of its RTP times, in Hz (a=rtpmap, RFC 8866 §6.6); it defaults to 90000
}

// Session is one connection of the source.
type Session struct {
	timeline *Timeline
	tracks   []*track
	reports  reports
}

// Session begins a connection; the one before has ended. PTS go on after those already given.
func (t *Timeline) Session(tracks []Track) *Session {
	s := &Session{timeline: t}
	for _, tr := range tracks {
		s.tracks = append(s.tracks, newTrack(t, tr))
	}
	return s
}

// Stamp returns the PTS of a unit. Units of a track come in the order of their arrival.
//
// rtp is the unit's RTP time. arrival is when it came, by a clock that tells UTC and is not stepped: a wall time read
// once plus monotonic time since. ntp is its capture time by the sender reports of its track (RFC 3550 §6.4.1), 0 if
// unknown; only differences between tracks are taken from it, so the camera's date need not be right.
//
// Video comes in decoding order, and its PTS go back where B-pictures are reordered. The PTS of an audio track only grow.
// ok is false if the unit has no place on the timeline and is to be dropped: audio whose time has been given to another.
func (s *Session) Stamp(track int, rtp uint32, arrival, ntp codecs.Ticks) (pts codecs.Ticks, ok bool) {
	if track < 0 || track >= len(s.tracks) {
		return 0, false
	}
	t := s.tracks[track]
	pts, ok = t.stamp(rtp, arrival)
	if ok && t.strays == 0 {
		s.reports.hear(s.tracks, track, ntp, arrival)
	}
	return pts, ok
}
