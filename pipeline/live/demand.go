package live

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

// demand is who asks for a rendition: since when, until when, and for what.
type demand struct {
	mu    sync.Mutex // guards the fields below
	last  time.Time  // of the last request; zero: there was none
	from  int64      // the first segment that was asked for since nobody did
	since time.Time  // of the first request for it; zero: it is there
}

func (d *demand) hot(now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.isHot(now)
}

func (d *demand) isHot(now time.Time) bool { // d.mu is held
	return !d.last.IsZero() && now.Sub(d.last) < pipeline.DemandHold
}

// ask notes a request for a segment. It reports whether it is the first for long, and whether it asks for more than those before.
func (d *demand) ask(msn int64, now time.Time) (cold, more bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	cold = !d.isHot(now)
	if cold {
		d.from, d.since = msn, now
	}
	more = cold || msn < d.from
	d.last, d.from = now, min(d.from, msn)
	return cold, more
}

// begun reports that a segment is there, and how long after the first request, if it is the first.
func (d *demand) begun(msn int64, now time.Time) (after time.Duration, first bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.since.IsZero() || msn < d.from {
		return 0, false
	}
	after = now.Sub(d.since)
	d.since = time.Time{}
	return after, true
}

// OnDemand reports whether the rendition is made only while somebody asks for it.
func (r *Rendition) OnDemand() bool { return r.onDemand }

// Asked reports whether somebody asks for a rendition on demand.
func (r *Rendition) Asked() bool { return r.demand.hot(r.feed.opts.Now()) }

// Ask notes that somebody asks for a segment of a rendition on demand and, presumably, what follows.
func (r *Rendition) Ask(msn int64) {
	if !r.onDemand {
		return
	}
	// Who plays the past goes on in the past: what is made for it is what comes.
	if s := r.snap.Load(); msn < s.next.MSN-r.view.live {
		msn = s.Wanted(false)
	}
	if cold, more := r.demand.ask(msn, r.feed.opts.Now()); more {
		r.feed.opts.Demanded(r.feed.id, r.name, cold)
	}
}

// Demand returns what is asked for of the feed's renditions on demand, nil when that is not reported.
func (f *Feed) Demand() pipeline.Demand {
	if !f.opts.OnDemand {
		return nil
	}
	d := pipeline.Demand{}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.opts.Now()
	for _, r := range f.view.Load().onDemand {
		if want, ok := r.want(now); ok && r.started {
			d[r.name] = want
		}
	}
	return d
}

// want returns what is to be made. It is not ok when nobody asks.
func (r *Rendition) want(now time.Time) (want pipeline.Want, ok bool) { // feed.mu is held
	r.demand.mu.Lock()
	from, last, hot := r.demand.from, r.demand.last, r.demand.isHot(now)
	r.demand.mu.Unlock()
	return pipeline.Want{From: r.firstPending(from), Age: now.Sub(last)}, hot
}

// firstPending returns the first part from segment msn on that is not there and can be made; else the part that comes next.
func (r *Rendition) firstPending(msn int64) pipeline.Position {
	if len(r.kept) > 0 {
		for msn = max(msn, r.kept[0].msn, r.next.MSN-r.view.live); msn < r.next.MSN; msn++ {
			s := r.segment(msn)
			if s == nil || !s.pending.Load() || s.lost.Load() {
				continue
			}
			return pipeline.Position{MSN: msn, Part: pendingIn(s.media.Load().parts)}
		}
	}
	return pipeline.Position{MSN: r.next.MSN, Part: pendingIn(r.open)}
}

// pendingIn returns the index of the first part that is pending, or that after the last.
func pendingIn(parts []part) int {
	for i, p := range parts {
		if p.pending {
			return i
		}
	}
	return len(parts)
}

// Coming returns the bytes of a part as Part does, and ErrPending for the one that is hinted.
func (s *Snapshot) Coming(at pipeline.Position) (Media, error) {
	if at == s.next && s.started() {
		return Media{}, ErrPending
	}
	return s.Part(at)
}

// WaitMedia returns what get finds, in the first snapshot in which that is not pending.
func (r *Rendition) WaitMedia(ctx context.Context, get func(*Snapshot) (Media, error)) (Media, error) {
	for {
		s := r.snap.Load()
		media, err := get(s)
		if !errors.Is(err, ErrPending) {
			return media, err
		}
		select {
		case <-s.changed:
		case <-ctx.Done():
			return Media{}, fmt.Errorf("waiting for rendition %s: %w: %w", r.name, ErrPending, context.Cause(ctx))
		}
	}
}
