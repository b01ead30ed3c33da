package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/capacity"
	"github.com/venuecast/venuecast/pipeline/fleet"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/transport/bus"
	"github.com/venuecast/venuecast/transport/metrics"
)

// room lets a worker take feeds as long as they fit. It is a fleet.Runner around another.
type room struct {
	registry *bus.Registry
	runner   fleet.Runner
	account  *capacity.Worker
	value    func(feed, name string) float64 // what a child says
	media    func(feed, name string) map[string]float64
	encoders func(feed string) map[string]string // by rendition
	worker   *metrics.Worker
	guard    *guard

	mu      sync.Mutex // guards the fields below
	feeds   map[string]pipeline.Feed
	begun   map[string]begun
	running map[string]spent
	mine    map[string]bool // feeds that run, or have ended by themselves: they fit before
}

// spent is what a child had used and made when it was last looked at.
type spent struct {
	at     time.Time
	cpu    float64 // in seconds
	pixels float64 // encoded, weighed
	need   float64 // of them per second, by the encoders that it has
}

// begun is how a feed was described when its run began, and what ends the run.
type begun struct {
	feed pipeline.Feed
	end  context.CancelCauseFunc
}

// roomInterval is how often children are looked at.
const roomInterval = 5 * time.Second

// newRoom measures the machine, unless its capacity in pixels per second is known (not 0).
func newRoom(
	ctx context.Context, r *bus.Registry, c *children, known float64, log *slog.Logger,
) (*room, error) {
	rate, err := calibrate(ctx)
	if err != nil {
		return nil, fmt.Errorf("measuring the speed of this machine: %w", err)
	}
	processors := float64(runtime.GOMAXPROCS(0))
	if known > 0 {
		rate = known / processors
	}
	account, err := capacity.New(capacity.Options{Rate: rate, Processors: processors})
	if err != nil {
		return nil, err
	}
	room := &room{
		registry: r, account: account, value: c.relay.Value, media: c.relay.Renditions, encoders: c.relay.Encoders, worker: c.worker,
		feeds: map[string]pipeline.Feed{}, begun: map[string]begun{}, running: map[string]spent{}, mine: map[string]bool{},
	}
	room.guard = newGuard(c, room.feed)
	room.runner = room.guard
	log.Info("capacity is measured", "megapixels_per_second", int(account.State().Total/1e6), "ladders", account.State().Fits)
	room.show()
	return room, nil
}

// list returns the ids of all feeds and of those that were retired, and keeps what they are. The run of a feed that is described
// otherwise than when it began is ended: another follows.
func (r *room) list(ctx context.Context) (ids, retired []string, err error) {
	feeds, gone, err := r.registry.Feeds(ctx)
	if err != nil {
		return nil, nil, err
	}
	r.mu.Lock()
	for _, f := range feeds {
		r.feeds[f.ID] = f
		ids = append(ids, f.ID)
		if run, ok := r.begun[f.ID]; ok && !run.feed.Alike(f) {
			run.end(errRedefined)
		}
	}
	r.mu.Unlock()
	return ids, slices.DeleteFunc(gone, func(id string) bool { return !r.gone(ctx, id) }), nil
}

var errRedefined = errors.New("the feed is described otherwise than before")

// gone reports whether a feed that a listing says is retired is so by the word of the bucket's leader: a listing may be old.
func (r *room) gone(ctx context.Context, id string) bool {
	if r.feed(id).ID == "" {
		return true // nothing is to be ended
	}
	_, err := r.registry.Feed(ctx, id)
	return errors.Is(err, bus.ErrNotFound)
}

// forget takes a retired feed out of the accounts and metrics.
func (r *room) forget(id string) {
	r.mu.Lock()
	delete(r.feeds, id)
	delete(r.mine, id)
	r.mu.Unlock()
	r.account.Forget(id)
	r.show()
	r.guard.retire(id)
}

func (r *room) feed(id string) pipeline.Feed {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.feeds[id]
}

// admit says why there is no room for a feed. One that has only stumbled gets its room back.
func (r *room) admit(id string) error {
	r.mu.Lock()
	feed, mine := r.feeds[id], r.mine[id]
	r.mu.Unlock()
	fits := r.account.Admit(feed)
	if mine {
		return nil
	}
	return errors.Join(r.guard.admit(), fits)
}

// Run runs a feed and keeps account of it.
func (r *room) Run(ctx context.Context, a fleet.Assignment) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r.account.Begin(r.begin(a.Feed, cancel))
	r.mark(a.Feed, &spent{})
	defer func() {
		r.mark(a.Feed, nil)
		r.account.End(a.Feed)
	}()
	err := r.runner.Run(ctx, a)
	r.keep(a.Feed, !errors.Is(err, pipeline.ErrFenced) && !errors.Is(err, fleet.ErrReleased))
	return err
}

// begin notes how a feed is described now, and what ends its run.
func (r *room) begin(id string, end context.CancelCauseFunc) pipeline.Feed {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begun[id] = begun{r.feeds[id], end}
	return r.feeds[id]
}

func (r *room) keep(id string, mine bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mine[id] = mine
}

func (r *room) mark(id string, s *spent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s == nil {
		delete(r.running, id)
		delete(r.begun, id)
		return
	}
	r.running[id] = *s
}

// watch corrects the account by what the children say, and shows it, until the context ends.
func (r *room) watch(ctx context.Context) error {
	tick := time.NewTicker(roomInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
		r.measure(time.Now())
		r.show()
	}
}

func (r *room) measure(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, last := range r.running {
		f := r.actual(r.feeds[id])
		s := spent{now, r.value(id, "process_cpu_seconds_total"), r.pixels(f), capacity.Pixels(f)}
		r.running[id] = s
		if s.need != last.need { // it has only begun, or has other encoders than before, by which pixels weigh
			r.account.Begin(f)
			continue
		}
		if last.pixels == 0 || s.pixels < last.pixels || r.guard.lowers(id) {
			continue // it has only begun, or begun anew; or its seconds of media are not what they were
		}
		r.account.Measured(now.Sub(last.at), time.Duration((s.cpu-last.cpu)*float64(time.Second)), s.pixels-last.pixels)
	}
}

// actual returns a feed with the encoders that its child has. A card may have refused one that the ladder names; and where it
// names none, a card may have one.
func (r *room) actual(f pipeline.Feed) pipeline.Feed {
	encoders := r.encoders(f.ID)
	f.Ladder.Video = slices.Clone(f.Ladder.Video)
	for i := range f.Ladder.Video {
		if v := &f.Ladder.Video[i]; encoders[v.Name] != "" {
			v.Encoder = encoders[v.Name]
		}
	}
	return f
}

// pixels returns what a feed's child has encoded so far.
func (r *room) pixels(f pipeline.Feed) (pixels float64) {
	seconds := r.media(f.ID, "venuecast_transcode_media_seconds_total")
	for _, v := range f.Ladder.Video {
		if f.Passed(v.Name) != nil {
			continue
		}
		pixels += seconds[v.Name] * capacity.PixelsOf(ladder.Ladder{Video: []ladder.Video{v}}, f.Grid.FrameRate.Float())
	}
	return pixels
}

func (r *room) show() {
	s := r.account.State()
	r.worker.SetCapacity(metrics.Capacity{
		Feeds: s.Feeds, Used: s.Used, Total: s.Total, Largest: s.Largest, Fits: s.Fits, Full: s.Full,
	})
}
