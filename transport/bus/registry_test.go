package bus

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

func openRegistry(t *testing.T, c *Conn, now func() time.Time) *Registry {
	t.Helper()
	r, err := c.OpenRegistry(limited(t), now)
	require.NoError(t, err)
	return r
}

func feed(t *testing.T, id string, rate int64) pipeline.Feed {
	t.Helper()
	g, err := grid.New(codecs.NewRational(rate, 1), 2*time.Second, 320*time.Millisecond, codecs.TicksAt(time.Unix(1_700_000_000, 0)))
	require.NoError(t, err)
	l := ladder.Ladder{Audio: []ladder.Audio{{Name: "stereo", Bitrate: 128_000}}}
	return pipeline.Feed{ID: id, Grid: g, Ladder: l, Asked: l}
}

func TestTheFirstDescriptionOfAFeedStays(t *testing.T) {
	r := openRegistry(t, local(t), nil)
	stored, created, err := r.PutFeed(limited(t), feed(t, "lobby", 25))
	require.NoError(t, err)
	require.True(t, created)
	require.Equal(t, feed(t, "lobby", 25), stored)
	stored, created, err = r.PutFeed(limited(t), feed(t, "lobby", 50))
	require.NoError(t, err)
	require.False(t, created)
	require.Equal(t, feed(t, "lobby", 25), stored)

	require.NoError(t, r.ReplaceFeed(limited(t), feed(t, "lobby", 50)))
	stored, err = r.Feed(limited(t), "lobby")
	require.NoError(t, err)
	require.Equal(t, feed(t, "lobby", 50), stored)
}

func TestAFeedThatWasDeletedCanBePutAgain(t *testing.T) {
	r := openRegistry(t, local(t), nil)
	_, _, err := r.PutFeed(limited(t), feed(t, "lobby", 25))
	require.NoError(t, err)
	require.NoError(t, r.config.Delete(limited(t), "lobby"))
	_, err = r.Feed(limited(t), "lobby")
	require.ErrorIs(t, err, ErrNotFound)
	_, created, err := r.PutFeed(limited(t), feed(t, "lobby", 50))
	require.NoError(t, err)
	require.True(t, created)
}

func TestConcurrentWritersOfAFeedAgree(t *testing.T) {
	r := openRegistry(t, local(t), nil)
	var stored [8]pipeline.Feed
	var group sync.WaitGroup
	for i := range stored {
		group.Go(func() { stored[i], _, _ = r.PutFeed(limited(t), feed(t, "lobby", int64(20+i))) })
	}
	group.Wait()
	for _, f := range stored {
		require.Equal(t, stored[0], f)
		require.NoError(t, f.Validate())
	}
}

func TestFeedsLeavesOutWhatItCannotRead(t *testing.T) {
	r := openRegistry(t, local(t), nil)
	for _, id := range []string{"b", "a"} {
		_, _, err := r.PutFeed(limited(t), feed(t, id, 25))
		require.NoError(t, err)
	}
	_, err := r.config.Put(limited(t), "broken", []byte("{"))
	require.NoError(t, err)
	other := []byte(`{"id":"other"}`)
	_, err = r.config.Put(limited(t), "invalid", other)
	require.NoError(t, err)
	feeds, _, err := r.Feeds(limited(t))
	require.NoError(t, err)
	require.Equal(t, []pipeline.Feed{feed(t, "a", 25), feed(t, "b", 25)}, feeds)
	_, _, err = r.PutFeed(limited(t), pipeline.Feed{ID: "a.b"})
	require.Error(t, err)
}

func TestWatchFeedsTellsEachChangeOnce(t *testing.T) {
	r := openRegistry(t, local(t), nil)
	ctx, cancel := context.WithCancel(limited(t))
	seen, done := make(chan []pipeline.Feed, 16), make(chan error, 1)
	go func() { done <- r.WatchFeeds(ctx, func(f []pipeline.Feed) { seen <- f }) }()
	require.Empty(t, <-seen)
	_, _, err := r.PutFeed(ctx, feed(t, "a", 25))
	require.NoError(t, err)
	require.Equal(t, []pipeline.Feed{feed(t, "a", 25)}, <-seen)
	require.NoError(t, r.ReplaceFeed(ctx, feed(t, "a", 25))) // the same
	require.NoError(t, r.ReplaceFeed(ctx, feed(t, "a", 50)))
	require.Equal(t, []pipeline.Feed{feed(t, "a", 50)}, <-seen)
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	require.Empty(t, seen)
}

func TestOneWorkerWinsATakeover(t *testing.T) {
	r := openRegistry(t, local(t), nil)
	var won [8]error
	var group sync.WaitGroup
	for i := range won {
		group.Go(func() { _, won[i] = r.TakeOver(limited(t), "lobby", string(rune('a'+i)), 0) })
	}
	group.Wait()
	winners := 0
	for _, err := range won {
		if err == nil {
			winners++
			continue
		}
		require.ErrorIs(t, err, pipeline.ErrFenced)
	}
	require.Equal(t, 1, winners)
}

func TestAReleasedFeedIsNobodysUnlessAnotherHasIt(t *testing.T) {
	r := openRegistry(t, local(t), nil)
	mine, err := r.TakeOver(limited(t), "lobby", "w1", 0)
	require.NoError(t, err)
	_, err = r.Checkpoint(limited(t), "lobby", mine) // moves the revision
	require.NoError(t, err)
	require.NoError(t, r.Release(limited(t), "lobby", "w1", mine.Epoch))
	free, err := r.Assignment(limited(t), "lobby")
	require.NoError(t, err)
	require.Empty(t, free.Owner)
	theirs, err := r.TakeOver(limited(t), "lobby", "w2", free.Revision)
	require.NoError(t, err)
	require.Greater(t, theirs.Epoch, mine.Epoch)
	require.ErrorIs(t, r.Release(limited(t), "lobby", "w1", mine.Epoch), pipeline.ErrFenced)
}

func TestTheEpochGrowsEvenWhenTheClockGoesBack(t *testing.T) {
	now := time.UnixMilli(5000)
	r := openRegistry(t, local(t), func() time.Time { return now })
	a, err := r.Assignment(limited(t), "lobby")
	require.NoError(t, err)
	require.Equal(t, Assignment{}, a)
	a, err = r.TakeOver(limited(t), "lobby", "w1", a.Revision)
	require.NoError(t, err)
	require.Equal(t, uint64(5000), a.Epoch)
	now = time.UnixMilli(1000)
	b, err := r.TakeOver(limited(t), "lobby", "w2", a.Revision)
	require.NoError(t, err)
	require.Equal(t, uint64(5001), b.Epoch)
}

func TestASuccessorResumesAtTheCheckpoint(t *testing.T) {
	r := openRegistry(t, local(t), nil)
	a, err := r.TakeOver(limited(t), "lobby", "w1", 0)
	require.NoError(t, err)
	a.Seq, a.MSN = 77, 12
	a, err = r.Checkpoint(limited(t), "lobby", a)
	require.NoError(t, err)
	b, err := r.TakeOver(limited(t), "lobby", "w2", a.Revision)
	require.NoError(t, err)
	require.Equal(t, uint64(77), b.Seq)
	require.Equal(t, int64(12), b.MSN)
	require.Greater(t, b.Epoch, a.Epoch)
	_, err = r.Checkpoint(limited(t), "lobby", a)
	require.ErrorIs(t, err, pipeline.ErrFenced)
}

func TestACheckpointWhoseAnswerWasLostIsNotAFence(t *testing.T) {
	r := openRegistry(t, local(t), nil)
	a, err := r.TakeOver(limited(t), "lobby", "w1", 0)
	require.NoError(t, err)
	_, err = r.Checkpoint(limited(t), "lobby", a) // its answer, with the new revision, is not taken
	require.NoError(t, err)
	a.Seq = 9
	a, err = r.Checkpoint(limited(t), "lobby", a)
	require.NoError(t, err)
	now, err := r.Assignment(limited(t), "lobby")
	require.NoError(t, err)
	require.Equal(t, a, now)
}

func TestTheRegistryOutlivesAKilledServer(t *testing.T) {
	server := startServerProcess(t)
	r := openRegistry(t, connect(t, Options{URL: server.url}), nil)
	a, err := r.TakeOver(limited(t), "lobby", "w1", 0)
	require.NoError(t, err)
	server.kill()
	server.start()
	until(t, "the registry", func() bool {
		now, err := r.Assignment(limited(t), "lobby")
		return err == nil && now == a
	})
}
