package main

import (
	"context"
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
	"github.com/venuecast/venuecast/transport/metrics"
)

type runnerFunc func(context.Context, fleet.Assignment) error

func (f runnerFunc) Run(ctx context.Context, a fleet.Assignment) error { return f(ctx, a) }

func TestAFeedTakesRoomWhileItRunsAndItsCostIsLearnt(t *testing.T) {
	account, err := capacity.New(capacity.Options{Rate: 50e6, Processors: 1})
	require.NoError(t, err)
	said := map[string]float64{}
	r := &room{
		account: account, worker: metrics.NewWorker(prometheus.NewRegistry()), running: map[string]spent{}, begun: map[string]begun{},
		value: func(_, name string) float64 { return said[name] },
		media: func(string, string) map[string]float64 {
			return map[string]float64{"v": said["media"], "sound": said["media"]}
		},
		encoders: func(string) map[string]string { return nil },
		feeds:    map[string]pipeline.Feed{}, mine: map[string]bool{}, guard: &guard{},
	}
	for _, id := range []string{"a", "b"} {
		r.feeds[id] = pipeline.Feed{
			ID: id, Grid: grid.Grid{FrameRate: codecs.Rational{Num: 25, Den: 1}},
			Ladder: ladder.Ladder{Video: []ladder.Video{{Name: "v", Width: 1000, Height: 1000}}, Audio: []ladder.Audio{{}}},
		}
	}
	start := time.Unix(1000, 0)
	r.runner = runnerFunc(func(context.Context, fleet.Assignment) error {
		require.Error(t, r.admit("b"), "25 of 42 Mpixel/s are in use")
		for i := range 100 { // half of what was calibrated: a quarter of a processor's time for each second
			now := float64(i * 10)
			said["process_cpu_seconds_total"], said["media"] = now/4, now
			r.measure(start.Add(time.Duration(i) * 10 * time.Second))
		}
		require.NoError(t, r.admit("b"), "25 of 85 Mpixel/s are in use")
		return pipeline.ErrFenced
	})
	require.NoError(t, r.admit("a"))
	require.ErrorIs(t, r.Run(t.Context(), fleet.Assignment{Feed: "a"}), pipeline.ErrFenced)
	require.Zero(t, account.State().Feeds)
	r.show()
}

// A ladder that names a card's encoder weighs a quarter; where the card refuses, what it weighs on the processor counts, and the
// next feed is refused.
func TestCapacityIsThatOfTheEncodersThatOpened(t *testing.T) {
	account, err := capacity.New(capacity.Options{Rate: 50e6, Processors: 1})
	require.NoError(t, err)
	encoder := map[string]string{}
	r := &room{
		account: account, running: map[string]spent{"a": {}}, guard: &guard{}, mine: map[string]bool{},
		value:    func(string, string) float64 { return 0 },
		media:    func(string, string) map[string]float64 { return nil },
		encoders: func(string) map[string]string { return encoder },
		feeds:    map[string]pipeline.Feed{},
	}
	for _, id := range []string{"a", "b"} {
		r.feeds[id] = pipeline.Feed{
			ID: id, Grid: grid.Grid{FrameRate: codecs.Rational{Num: 25, Den: 1}},
			Ladder: ladder.Ladder{Video: []ladder.Video{{Name: "v", Width: 1280, Height: 1000, Encoder: "h264_nvenc"}}},
		}
	}
	account.Begin(r.feeds["a"])
	r.measure(time.Unix(1000, 0))
	require.InDelta(t, 8e6, account.State().Used, 1)
	require.NoError(t, r.admit("b"))
	encoder["v"] = "libx264"
	r.measure(time.Unix(1005, 0))
	require.InDelta(t, 32e6, account.State().Used, 1)
	r.feeds["b"].Ladder.Video[0].Encoder = ""
	require.ErrorContains(t, r.admit("b"), "it needs 32 Mpixel/s, 10 Mpixel/s of")
}
