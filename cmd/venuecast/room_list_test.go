package main

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/capacity"
	"github.com/venuecast/venuecast/pipeline/fleet"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/transport/bus"
	"github.com/venuecast/venuecast/transport/metrics"
)

// newTestRoom returns a room on a bus of its own, where the ingest called here has one feed, and that feed.
func newTestRoom(t *testing.T) (r *room, ingests *bus.Registry, feed pipeline.Feed, epoch uint64) {
	t.Helper()
	_, registry := openTestBus(t)
	ingests, err := registry.Ingests(t.Context())
	require.NoError(t, err)
	g, err := grid.New(codecs.NewRational(25, 1), 2*time.Second, 320*time.Millisecond, codecs.TicksAt(time.Now()))
	require.NoError(t, err)
	feed = pipeline.Feed{ID: "hall", Grid: g, Ladder: ladder.Ladder{Video: []ladder.Video{{Name: "v", Width: 1000, Height: 1000, Divisor: 1}}}}
	_, _, err = registry.PutFeed(t.Context(), feed)
	require.NoError(t, err)
	a, err := ingests.TakeOver(t.Context(), "hall", "here", 0)
	require.NoError(t, err)

	account, err := capacity.New(capacity.Options{Rate: 50e6, Processors: 1})
	require.NoError(t, err)
	return &room{
		registry: registry, account: account, worker: metrics.NewWorker(prometheus.NewRegistry()),
		feeds: map[string]pipeline.Feed{}, begun: map[string]begun{}, running: map[string]spent{}, mine: map[string]bool{},
		guard: &guard{retired: map[string]bool{}, log: slog.New(slog.DiscardHandler)},
	}, ingests, feed, a.Epoch
}

// requireListed requires what the room lists.
func requireListed(ctx context.Context, t *testing.T, r *room, there, retired []string) {
	t.Helper()
	ids, gone, err := r.list(ctx)
	require.NoError(t, err)
	require.Equal(t, there, ids)
	require.ElementsMatch(t, retired, gone)
}

func TestAFeedThatIsDescribedOtherwiseIsRunAnewButNotForItsPriority(t *testing.T) {
	r, _, feed, _ := newTestRoom(t)
	requireListed(t.Context(), t, r, []string{"hall"}, nil)
	r.runner = runnerFunc(func(ctx context.Context, _ fleet.Assignment) error {
		feed.Priority = 5
		require.NoError(t, r.registry.ReplaceFeed(ctx, feed))
		requireListed(ctx, t, r, []string{"hall"}, nil)
		require.NoError(t, ctx.Err())
		require.Equal(t, 5, r.feed("hall").Priority)

		feed.Ladder.Video[0].Height = 500
		require.NoError(t, r.registry.ReplaceFeed(ctx, feed))
		requireListed(ctx, t, r, []string{"hall"}, nil)
		require.ErrorIs(t, context.Cause(ctx), errRedefined)
		return context.Cause(ctx)
	})
	require.ErrorIs(t, r.Run(t.Context(), fleet.Assignment{Feed: "hall"}), errRedefined)
	require.NoError(t, r.admit("hall"), "its room is its own still")
	require.Empty(t, r.begun)
}

func TestTermsAreWrittenToTheFeedThatIsThere(t *testing.T) {
	r, _, feed, _ := newTestRoom(t)
	now := new(atomic.Pointer[terms])
	now.Store(&terms{priority: 3, dvr: 2 * time.Hour})
	s := store{r.registry, now}
	got, known, err := s.Feed(t.Context(), "hall")
	require.NoError(t, err)
	require.True(t, known)
	require.Equal(t, feed.Grid, got.Grid)
	stored, err := r.registry.Feed(t.Context(), "hall")
	require.NoError(t, err)
	require.Equal(t, got, stored)
	require.Equal(t, 3, stored.Priority)
	require.Equal(t, []time.Duration{2 * time.Hour, 2 * time.Hour}, []time.Duration{stored.Ladder.DVR, stored.Asked.DVR})
	require.True(t, feed.Asked.Equal(stored.Asked), "it is not made anew for that")
}

func TestARetiredFeedIsListedAsSuchAndForgotten(t *testing.T) {
	r, ingests, feed, epoch := newTestRoom(t)
	requireListed(t.Context(), t, r, []string{"hall"}, nil)
	require.NoError(t, r.admit("hall"))
	require.NoError(t, ingests.Retire(t.Context(), "hall", "here", epoch))
	requireListed(t.Context(), t, r, nil, []string{"hall"})
	r.forget("hall")
	require.Empty(t, r.feed("hall"))
	require.Zero(t, r.account.State().Largest)
	require.True(t, r.guard.retired["hall"])
	requireListed(t.Context(), t, r, nil, []string{"hall"})

	_, created, err := r.registry.PutFeed(t.Context(), feed)
	require.NoError(t, err)
	require.True(t, created)
	requireListed(t.Context(), t, r, []string{"hall"}, nil)
	require.True(t, r.gone(t.Context(), "other"))
	require.False(t, r.gone(t.Context(), "hall"), "a listing that is old changes nothing")
}
