package grid_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/grid"
)

func TestASegmentIsAWholeNumberOfTheSourcesIntervals(t *testing.T) {
	for _, c := range []struct {
		rate                 codecs.Rational
		interval, step, part int64 // step 0: there is none
	}{
		{codecs.Rational{Num: 25, Den: 1}, 48, 48, 8},
		{codecs.Rational{Num: 25, Den: 1}, 12, 48, 8},
		{codecs.Rational{Num: 25, Den: 1}, 50, 50, 10},
		{codecs.Rational{Num: 25, Den: 1}, 25, 50, 10},
		{codecs.Rational{Num: 25, Den: 1}, 1, 48, 8},
		{codecs.Rational{Num: 25, Den: 1}, 53, 0, 0}, // a prime: no parts
		{codecs.Rational{Num: 25, Den: 1}, 100, 0, 0},
		{codecs.Rational{Num: 30, Den: 1}, 60, 60, 10},
		{codecs.Rational{Num: 30, Den: 1}, 32, 64, 8},
		{codecs.Rational{Num: 30000, Den: 1001}, 30, 60, 10},
		{codecs.Rational{Num: 50, Den: 1}, 100, 100, 20},
		{codecs.Rational{Num: 60, Den: 1}, 240, 0, 0},
	} {
		g, err := grid.ForSource(c.rate, 2*time.Second, 320*time.Millisecond, c.interval, now)
		if c.step == 0 {
			require.Error(t, err, "%v, every %d", c.rate, c.interval)
			continue
		}
		require.NoError(t, err, "%v, every %d", c.rate, c.interval)
		require.Equal(t, [2]int64{c.step, c.part}, [2]int64{g.StepFrames, g.PartFrames}, "%v, every %d", c.rate, c.interval)
		require.NoError(t, g.Validate())
	}
	for _, interval := range []int64{-1, 0, 10_001} {
		_, err := grid.ForSource(codecs.Rational{Num: 25, Den: 1}, 2*time.Second, 320*time.Millisecond, interval, now)
		require.Error(t, err)
	}
}

func TestAShiftedGridHasItsFramesAtTheSameTimes(t *testing.T) {
	for _, rate := range []codecs.Rational{{Num: 25, Den: 1}, {Num: 30000, Den: 1001}, {Num: 24, Den: 1}, {Num: 60, Den: 1}} {
		g := mustGrid(t, rate)
		for _, by := range []int64{0, 1, 7, g.StepFrames - 1} {
			s := g.Shifted(by)
			k := g.FrameAt(now)
			require.Equal(t, g.FrameTime(k), s.FrameTime(k-by))
			require.Equal(t, k-by, s.FrameAt(g.FrameTime(k)))
		}
	}
}
