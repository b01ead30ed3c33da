package live_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/live"
)

func TestWaitersWakeWithTheirPartAndNotBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, live.Options{})
		b.segments(firstMSN, firstMSN+3)
		r := b.feed.Rendition("540p")
		woken := make(chan pipeline.Position, 200)
		for range 100 {
			for _, want := range []pipeline.Position{{MSN: firstMSN + 3}, {MSN: firstMSN + 3, Part: 1}} {
				go func() {
					snap, err := r.Wait(t.Context(), want)
					if err == nil && want.Less(snap.Next()) {
						woken <- want
					}
				}()
			}
		}
		synctest.Wait()
		require.Empty(t, woken)
		b.part("540p", firstMSN+3, 0)
		synctest.Wait()
		require.Len(t, woken, 100)
		b.part("1080p", firstMSN+3, 0)
		synctest.Wait()
		require.Len(t, woken, 100, "another rendition wakes nobody")
		b.part("540p", firstMSN+3, 1)
		synctest.Wait()
		require.Len(t, woken, 200)
	})
}

func TestWaitingEndsWithItsClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, live.Options{})
		b.segments(firstMSN, firstMSN+3)
		gone := errors.New("client has gone")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 6*time.Second, gone)
		defer cancel()
		before := time.Now()
		_, err := b.feed.Rendition("540p").Wait(ctx, pipeline.Position{MSN: firstMSN + 3})
		require.ErrorIs(t, err, gone)
		require.Equal(t, 6*time.Second, time.Since(before))
	})
}

func TestAnOldPlaceIsThereAtOnce(t *testing.T) {
	b := newBench(t, live.Options{})
	b.segments(firstMSN, firstMSN+3)
	snap, err := b.feed.Rendition("540p").Wait(t.Context(), pipeline.Position{MSN: 5})
	require.NoError(t, err)
	require.Equal(t, pipeline.Position{MSN: firstMSN + 3}, snap.Next())
}

func TestAPlaylistIsRenderedOncePerSnapshot(t *testing.T) {
	b := newBench(t, live.Options{})
	b.segments(firstMSN, firstMSN+3)
	snap := b.feed.Rendition("540p").Snapshot()
	first, second := snap.Playlist(live.Form{}), snap.Playlist(live.Form{})
	require.Same(t, &first.Plain[0], &second.Plain[0])
	require.Same(t, &first.Gzip()[0], &second.Gzip()[0])
	require.Same(t, &first.Zstd()[0], &second.Zstd()[0])
}
