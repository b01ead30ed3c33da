//go:build cgo

package main

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/cmd/internal/watch"
	"github.com/venuecast/venuecast/pipeline"
)

// watchFor is how long ladders are watched.
const watchFor = 26 * time.Second

// TestCamerasThatOthersWroteBecomeLadders runs RTSP servers nobody here wrote, venuecast serve as a process of its own,
// and players nobody here wrote.
func TestCamerasThatOthersWroteBecomeLadders(t *testing.T) {
	modules := installPlayers(t)
	needTool(t, "chromium")
	open := startGStreamer(t, "", "",
		"pcma="+picture+"audiotestsrc is-live=true wave=ticks ! audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay name=pay1 pt=8")
	guarded := startGStreamer(t, "admin", "S3cret@venue",
		"aac="+picture+"audiotestsrc is-live=true wave=ticks ! audio/x-raw,rate=48000,channels=2 ! audioconvert ! voaacenc ! aacparse ! rtpmp4gpay name=pay1 pt=97")
	vlc := startVLC(t, "h264-bframes-2997.mp4")

	origin := startServe(t,
		feedLine("gst-aac", "rtsp://admin:S3cret%40venue@"+guarded+"/aac", "tcp"),
		feedLine("gst-pcma", "rtsp://"+open+"/pcma", "udp"),
		feedLine("vlc", vlc, "udp"),
	)
	feeds := []string{"gst-aac", "gst-pcma", "vlc"}
	for _, feed := range feeds {
		awaitFeed(t, liveURL(origin, feed), 40*time.Second)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	var stages []pipeline.Stage
	watchers := map[string]*watch.Watcher{}
	for _, feed := range feeds {
		w := watch.New(watch.Options{URL: liveURL(origin, feed)})
		watchers[feed] = w
		stages = append(stages, limited(w, watchFor))
	}
	reader := &gohlslibReader{url: liveURL(origin, "gst-aac"), limit: 12 * time.Second}
	results := map[string]played{}
	// One browser at a time: two of them take a processor core each.
	browser := pipeline.Func("hls.js", func(ctx context.Context) (err error) {
		for _, feed := range []string{"gst-aac", "vlc"} {
			// A player on a machine that is short of processors may stumble by itself; over what we serve it does so twice.
			for range 2 {
				if results[feed], err = play(ctx, modules, liveURL(origin, feed), 20*time.Second); err != nil {
					return err
				}
				if results[feed].clean() {
					break
				}
				t.Logf("%s in hls.js: %+v; load average of the machine: %s", feed, results[feed], loadAverage())
			}
		}
		return nil
	})
	require.NoError(t, pipeline.Run(ctx, append(stages, reader, browser)...))

	for _, feed := range feeds {
		t.Run(feed+" keeps every promise", func(t *testing.T) { requireClean(t, watchers[feed].Report(), watchFor) })
		t.Run(feed+" is read by ffprobe", func(t *testing.T) { requireProbed(t, origin, feed) })
	}
	for feed, result := range results {
		t.Run(feed+" plays in hls.js", func(t *testing.T) {
			t.Logf("%+v; load average of the machine: %s", result, loadAverage())
			require.Empty(t, result.Failure)
			require.Equal(t, 2, result.Levels)
			require.Zero(t, result.Stalls)
		})
	}
	t.Run("gohlslib reads video and audio", func(t *testing.T) {
		require.Nil(t, reader.decodeFailure.Load())
		require.Greater(t, reader.video.Load(), int64(100))
		require.Greater(t, reader.audio.Load(), int64(200))
	})
}

func liveURL(origin, feed string) string { return origin + "live/" + feed + "/index.m3u8" }

// limited ends a stage after a time.
func limited(s pipeline.Stage, d time.Duration) pipeline.Stage {
	return pipeline.Func(s.Name(), func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, d)
		defer cancel()
		return s.Run(ctx)
	})
}

// requireClean requires that a ladder of two video renditions and one of audio broke no rule.
func requireClean(t *testing.T, report watch.Report, d time.Duration) {
	t.Helper()
	t.Logf("\n%s", report)
	require.Len(t, report.Renditions, 3)
	require.Zero(t, report.Total())
	kinds := map[string]int{}
	for _, r := range report.Renditions {
		kinds[r.Kind]++
		require.GreaterOrEqual(t, r.Segments, int64(d/(2200*time.Millisecond))-1, r.Name)
		require.Zero(t, r.MissingSegments, r.Name)
		require.Zero(t, r.Discontinuities, r.Name)
		require.Zero(t, r.Gaps, r.Name)
	}
	require.Equal(t, map[string]int{"video": 2, "audio": 1}, kinds)
}

func requireProbed(t *testing.T, origin, feed string) {
	t.Helper()
	ffprobe := ffTool(t, "ffprobe")
	want := map[string]probed{
		"360p": {Codec: "h264", Width: 640, Height: 360}, "180p": {Codec: "h264", Width: 320, Height: 180},
		"stereo": {Codec: "aac", Rate: "48000"},
	}
	for rendition, expected := range want {
		got, err := probe(t.Context(), ffprobe, origin+"live/"+feed+"/"+rendition+"/index.m3u8")
		require.NoError(t, err)
		require.Equal(t, expected, got, rendition)
	}
}

// TestPlayerScriptSaysWhenNothingPlays proves that the hls.js check can fail.
func TestPlayerScriptSaysWhenNothingPlays(t *testing.T) {
	t.Parallel()
	needTool(t, "chromium")
	result, err := play(t.Context(), installPlayers(t), "http://"+freeAddress(t)+"/index.m3u8", time.Second)
	require.NoError(t, err)
	require.NotEmpty(t, result.Failure)
}
