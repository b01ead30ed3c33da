package transcode

import (
	"context"
	"fmt"
	"maps"
	"sync"
)

// Rate is how much of a rendition is encoded. A larger one is less.
type Rate uint8

// The rates.
const (
	RateFull Rate = iota // every picture that the ladder asks for
	RateHalf             // every second of them, each shown twice as long; full where parts do not divide by it
	RateIdle             // nothing, and the origin is told nothing: nobody asks for it, and what is wanted later can be filled
	RateOff              // nothing, and never will be: the origin is told of gaps
)

var rateNames = [...]string{"full", "half", "idle", "off"}

func (r Rate) String() string {
	if int(r) < len(rateNames) {
		return rateNames[r]
	}
	return fmt.Sprintf("Rate(%d)", uint8(r))
}

// Share returns which part of the pictures is encoded.
func (r Rate) Share() float64 {
	switch r {
	case RateFull:
		return 1
	case RateHalf:
		return 0.5
	case RateIdle, RateOff:
	}
	return 0
}

// made reports whether anything is encoded. Else no encoder is open, and nothing is scaled.
func (r Rate) made() bool { return r < RateIdle }

// MarshalText implements encoding.TextMarshaler.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Rate) UnmarshalText(text []byte) error {
	for i, name := range rateNames {
		if name == string(text) {
			*r = Rate(i)
			return nil
		}
	}
	return fmt.Errorf("rate %q: want full, half, idle or off", text)
}

// Plan says how much of each video rendition is encoded, by its name. What it does not name is encoded in full.
type Plan map[string]Rate

// With returns the plan that encodes of each rendition what both plans allow.
func (p Plan) With(q Plan) Plan {
	both := maps.Clone(p)
	if both == nil {
		both = Plan{}
	}
	for name, rate := range q {
		both[name] = max(both[name], rate)
	}
	return both
}

// planned is a worker's plan and how far it is carried out.
type planned struct {
	mu    sync.Mutex // guards the fields below
	plan  Plan
	begun int64 // the newest segment that has begun, with the rates it has; negative: none
}

// SetPlan makes p the plan, and returns the first segment that obeys it, -1 when the worker has not begun any. Segments are
// of one rate and whole: each rendition obeys from its next one on.
// It may be called by any goroutine, before Run or while it runs. p must not be changed after.
func (w *Worker) SetPlan(p Plan) (from int64) {
	w.planned.mu.Lock()
	defer w.planned.mu.Unlock()
	w.planned.plan = p
	if w.planned.begun < 0 {
		return -1
	}
	return w.planned.begun + 1
}

// Begun reports whether the worker has begun a segment.
func (w *Worker) Begun() bool {
	w.planned.mu.Lock()
	defer w.planned.mu.Unlock()
	return w.planned.begun >= 0
}

// begin fixes the plan of a segment.
func (p *planned) begin(msn int64) Plan {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begun = msn
	return p.plan
}

// rateOf returns the rate that a plan gives a rendition: half only where all parts keep whole pictures, and not where the
// source's own pictures are passed, which cost nothing and need each other.
func (r *rendition) rateOf(p Plan) Rate {
	rate := p[r.video.Name]
	if rate == RateHalf && (r.w.grid.PartFrames%(2*r.video.Divisor) != 0 || r.w.o.Feed.Passed(r.video.Name) != nil) {
		return RateFull
	}
	return rate
}

// step returns how many frames a picture is shown for at a rate.
func (r *rendition) step(rate Rate) int64 {
	if rate == RateHalf {
		return 2 * r.video.Divisor
	}
	return r.video.Divisor
}

// obey changes the rates to those of the plan, when frame begins a segment.
func (s *source) obey(ctx context.Context, frame int64) error {
	g := s.w.grid
	msn := g.Segment(frame)
	first := frame == g.PartFrame(msn, 0)
	if !first && s.begun {
		return nil
	}
	s.begun = true
	plan, changed := s.w.planned.begin(msn), false
	if !first {
		return nil // what resumes within a segment does so with the plan that it was made with
	}
	for i, r := range s.w.renditions {
		rate := r.rateOf(plan)
		if rate == s.rates[i] {
			continue
		}
		if !rate.made() {
			if err := r.queue.Push(ctx, framed{frame: frame}, 1); err != nil {
				return err
			}
		}
		s.rates[i], changed = rate, true
		s.w.progress.switched(r.video.Name, msn, rate.made())
		s.w.o.Switched(r.video.Name, msn, rate)
	}
	if changed {
		s.from = s.cascade()
	}
	return nil
}
