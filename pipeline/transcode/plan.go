package transcode

import (
	"context"
	"fmt"
	"maps"
)

// Rate is how much of a rendition is encoded. A larger one is less.
type Rate uint8

// The rates.
const (
	RateFull Rate = iota // every picture that the ladder asks for
	RateHalf             // every second of them, each shown twice as long; full where parts do not divide by it
	RateOff              // nothing: no encoder is open, nothing is scaled
)

var rateNames = [...]string{"full", "half", "off"}

func (r Rate) String() string {
	if int(r) < len(rateNames) {
		return rateNames[r]
	}
	return fmt.Sprintf("Rate(%d)", uint8(r))
}

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
	return fmt.Errorf("rate %q: want full, half or off", text)
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

// SetPlan makes p the plan. Each rendition obeys it from its next segment on, so that a segment is of one rate and whole.
// It may be called by any goroutine, before Run or while it runs. p must not be changed after.
func (w *Worker) SetPlan(p Plan) { w.plan.Store(&p) }

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
	if frame != g.PartFrame(msn, 0) {
		return nil
	}
	plan, changed := *s.w.plan.Load(), false
	for i, r := range s.w.renditions {
		rate := r.rateOf(plan)
		if rate == s.rates[i] {
			continue
		}
		if rate == RateOff {
			if err := r.queue.Push(ctx, framed{frame: frame}, 1); err != nil {
				return err
			}
		}
		s.rates[i], changed = rate, true
		s.w.progress.switched(r.video.Name, msn, rate != RateOff)
		s.w.o.Switched(r.video.Name, msn, rate)
	}
	if changed {
		s.from = s.cascade()
	}
	return nil
}
