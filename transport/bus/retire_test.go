package bus

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
)

// openIngests returns the registry of a test's ingests.
func openIngests(t *testing.T, c *Conn) *Registry {
	t.Helper()
	r, err := openRegistry(t, c, nil).Ingests(limited(t))
	require.NoError(t, err)
	return r
}

// take has an ingest take in feeds: each is its own, described, and has a stream.
func take(t *testing.T, r *Registry, ingest string, feeds ...string) (epoch uint64) {
	t.Helper()
	for _, id := range feeds {
		before, err := r.Assignment(limited(t), id)
		require.NoError(t, err)
		a, err := r.TakeOver(limited(t), id, ingest, before.Revision)
		require.NoError(t, err)
		_, _, err = r.PutFeed(limited(t), feed(t, id, 25))
		require.NoError(t, err)
		require.NoError(t, r.conn.EnsureFeed(limited(t), id, 0))
		epoch = a.Epoch
	}
	return epoch
}

func (r *Registry) hasStream(t *testing.T, feed string) bool {
	t.Helper()
	_, err := r.conn.js.Stream(limited(t), streamName(feed))
	if err != nil {
		require.ErrorIs(t, err, jetstream.ErrStreamNotFound)
	}
	return err == nil
}

// requireFeeds requires what a worker finds listed.
func requireFeeds(t *testing.T, r *Registry, there, retired []string) {
	t.Helper()
	feeds, gone, err := r.Feeds(limited(t))
	require.NoError(t, err)
	var ids []string
	for _, f := range feeds {
		ids = append(ids, f.ID)
	}
	require.Equal(t, there, ids)
	require.ElementsMatch(t, retired, gone)
}

func TestARetiredFeedIsListedAsSuchUntilItIsDefinedAgain(t *testing.T) {
	r := openIngests(t, local(t))
	epoch := take(t, r, "i1", "hall", "lobby")
	requireFeeds(t, r, []string{"hall", "lobby"}, nil)

	require.NoError(t, r.Retire(limited(t), "lobby", "i1", epoch))
	requireFeeds(t, r, []string{"hall"}, []string{"lobby"})
	_, err := r.Feed(limited(t), "lobby")
	require.ErrorIs(t, err, ErrNotFound)
	require.False(t, r.hasStream(t, "lobby"), "its room on the disk is free")
	require.True(t, r.hasStream(t, "hall"))
	free, err := r.Assignment(limited(t), "lobby")
	require.NoError(t, err)
	require.Empty(t, free.Owner)

	require.Greater(t, take(t, r, "i2", "lobby"), epoch)
	requireFeeds(t, r, []string{"hall", "lobby"}, nil)
	require.True(t, r.hasStream(t, "lobby"))
}

func TestAFeedOfAnotherIngestIsNotRetired(t *testing.T) {
	r := openIngests(t, local(t))
	old := take(t, r, "i1", "lobby")
	take(t, r, "i2", "lobby")
	for _, c := range []struct {
		ingest string
		epoch  uint64
	}{{"i1", old}, {"i3", old}, {"i2", old}} {
		require.ErrorIs(t, r.Retire(limited(t), "lobby", c.ingest, c.epoch), pipeline.ErrFenced, "%+v", c)
	}
	requireFeeds(t, r, []string{"lobby"}, nil)
	require.True(t, r.hasStream(t, "lobby"))
}

func TestARetirementThatWasCutShortIsFinished(t *testing.T) {
	r := openIngests(t, local(t))
	epoch := take(t, r, "i1", "lobby")
	described, err := r.bury(limited(t), "lobby") // and then the process was killed
	require.NoError(t, err)
	require.NotEmpty(t, described)
	require.NoError(t, r.Retire(limited(t), "lobby", "i1", epoch))
	free, err := r.Assignment(limited(t), "lobby")
	require.NoError(t, err)
	require.Empty(t, free.Owner)
	require.False(t, r.hasStream(t, "lobby"))
	require.ErrorIs(t, r.Retire(limited(t), "lobby", "i1", epoch), pipeline.ErrFenced, "it is nobody's now")
}

func TestAnIngestFindsItsOwnFeedsOnly(t *testing.T) {
	r := openIngests(t, local(t))
	take(t, r, "i1", "a", "b")
	take(t, r, "i2", "c")
	for ingest, want := range map[string][]string{"i1": {"a", "b"}, "i2": {"c"}, "i3": nil} {
		ids, err := r.Assigned(limited(t), ingest)
		require.NoError(t, err)
		require.ElementsMatch(t, want, ids, ingest)
	}
	workers := openRegistry(t, r.conn, nil)
	ids, err := workers.Assigned(limited(t), "i1")
	require.NoError(t, err)
	require.Empty(t, ids, "those are assignments of another kind")
}

// Feeds are defined on the grid of their day: a week later the venue's epoch is another. What returns keeps its own.
func TestNumbersOfARetiredFeedGoOnWhenItReturns(t *testing.T) {
	r := openIngests(t, local(t))
	epoch := take(t, r, "i1", "lobby")
	before, err := r.Feed(limited(t), "lobby")
	require.NoError(t, err)
	require.NoError(t, r.Retire(limited(t), "lobby", "i1", epoch))

	later := time.Unix(1_700_000_000, 0).Add(7 * 24 * time.Hour)
	returned := before
	returned.Grid, err = grid.New(codecs.NewRational(25, 1), 2*time.Second, 320*time.Millisecond, codecs.TicksAt(later))
	require.NoError(t, err)
	require.NotEqual(t, before.Grid.Epoch, returned.Grid.Epoch)
	stored, created, err := r.PutFeed(limited(t), returned)
	require.NoError(t, err)
	require.True(t, created)
	require.Equal(t, before, stored)
	number := func(f pipeline.Feed) int64 { return f.Grid.Segment(f.Grid.FrameAt(codecs.TicksAt(later))) }
	require.Equal(t, number(before), number(stored))
}
