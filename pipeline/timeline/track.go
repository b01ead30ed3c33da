package timeline

import "github.com/venuecast/venuecast/codecs"

const (
	// slewPer is the RTP time in which PTS are moved by one tick at most: 500 ppm.
	slewPer = 2000
	// maxReorder is how far B-pictures go back at most.
	maxReorder = codecs.TicksPerSecond / 2
	// maxEarly is how far the delay of a settled track may fall from one unit to the next. More is a jump of its clock.
	maxEarly = codecs.TicksPerSecond / 2
	// maxAhead is how far PTS may run ahead of where they belong before they wait.
	maxAhead = codecs.TicksPerSecond / 2
	// maxLate is how late units may be for longer than the tolerance.
	maxLate = codecs.TicksPerSecond
	// maxStrays is how many units in a row off their track make a new anchor.
	maxStrays = 3
)

// track maps the RTP times of one track to PTS: a line of slope 1 up to its head, where it is bent by at most 500 ppm.
type track struct {
	timeline *Timeline
	kind     codecs.Kind
	rate     int64

	anchored bool
	head     point        // the unit furthest ahead on the track
	previous codecs.Ticks // the media time of the unit before, in decoding order
	spacing  codecs.Ticks // between the last two units
	carry    codecs.Ticks // RTP time not yet used for slewing
	strays   int          // units off the track since the last one on it

	delay envelope     // of arrival minus media time
	skew  codecs.Ticks // by how much the least delay of this track exceeds that of the pictures
	step  bool         // the next unit goes to where it belongs at once

	settled codecs.Ticks // the arrival from which the anchor is final
	arrived codecs.Ticks // the arrival of the latest unit on the track
	onTime  codecs.Ticks // the arrival of the latest that was not late
	last    codecs.Ticks // the highest PTS given
	floor   codecs.Ticks // the highest PTS given before the anchor
}

// point is a unit's place on the map.
type point struct {
	rtp   uint32
	media int64        // rtp unwrapped to 64 bit
	at    codecs.Ticks // media in ticks
	pts   codecs.Ticks
}

func newTrack(t *Timeline, tr Track) *track {
	rate := int64(tr.ClockRate)
	if rate < 1000 || rate > 1_000_000 {
		rate = codecs.TicksPerSecond
	}
	return &track{timeline: t, kind: tr.Kind, rate: rate, last: t.last[tr.Kind]}
}

func (t *track) stamp(rtp uint32, arrival codecs.Ticks) (codecs.Ticks, bool) {
	if !t.anchored {
		return t.anchor(point{rtp: rtp}, arrival)
	}
	p := t.place(rtp)
	if t.off(p, arrival) {
		return t.stray(p, arrival)
	}
	t.strays = 0
	return t.follow(p, arrival)
}

// place unwraps an RTP time: of all times it can mean, the one nearest to the head.
func (t *track) place(rtp uint32) point {
	media := t.head.media + int64(int32(rtp-t.head.rtp))
	return point{rtp: rtp, media: media, at: codecs.Ticks(codecs.MulDivRound(media, codecs.TicksPerSecond, t.rate))}
}

// anchor begins the map anew: the unit is placed by its arrival, but after all that were before it.
func (t *track) anchor(p point, arrival codecs.Ticks) (codecs.Ticks, bool) {
	p.pts = max(arrival-t.skew, t.last+1)
	t.anchored, t.head, t.previous, t.carry, t.strays = true, p, p.at, 0, 0
	t.delay = newEnvelope(t.timeline.window, arrival, arrival-p.at)
	t.settled, t.arrived, t.onTime, t.floor = arrival+t.timeline.settle, arrival, arrival, t.last
	return t.give(p.pts)
}

// off reports whether the media time of a unit cannot be right: it is further back than reordering goes, or the unit
// would have come sooner after its capture than any before.
func (t *track) off(p point, arrival codecs.Ticks) bool {
	early := codecs.Ticks(maxEarly)
	if arrival < t.settled {
		early = t.timeline.tolerance
	}
	return p.at < t.head.at-maxReorder || arrival-p.at < t.delay.least()-early
}

// stray stamps a unit that is off its track after the last one on it. Several in a row, or one long after it,
// are a new track.
func (t *track) stray(p point, arrival codecs.Ticks) (codecs.Ticks, bool) {
	t.strays++
	if t.strays == maxStrays || arrival-t.head.pts > t.timeline.tolerance {
		t.timeline.repaired(Reset)
		return t.anchor(p, arrival)
	}
	reason := Jump
	if back := t.head.at - p.at; back > 0 && back <= t.timeline.tolerance {
		reason = Reorder
	}
	t.timeline.repaired(reason)
	return t.give(t.head.pts + codecs.Ticks(t.strays)*max(t.spacing, 1))
}

// follow stamps a unit that is on its track.
func (t *track) follow(p point, arrival codecs.Ticks) (codecs.Ticks, bool) {
	t.delay.observe(arrival, arrival-p.at)
	if p.at > t.head.at {
		t.advance(p, arrival)
	}
	p.pts = t.head.pts - (t.head.at - p.at)
	if t.late(p.pts, arrival) {
		return t.anchor(p, arrival)
	}
	t.arrived = arrival
	if p.at == t.previous {
		t.timeline.repaired(Repeat)
		return t.give(p.pts + 1)
	}
	t.spacing = min(max(p.at-t.previous, t.previous-p.at), maxReorder)
	t.previous = p.at
	if t.kind == codecs.Audio && p.at < t.head.at {
		t.timeline.repaired(Reorder)
	}
	return t.give(p.pts)
}

// advance moves the head of the map to p.
func (t *track) advance(p point, arrival codecs.Ticks) {
	step := p.at - t.head.at
	if p.rtp < t.head.rtp {
		t.timeline.repaired(Wrap)
	}
	if step > t.timeline.tolerance {
		t.timeline.repaired(Gap)
	}
	want := p.at + t.delay.least() - t.skew
	if t.step {
		t.step, p.pts = false, want
		t.head = p
		return
	}
	p.pts = t.hold(t.head.pts+step, want, arrival)
	p.pts = max(p.pts+t.slew(want-p.pts, step), t.head.pts)
	t.head = p
}

// hold lets PTS that are ahead of where they belong wait, without ever going back.
func (t *track) hold(pts, want, arrival codecs.Ticks) codecs.Ticks {
	switch ahead := pts - want; {
	case t.head.pts-want > t.timeline.tolerance:
		return pts // the host's clock was set back: a running picture is worth more than the right hour
	case arrival < t.settled && ahead > 0:
		return max(t.head.pts, want)
	case ahead > maxAhead:
		t.timeline.repaired(Drift)
		return max(t.head.pts, want+maxAhead)
	}
	return pts
}

// slew returns how much of an error is mended in a step of RTP time.
func (t *track) slew(err, step codecs.Ticks) codecs.Ticks {
	t.carry += step
	limit := t.carry / slewPer
	t.carry %= slewPer
	return min(max(err, -limit), limit)
}

// late reports whether the source has fallen behind its own times so far, or for so long, that it needs a new anchor.
func (t *track) late(pts, arrival codecs.Ticks) bool {
	late := arrival - pts - t.skew
	if late <= maxLate || arrival-t.arrived > maxLate {
		t.onTime = arrival
	}
	if late > t.timeline.tolerance {
		t.timeline.repaired(Gap)
		return true
	}
	if arrival-t.onTime > t.timeline.tolerance {
		t.timeline.repaired(Drift)
		return true
	}
	return false
}

// give hands out a PTS. Audio has no place where audio has been; video of before the anchor stays before it.
func (t *track) give(pts codecs.Ticks) (codecs.Ticks, bool) {
	if t.kind == codecs.Audio && pts <= t.last {
		return 0, false
	}
	pts = max(pts, t.floor+1)
	t.last = max(t.last, pts)
	t.timeline.last[t.kind] = max(t.timeline.last[t.kind], pts)
	return pts, true
}
