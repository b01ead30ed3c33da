//go:build cgo

package main

import (
	"context"
	"flag"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/cmd/internal/watch"
	"github.com/venuecast/venuecast/cmd/internal/watch/frames"
)

var demoTime = flag.Duration("demo-time", 30*time.Second, "how long TestDemoShowsEveryFrameOnceInOrderAndInTime watches")

const (
	demoFrame = 40 * time.Millisecond
	// dateLimit is how far PROGRAM-DATE-TIME may be off the time of capture.
	dateLimit = 100 * time.Millisecond
)

func TestDemoShowsEveryFrameOnceInOrderAndInTime(t *testing.T) {
	demo := startVenuecast(t, "demo", "--origin", "127.0.0.1:0", "--metrics", "127.0.0.1:0")
	origin := demo.await(t, `venuecast is ready.* url=(\S+)`, 30*time.Second)
	awaitFeed(t, liveURL(origin, "camera-1"), 30*time.Second)

	w := watch.New(watch.Options{URL: liveURL(origin, "camera-1"), Keep: 256 << 20})
	ctx, cancel := context.WithTimeout(t.Context(), *demoTime)
	defer cancel()
	require.NoError(t, w.Run(ctx))

	requireClean(t, w.Report(), *demoTime)
	sound, err := w.Recording("stereo")
	require.NoError(t, err)
	beeps, err := frames.Beeps(sound)
	require.NoError(t, err)
	for _, rendition := range []string{"720p", "360p"} {
		t.Run(rendition, func(t *testing.T) {
			recording, err := w.Recording(rendition)
			require.NoError(t, err)
			pictures, err := frames.Video(recording)
			require.NoError(t, err)
			requireFrames(t, frames.Check(pictures, beeps, frames.CheckOptions{}), *demoTime)
			_, err = probe(t.Context(), ffTool(t, "ffprobe"), origin+"live/camera-1/"+rendition+"/index.m3u8")
			require.NoError(t, err)
		})
	}
}

func requireFrames(t *testing.T, s frames.Summary, d time.Duration) {
	t.Helper()
	t.Log(s)
	require.True(t, s.InOrder(), s)
	require.GreaterOrEqual(t, s.Frames, int((d-4*time.Second)/demoFrame))
	require.LessOrEqual(t, s.DateMax, dateLimit.Seconds())
	require.GreaterOrEqual(t, s.Beeps, int((d-5*time.Second)/time.Second))
	require.LessOrEqual(t, s.SoundMax, demoFrame.Seconds())
}
