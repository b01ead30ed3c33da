package live_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/live"
)

// From the arrival of a part until 2000 waiting clients have the playlist that lists it, rendered once.
func BenchmarkAPartWakes2000Clients(b *testing.B) {
	feeds := live.New(live.Options{})
	_, err := feeds.Claim(pipeline.Session{Feed: testFeed(), Epoch: 1})
	require.NoError(b, err)
	feed := feeds.Feed("hall")
	require.NoError(b, feed.PutInit(1, pipeline.Init{Rendition: "540p", Codecs: "avc1.64001F", Data: []byte("init")}))
	r := feed.Rendition("540p")
	next := pipeline.Position{MSN: firstMSN}
	for b.Loop() {
		b.StopTimer()
		var ready, done sync.WaitGroup
		for range 2000 {
			ready.Add(1)
			done.Go(func() {
				ready.Done()
				snap, err := r.Wait(b.Context(), next)
				if err != nil || len(snap.Playlist(live.Form{}).Gzip()) == 0 {
					b.Error("woken without a playlist")
				}
			})
		}
		ready.Wait()
		b.StartTimer()
		require.NoError(b, feed.PutPart(1, newPart("540p", next.MSN, next.Part)))
		done.Wait()
		b.StopTimer()
		next.Part++
		if next.Part == 6 {
			next = pipeline.Position{MSN: next.MSN + 1}
		}
		b.StartTimer()
	}
}

// codings are the forms in which a playlist is sent.
var codings = []struct {
	name string
	of   func(live.Text) []byte
}{
	{"plain", func(t live.Text) []byte { return t.Plain }},
	{"gzip", live.Text.Gzip},
	{"zstd", live.Text.Zstd},
}

// A part of a window that is full, and the low-latency playlist that lists it, whole and as a delta update.
func BenchmarkPartAndPlaylist(b *testing.B) {
	feeds := live.New(live.Options{})
	_, err := feeds.Claim(pipeline.Session{Feed: testFeed(), Epoch: 1})
	require.NoError(b, err)
	f := feeds.Feed("hall")
	require.NoError(b, f.PutInit(1, pipeline.Init{Rendition: "540p", Codecs: "avc1.64001F", Data: []byte("init")}))
	parts := 0
	put := func() {
		require.NoError(b, f.PutPart(1, newPart("540p", firstMSN+int64(parts/6), parts%6)))
		parts++
	}
	for range 6 * 30 {
		put()
	}
	for _, mode := range []live.Mode{live.Full, live.Delta} {
		for _, coding := range codings {
			b.Run(fmt.Sprintf("%v/%s", map[live.Mode]string{live.Full: "full", live.Delta: "delta"}[mode], coding.name), func(b *testing.B) {
				size := 0
				b.ReportAllocs()
				for b.Loop() {
					put()
					size = len(coding.of(f.Rendition("540p").Snapshot().Playlist(live.Form{Mode: mode})))
				}
				b.ReportMetric(float64(size), "bytes/playlist")
			})
		}
	}
}

// A segment and the playlist of four hours that lists it, which is put together from pages.
func BenchmarkPlaylistOfFourHours(b *testing.B) {
	feed := dvrFeed(4 * time.Hour)
	feeds := live.New(live.Options{Window: 4 * time.Hour})
	_, err := feeds.Claim(pipeline.Session{Feed: feed, Epoch: 1})
	require.NoError(b, err)
	f := feeds.Feed("hall")
	require.NoError(b, f.PutInit(1, pipeline.Init{Rendition: "sound", Codecs: "mp4a.40.2", Data: []byte("init")}))
	put := func(msn int64) {
		for i := range 6 {
			require.NoError(b, f.PutPart(1, newPart("sound", msn, i)))
		}
	}
	msn := int64(firstMSN)
	for ; msn < firstMSN+7500; msn++ {
		put(msn)
	}
	for _, coding := range codings {
		b.Run(coding.name, func(b *testing.B) {
			size := 0
			for b.Loop() {
				put(msn)
				msn++
				size = len(coding.of(f.Rendition("sound").Snapshot().Playlist(live.Form{DVR: true})))
			}
			b.ReportMetric(float64(size), "bytes/playlist")
		})
	}
	require.Contains(b, fmt.Sprint(f.State()), fmt.Sprint(msn))
}
