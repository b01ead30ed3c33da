package origin_test

import (
	"context"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/live"
	"github.com/venuecast/venuecast/transport/origin"
)

// smallVolume returns the folder of a file system of 8 MiB.
func smallVolume(t *testing.T) string {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=8m"); err != nil {
		t.Skipf("a file system to fill cannot be mounted: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, 0)) })
	return dir
}

// flood puts segments [from, to) of about 100 kB, each when the one before is stored.
func flood(t *testing.T, feeds *live.Feeds, from, to int64) *live.Feed {
	feed := testFeed(startOfTest)
	feed.Ladder.DVR = time.Hour
	ctx, stop := context.WithCancel(t.Context())
	var background sync.WaitGroup
	background.Go(func() { _ = feeds.Run(ctx) })
	_, err := feeds.Claim(pipeline.Session{Feed: feed, Epoch: 1})
	require.NoError(t, err)
	f := feeds.Feed("hall")
	require.NoError(t, f.PutInit(1, pipeline.Init{Rendition: "540p", Codecs: "avc1.64001F", Data: []byte("init")}))
	for msn := from; msn < to; msn++ {
		for i := range 6 {
			require.NoError(t, f.PutPart(1, pipeline.Part{
				Rendition: "540p", MSN: msn, Index: i, Duration: 28800, Timescale: 90000, Independent: i == 0, Data: make([]byte, 17_000),
			}))
		}
		require.Eventually(t, func() bool {
			media, err := f.Rendition("540p").Snapshot().Segment(msn)
			return err == nil && media.Close() == nil && media.Bytes == nil
		}, 20*time.Second, time.Millisecond, "it comes from the disk")
	}
	stop()
	background.Wait()
	return f
}

func TestAFullDiskCostsTheOldest(t *testing.T) {
	dir := smallVolume(t)
	disk, clips := openDisk(t, filepath.Join(dir, "dvr")), openDisk(t, filepath.Join(dir, "clips"))
	require.NoError(t, clips.Put("clip.mp4", make([]byte, 1<<20)))
	registry := prometheus.NewRegistry()
	removed, err := origin.StoreRemoved(registry)
	require.NoError(t, err)
	failed := map[string]int{}
	feeds := live.New(live.Options{
		Store: disk, PreferStore: true, StoreFree: 1, StoreRemoved: removed, StoreFailed: func(_, reason string) { failed[reason]++ },
	})
	f := flood(t, feeds, firstMSN, firstMSN+150)
	require.Empty(t, failed)
	require.FileExists(t, filepath.Join(dir, "clips", "clip.mp4"))
	list := string(f.Rendition("540p").Snapshot().Playlist(live.Form{Mode: live.Plain, DVR: true}).Plain)
	listed := int64(strings.Count(list, "#EXTINF"))
	require.Greater(t, listed, int64(30))
	require.Less(t, listed, int64(75))
	for msn := firstMSN + 150 - listed; msn < firstMSN+150; msn++ {
		media, err := f.Rendition("540p").Snapshot().Segment(msn)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, media)
		require.NoError(t, err)
		require.NoError(t, media.Close())
	}
	_, err = origin.New(origin.Options{Feeds: feeds, Token: token, Registerer: registry})
	require.NoError(t, err)
	require.InDelta(t, float64(listed)*1.92, gauge(t, registry, "venuecast_origin_dvr_seconds"), 0.01)
	require.InDelta(t, 3600, gauge(t, registry, "venuecast_origin_dvr_limit_seconds"), 2)
	require.Greater(t, gauge(t, registry, "venuecast_origin_store_bytes"), 5e6)
	free, size, err := disk.Space()
	require.NoError(t, err)
	require.EqualValues(t, 8<<20, size)
	require.Less(t, free, int64(1<<20))
}

func TestADiskSaysThatItIsFull(t *testing.T) {
	disk := openDisk(t, smallVolume(t))
	require.ErrorIs(t, disk.Put("a/b", make([]byte, 9<<20)), live.ErrNoSpace)
	require.NoError(t, disk.Put("a/b", make([]byte, 1<<20)))
}
