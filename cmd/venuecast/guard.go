package main

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/capacity"
	"github.com/venuecast/venuecast/pipeline/fleet"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/overload"
	"github.com/venuecast/venuecast/pipeline/transcode"
	"github.com/venuecast/venuecast/transport/metrics"
)

// guard keeps a worker within what it can carry: once a second it looks at its feeds' children, and tells them what to do
// without. It is a fleet.Runner around another.
type guard struct {
	runner     fleet.Runner
	value      func(feed, name string) float64 // what a child says
	media      func(feed, name string) map[string]float64
	feed       func(id string) pipeline.Feed
	tell       func(feed string, p transcode.Plan) error
	nice       func(feed string, niceness int)
	busy       func() float64 // the share of this machine's processors that is in use
	processors float64
	worker     *metrics.Worker
	log        *slog.Logger

	control *overload.Controller // watch's alone
	seen    map[string]reading   // likewise

	mu       sync.Mutex // guards the fields below
	running  map[string]context.CancelCauseFunc
	retired  map[string]bool // feeds whose series are to go
	degraded bool
	lowered  map[string]bool // feeds of which less is made
}

// reading is what a child had said when it was last looked at.
type reading struct {
	at        time.Time
	idle, cpu float64         // in seconds
	made      map[string]made // by rendition on demand
}

// made is how much of a rendition there is, in seconds, and since when it is no more than that.
type made struct {
	media float64
	since time.Time
}

// asleepAfter is how long a rendition on demand must not grow to count as off. Overloaded, its parts may take seconds.
const asleepAfter = 6 * time.Second

func newGuard(c *children, feed func(string) pipeline.Feed) *guard {
	return &guard{
		runner: c, value: c.relay.Value, media: c.relay.Renditions, feed: feed, tell: c.SetPlan, nice: c.renice, busy: newProcessors().busy,
		processors: float64(runtime.GOMAXPROCS(0)), worker: c.worker, log: c.log,
		control: overload.New(overload.Options{}), seen: map[string]reading{"": {at: time.Now(), cpu: ownTime().Seconds()}},
		running: map[string]context.CancelCauseFunc{}, retired: map[string]bool{},
	}
}

// guardInterval is how often children are looked at; they report twice as often.
const guardInterval = time.Second

// Run runs a feed until it ends or is given up.
func (g *guard) Run(ctx context.Context, a fleet.Assignment) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	g.mark(a.Feed, cancel)
	g.worker.Guard(a.Feed)
	defer g.mark(a.Feed, nil)
	err := g.runner.Run(ctx, a)
	if errors.Is(context.Cause(ctx), fleet.ErrReleased) {
		return fleet.ErrReleased
	}
	return err
}

func (g *guard) mark(id string, cancel context.CancelCauseFunc) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if cancel == nil {
		delete(g.running, id)
		return
	}
	g.running[id] = cancel
}

// retire has the series of a feed go that does not run any more. It is left to the next look, which may be about to show them.
func (g *guard) retire(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.retired[id] = true
}

// forgetRetired takes the retired feeds out of the metrics, but for those that are back.
func (g *guard) forgetRetired() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for id := range g.retired {
		if g.running[id] == nil {
			g.worker.Forget(id)
		}
	}
	clear(g.retired)
}

// admit says why no feed is taken now.
func (g *guard) admit() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.degraded {
		return errors.New("the worker is overloaded already")
	}
	return nil
}

// lowers reports whether less is made of a feed than its ladder asks for.
func (g *guard) lowers(feed string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lowered[feed]
}

// watch looks at the children until the context ends.
func (g *guard) watch(ctx context.Context) error {
	tick := time.NewTicker(guardInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
			g.look(ctx, time.Now())
		}
	}
}

func (g *guard) look(ctx context.Context, now time.Time) {
	look := g.read(now)
	g.renice(look.Feeds)
	d := g.control.Look(look)
	changed := map[string]bool{}
	for _, c := range d.Changes {
		changed[c.Feed] = true
		g.say(ctx, c)
	}
	lowered := map[string]bool{}
	for _, f := range look.Feeds {
		plan := g.control.Plan(f.ID)
		lowered[f.ID] = len(plan) > 0
		g.worker.Degraded(f.ID, len(plan))
		if !changed[f.ID] {
			continue
		}
		if err := g.tell(f.ID, plan); err != nil {
			g.log.Warn("child was not told what to do without", "feed", f.ID, "error", err)
		}
	}
	g.conclude(lowered, d.Release)
	g.forgetRetired()
}

func (g *guard) say(ctx context.Context, c overload.Change) {
	level, reason, message := slog.LevelInfo, "room", "room again: more is made of a rendition"
	if c.To > c.From {
		level, reason, message = slog.LevelWarn, "late", "overloaded: less is made of a rendition"
	}
	g.worker.Stepped(c.Feed, reason)
	g.log.Log(ctx, level, message, "feed", c.Feed, "rendition", c.Rendition, "from", c.From, "to", c.To)
}

// conclude gives a feed up if it must be, and notes whether others may come.
func (g *guard) conclude(lowered map[string]bool, release string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.degraded, g.lowered = g.control.Degraded(), lowered
	if cancel := g.running[release]; cancel != nil {
		g.log.Error("overloaded: a feed is given up, another worker may take it", "feed", release)
		g.worker.Released(release)
		cancel(fleet.ErrReleased)
		delete(g.running, release)
	}
}

// read makes a look of what the children say.
func (g *guard) read(now time.Time) overload.Look {
	l := overload.Look{At: now}
	seen := map[string]reading{"": {at: now, cpu: ownTime().Seconds()}}
	spent := seen[""].cpu - g.seen[""].cpu
	for _, id := range g.ids() {
		feed := g.feed(id)
		if feed.ID == "" {
			continue // it has ended and is forgotten since
		}
		r := reading{
			at: now, idle: g.value(id, "venuecast_transcode_source_idle_seconds_total"), cpu: g.value(id, "process_cpu_seconds_total"),
		}
		f, last := loadOf(feed), g.seen[id]
		r.made = g.asleep(&f, last.made, now)
		seen[id] = r
		f.Idle = 1
		if last.cpu > 0 && r.cpu >= last.cpu { // else it has only begun, or begun anew
			f.Lag = seconds(g.value(id, "venuecast_bus_lag_seconds"))
			f.Idle = (r.idle - last.idle) / now.Sub(last.at).Seconds()
			l.Used += r.cpu - last.cpu
		}
		l.Feeds = append(l.Feeds, f)
	}
	interval := now.Sub(g.seen[""].at).Seconds()
	l.Used /= interval * g.processors
	l.Busy = min(max(g.busy(), l.Used+spent/interval/g.processors), 1)
	g.forget(seen)
	if slices.ContainsFunc(l.Feeds, func(f overload.Feed) bool { return g.onCard(f.ID) }) {
		l.Busy, l.Used = math.NaN(), math.NaN()
	}
	return l
}

// asleep marks the renditions on demand of which nothing is made, because nobody asks or because they are off.
func (g *guard) asleep(f *overload.Feed, before map[string]made, now time.Time) map[string]made {
	seconds := g.media(f.ID, "venuecast_transcode_media_seconds_total")
	is := map[string]made{}
	for _, name := range g.feed(f.ID).Ladder.OnDemand() {
		m := before[name]
		if m.since.IsZero() || seconds[name] != m.media {
			m = made{seconds[name], now}
		}
		is[name] = m
		for i := range f.Renditions {
			if r := &f.Renditions[i]; r.Name == name {
				r.Asleep = now.Sub(m.since) >= asleepAfter
			}
		}
	}
	return is
}

// onCard reports whether a rendition of a feed is encoded by a card, for all that its ladder says.
func (g *guard) onCard(id string) bool {
	return slices.ContainsFunc(g.feed(id).Ladder.Video, func(v ladder.Video) bool { return capacity.OnCard(v.Encoder) })
}

// forget makes what is seen now the last that was seen. A feed that is gone begins in full if it comes back.
func (g *guard) forget(seen map[string]reading) {
	for id := range g.seen {
		if _, there := seen[id]; !there {
			_ = g.tell(id, nil) // no child is there to fail
			g.worker.Degraded(id, 0)
		}
	}
	g.seen = seen
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func (g *guard) ids() (ids []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for id := range g.running {
		ids = append(ids, id)
	}
	return ids
}

// renice makes the processes of less important feeds nicer.
func (g *guard) renice(feeds []overload.Feed) {
	var all []int
	for _, f := range feeds {
		all = append(all, f.Priority)
	}
	for _, f := range feeds {
		g.nice(f.ID, overload.Nice(f.Priority, all))
	}
}

// baseShare is what decoding and all besides scaling and encoding costs of a whole ladder's encoding with x264 veryfast.
// See docs/performance.md.
const baseShare = 0.2

// passedShare is what a rendition costs that is the source's own pictures, of what it would cost encoded.
const passedShare = 0.05

// loadOf returns what a feed costs, in the unit of its worker's capacity.
func loadOf(f pipeline.Feed) overload.Feed {
	rate := f.Grid.FrameRate.Float()
	o := overload.Feed{ID: f.ID, Priority: f.Priority, Segment: f.Grid.Step()}
	for _, v := range f.Ladder.Video {
		load := capacity.PixelsOf(ladder.Ladder{Video: []ladder.Video{v}}, rate)
		o.Base += load / capacity.Weight(v) * baseShare
		r := overload.Rendition{Name: v.Name, Load: load, Halves: f.Grid.PartFrames%(2*max(v.Divisor, 1)) == 0}
		if f.Passed(v.Name) != nil { // it is the source's own pictures most of the time
			r.Load, r.Halves = load*passedShare, false
		}
		o.Renditions = append(o.Renditions, r)
	}
	return o
}
