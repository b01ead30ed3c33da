package transcode

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

// OnDemandOptions is what OnDemand needs. Without a word of a default, a field must be set.
type OnDemandOptions struct {
	Feed pipeline.Feed
	// On is what the worker makes from its start on of the renditions on demand, and from where.
	On pipeline.State
	// Begun reports whether the worker has begun. Before that nothing is turned on.
	Begun func() bool
	// Set makes p the worker's plan, and returns the first segment that obeys it: see Worker.SetPlan.
	Set func(p Plan) (from int64)
	// Fill makes the parts of a rendition from one place up to another, faster than real time.
	Fill func(ctx context.Context, rendition string, from, to pipeline.Position) error

	Hold time.Duration    // how long after the last request a rendition stays on. It defaults to pipeline.DemandHold.
	Now  func() time.Time // It defaults to time.Now.
	Log  *slog.Logger     // It defaults to none.
}

// OnDemand turns a worker's renditions on while viewers ask for them. The worker makes one from its next segment on; what is
// wanted before that is filled. It is a pipeline.Stage; Hear may be called by any goroutine.
type OnDemand struct {
	o     OnDemandOptions
	heard chan struct{} // something was

	mu    sync.Mutex // guards the fields below
	wants map[string]*wanted
	fills int // that run
}

// wanted is one rendition on demand.
type wanted struct {
	on      bool
	last    time.Time         // of the last request
	from    pipeline.Position // the first part that is wanted and not there
	covered pipeline.Position // while it is on: from here on it is made, or is being made
}

const (
	// demandTick is how often it is looked whether a rendition is to go off, or could not go on before.
	demandTick = 100 * time.Millisecond
	// maxFills bounds what is filled at once; what is wanted besides is said again in a second.
	maxFills = 4
)

// NewOnDemand returns the control of a feed's renditions on demand. Those that are not on have to be idle in the worker's first plan.
func NewOnDemand(o OnDemandOptions) *OnDemand {
	if o.Hold == 0 {
		o.Hold = pipeline.DemandHold
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	d := &OnDemand{o: o, heard: make(chan struct{}, 1), wants: map[string]*wanted{}}
	for _, name := range o.Feed.Ladder.OnDemand() {
		d.wants[name] = &wanted{}
	}
	for name, at := range o.On {
		if w := d.wants[name]; w != nil {
			*w = wanted{on: true, last: o.Now(), from: at, covered: at}
		}
	}
	return d
}

// Plan returns the plan by demand.
func (d *OnDemand) Plan() Plan {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.plan()
}

func (d *OnDemand) plan() Plan { // d.mu is held
	p := Plan{}
	for name, w := range d.wants {
		if !w.on {
			p[name] = RateIdle
		}
	}
	return p
}

// Hear takes what viewers ask for.
func (d *OnDemand) Hear(demand pipeline.Demand) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.o.Now()
	for name, want := range demand {
		w := d.wants[name]
		if w == nil || want.Age < 0 || want.Age >= d.o.Hold {
			continue
		}
		w.from = want.From
		if last := now.Add(-want.Age); last.After(w.last) {
			w.last = last
		}
	}
	select {
	case d.heard <- struct{}{}:
	default:
	}
}

// Name names the stage.
func (d *OnDemand) Name() string { return "on demand" }

// Run turns renditions on and off until the context ends, and waits for the fills that run.
func (d *OnDemand) Run(ctx context.Context) error {
	var fills pipeline.Group
	defer fills.Wait()
	tick := time.NewTicker(demandTick)
	defer tick.Stop()
	for {
		d.look(ctx, &fills)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		case <-d.heard:
		}
	}
}

func (d *OnDemand) look(ctx context.Context, fills *pipeline.Group) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.o.Now()
	for name, w := range d.wants {
		hot := !w.last.IsZero() && now.Sub(w.last) < d.o.Hold
		switch {
		case w.on && !hot:
			w.on = false
			d.o.Set(d.plan())
		case !w.on && hot && d.o.Begun():
			w.on = true
			w.covered = pipeline.Position{MSN: d.o.Set(d.plan())}
		}
		if w.on && w.from.Less(w.covered) && d.fills < maxFills {
			d.fill(ctx, fills, name, w)
		}
	}
}

func (d *OnDemand) fill(ctx context.Context, fills *pipeline.Group, name string, w *wanted) { // d.mu is held
	from, to, begun := w.from, w.covered, d.o.Now()
	w.covered = from
	d.fills++
	job := pipeline.Func("filling "+name, func(ctx context.Context) error { return d.o.Fill(ctx, name, from, to) })
	fills.Start(ctx, job, func(err error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.fills--
		took := d.o.Now().Sub(begun).Round(time.Millisecond)
		log := d.o.Log.With("feed", d.o.Feed.ID, "rendition", name, "from", from.MSN, "to", to.MSN, "took", took)
		if err != nil && ctx.Err() == nil {
			log.Warn("rendition on demand could not be filled", "error", err)
			if w.covered == from {
				w.covered = to // it will be asked for again
			}
			return
		}
		log.Debug("rendition on demand is filled")
	})
}
