package main

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/fleet"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/overload"
	"github.com/venuecast/venuecast/pipeline/transcode"
	"github.com/venuecast/venuecast/transport/metrics"
)

// guarded is a guard of a feed whose child falls behind by half a second each second, or not, as told.
type guarded struct {
	guard
	told   map[string]transcode.Plan
	nicely map[string]int
	late   map[string]bool
	lag    map[string]float64
	now    time.Time
}

func newGuarded(ids map[string]int) *guarded {
	g := &guarded{told: map[string]transcode.Plan{}, nicely: map[string]int{}, late: map[string]bool{}, lag: map[string]float64{}}
	g.now = time.Now()
	g.guard = guard{
		value: func(feed, name string) float64 {
			switch name {
			case "venuecast_bus_lag_seconds":
				return g.lag[feed]
			case "process_cpu_seconds_total":
				return time.Since(g.now).Seconds() + 1
			}
			if g.late[feed] {
				return 0
			}
			return time.Since(g.now).Seconds() / 2 // it is idle half of the time
		},
		feed: func(id string) pipeline.Feed {
			return pipeline.Feed{
				ID: id, Priority: ids[id], Grid: grid.Grid{FrameRate: codecs.Rational{Num: 25, Den: 1}, StepFrames: 48, PartFrames: 8},
				Ladder: ladder.Ladder{Video: []ladder.Video{{Name: "l", Width: 1280, Height: 720, Divisor: 1}, {Name: "s", Width: 640, Height: 360, Divisor: 1}}},
			}
		},
		media: func(string, string) map[string]float64 { return nil },
		tell:  func(feed string, p transcode.Plan) error { g.told[feed] = p; return nil },
		nice:  func(feed string, n int) { g.nicely[feed] = n },
		busy: func() float64 {
			if g.late["b"] {
				return 1
			}
			return 0.5
		},
		processors: 16, worker: metrics.NewWorker(prometheus.NewRegistry()), log: slog.New(slog.DiscardHandler),
		control: overload.New(overload.Options{}), seen: map[string]reading{"": {at: g.now}},
		running: map[string]context.CancelCauseFunc{}, retired: map[string]bool{},
	}
	return g
}

// run looks once a second.
func (g *guarded) run(seconds int) {
	for range seconds {
		time.Sleep(time.Second)
		for feed := range g.late {
			if g.lag[feed] += 0.5; !g.late[feed] {
				g.lag[feed] = 0.1
			}
		}
		g.look(context.Background(), time.Now())
	}
}

func TestTheGuardTellsTheLeastImportantChildFirstAndTakesItBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded(map[string]int{"a": 1, "b": 0})
		ends := make(chan error, 2)
		started := make(chan string, 2)
		g.runner = runnerFunc(func(ctx context.Context, a fleet.Assignment) error {
			started <- a.Feed
			<-ctx.Done()
			return context.Cause(ctx)
		})
		for _, id := range []string{"a", "b"} {
			go func() { ends <- g.Run(t.Context(), fleet.Assignment{Feed: id}) }()
			<-started
		}
		g.run(3)
		require.Empty(t, g.told)
		require.NoError(t, g.admit())
		require.Equal(t, map[string]int{"a": 0, "b": 5}, g.nicely)

		g.late["a"], g.late["b"] = true, true
		g.run(10)
		require.NotEmpty(t, g.told["b"])
		require.Empty(t, g.told["a"])
		require.Error(t, g.admit())
		require.True(t, g.lowers("b"))
		require.False(t, g.lowers("a"))

		g.run(60) // it does not help
		require.ErrorIs(t, <-ends, fleet.ErrReleased)
		require.Empty(t, g.told["b"], "whoever runs it next begins in full")

		g.late["a"], g.late["b"] = false, false
		g.run(90)
		require.Empty(t, g.told["a"])
		require.NoError(t, g.admit())
		g.mu.Lock()
		g.running["a"](pipeline.ErrFenced)
		g.mu.Unlock()
		require.ErrorIs(t, <-ends, pipeline.ErrFenced)
	})
}

func TestARenditionThatNobodyWatchesCostsNothing(t *testing.T) {
	g, seconds := newGuarded(map[string]int{}), map[string]float64{"s": 5}
	g.media = func(string, string) map[string]float64 { return seconds }
	feed := g.feed("a")
	feed.Ladder.Video[0].Encode = ladder.EncodeOnDemand
	g.feed = func(string) pipeline.Feed { return feed }
	var before map[string]made
	look := func(after time.Duration) bool {
		f := loadOf(feed)
		before = g.asleep(&f, before, g.now.Add(after))
		require.False(t, f.Renditions[1].Asleep)
		return f.Renditions[0].Asleep
	}
	require.False(t, look(0), "it is not known yet")
	require.True(t, look(asleepAfter))
	seconds["l"] = 0.32
	require.False(t, look(asleepAfter+time.Second), "a part came")
	require.False(t, look(asleepAfter+2*time.Second))
	require.True(t, look(2*asleepAfter+time.Second))
}

func TestAChildsNicenessIsSetOnce(t *testing.T) {
	var n niceness
	require.Zero(t, n.changed("a", 5), "there is no child")
	n.born("a", 77)
	require.Zero(t, n.changed("a", 0))
	require.Equal(t, 77, n.changed("a", 5))
	require.Zero(t, n.changed("a", 5))
	n.gone("a")
	require.Zero(t, n.changed("a", 0))
}
