package live

import (
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

// A rendition on demand is listed as the feed's reference is, the smallest that is always encoded: every segment and part
// has its exact place and length by the grid, whether it is made or not. What is not there yet is a placeholder. A worker
// supplies it, in any order, while it is in the live window; who asks for it waits.
//
// What was listed while nobody asked is a gap in playlists elsewhere than under /live, for good, even if it was supplied later:
// a segment must not change (RFC 8216bis §6.2.1), and of most of them nothing will ever be there.

// follow finds the renditions on demand, and the one that they follow.
func (v *view) follow(reported bool) {
	timescale, _ := v.feed.Grid.Timescale()
	for i, video := range v.feed.Ladder.Video {
		r := v.renditions[i]
		if !reported || video.Encode != ladder.EncodeOnDemand {
			v.reference = r // the last one: the smallest
			continue
		}
		r.onDemand, r.timescale = true, int64(timescale)
		v.onDemand = append(v.onDemand, r)
	}
	if v.reference == nil { // from a worker that was told otherwise
		for _, r := range v.onDemand {
			r.onDemand = false
		}
		v.onDemand = nil
	}
}

// followers returns the renditions that are listed as r is.
func (r *Rendition) followers() []*Rendition {
	if r != r.view.reference {
		return nil
	}
	return r.view.onDemand
}

// lead lists the part at a place in all renditions that follow r.
func (r *Rendition) lead(at pipeline.Position, gap bool) { // feed.mu is held
	for _, o := range r.followers() {
		if o.init == "" || !o.started && at.Part != 0 || o.started && at.Less(o.next) {
			continue
		}
		if !o.started {
			o.started, o.next, o.first = true, at, at.MSN
		}
		o.fill(at)
		p := o.placeholder()
		p.gap = gap || o.unmade
		p.pending = !p.gap
		o.append(p)
		o.lastPart = r.feed.opts.Now()
	}
}

// publishFollowers shows what lead has listed.
func (r *Rendition) publishFollowers() { // feed.mu is held
	for _, o := range r.followers() {
		if s := o.snap.Load(); s.next != o.next || s.edition != o.edition {
			o.publish()
		}
	}
}

// placeholder returns the next part as it is listed before it is made.
func (r *Rendition) placeholder() part {
	return part{
		duration: r.missing(r.next, r.timescale), independent: r.next.Part == 0, pending: true, cold: !r.demand.hot(r.feed.opts.Now()),
	}
}

// await makes s one whose parts are still to come, if some are.
func (s *segment) await(parts []part) {
	if !decodable(parts) {
		return // it is a gap, whatever else comes
	}
	for _, p := range parts {
		s.duration += p.duration
		s.cold = s.cold || p.cold
		if p.pending {
			s.pending.Store(true)
		}
	}
	if s.pending.Load() {
		s.media.Store(&media{parts: parts})
		return
	}
	s.duration = 0
}

// lose gives a segment up that was not made in time, and reports whether it is one.
func (s *segment) lose() bool {
	if s.pending.Load() {
		s.lost.Store(true)
	}
	return s.lost.Load()
}

// missing reports whether there is nothing to be had of a segment now.
func (s *segment) missing() bool { return s.gap || s.pending.Load() || s.lost.Load() }

// gapIn reports whether a segment is listed as a gap in playlists whose media begin with base.
func (s *segment) gapIn(base string) bool {
	return s.gap || base != "" && (s.cold || s.lost.Load())
}

// unsettled is how many of the newest segments may still become gaps in some playlists.
func (r *Rendition) unsettled() int64 {
	if r.onDemand {
		return r.view.live + 1
	}
	return 0
}

// supply takes a part whose place is listed already. What is there stays as it is.
func (r *Rendition) supply(p pipeline.Part) { // feed.mu is held
	if !r.onDemand || p.Gap {
		return // what is listed does not become a gap
	}
	if p.MSN == r.next.MSN {
		if open, ok := supplied(r.open, p); ok {
			r.open = open
			r.publish()
		}
		return
	}
	s := r.segment(p.MSN)
	if s == nil || !s.pending.Load() || s.lost.Load() {
		return
	}
	parts, ok := supplied(s.media.Load().parts, p)
	if !ok {
		return
	}
	if anyPending(parts) {
		s.media.Store(&media{parts: parts})
	} else {
		r.complete(s, parts)
	}
	r.publish()
}

// supplied returns the parts with p in its place: readers hold the old ones. It is not ok when p is there already.
func supplied(parts []part, p pipeline.Part) ([]part, bool) {
	if p.Index >= len(parts) || !parts[p.Index].pending {
		return nil, false
	}
	// Room for the rest of the segment is left to append.
	with := append(make([]part, 0, cap(parts)), parts...)
	made := taken(p)
	made.independent = parts[p.Index].independent // as it was listed
	made.cold = parts[p.Index].cold
	with[p.Index] = made
	return with, true
}

func anyPending(parts []part) bool {
	for _, p := range parts {
		if p.pending {
			return true
		}
	}
	return false
}

// complete makes a listed segment whole.
func (r *Rendition) complete(s *segment, parts []part) { // feed.mu is held
	whole := &segment{}
	whole.close(parts)
	s.size, s.crc = whole.size, whole.crc
	s.media.Store(whole.media.Load())
	r.finish(s, parts)
	s.pending.Store(false) // readers look at this first
}

// rejoin brings restored renditions to where their reference is: what they lack of the live window can be made.
func (v *view) rejoin() { // feed.mu is held
	if v.reference == nil || !v.reference.started {
		return
	}
	to := v.reference.next
	for _, o := range v.onDemand {
		if !o.started {
			continue
		}
		if to.MSN-o.next.MSN >= v.longestGap() {
			o.reset()
			continue
		}
		for window := to.MSN - v.live; o.next.MSN < window; o.next.MSN++ {
			at := v.reference.feed.breaks.of(o.next.MSN)
			o.kept = append(o.kept, o.absent(o.next.MSN, o.timescale, o.init, at))
		}
		o.fill(to)
		o.publish()
	}
}

// Wanted returns the segment that a player takes first: the one that is hold-back before the end (RFC 8216bis §4.4.3.8).
func (s *Snapshot) Wanted(plain bool) int64 {
	g := s.rendition.view.feed.Grid
	back := 3 * s.rendition.view.feed.PartTarget()
	if plain {
		back = 3 * s.rendition.TargetDuration()
	}
	edge := g.FrameTime(g.PartFrame(s.next.MSN, s.next.Part))
	return g.Segment(g.FrameAt(edge - codecs.Ticks(codecs.MulDivRound(int64(back), codecs.TicksPerSecond, int64(time.Second)))))
}
