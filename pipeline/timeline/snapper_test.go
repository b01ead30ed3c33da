package timeline_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/timeline"
)

// snapRate snaps n pictures of a source of the given rate, and returns the frames.
func snapRate(s *timeline.Snapper, rate float64, n int, phase codecs.Ticks, jitter func() codecs.Ticks) []int64 {
	frames := make([]int64, n)
	for i := range frames {
		frames[i] = s.Snap(start + phase + codecs.Ticks(float64(i)*codecs.TicksPerSecond/rate) + jitter())
	}
	return frames
}

func noJitter() codecs.Ticks { return 0 }

func TestSourceAtTheGridsRateKeepsEveryFrame(t *testing.T) {
	const frame = second / 25
	for _, c := range []struct {
		jitter codecs.Ticks
		from   int // units until the phase is found
	}{{0, 0}, {frame / 20, 50}, {frame / 5, 50}, {frame / 4, 50}} {
		for phase := codecs.Ticks(0); phase < frame; phase += frame / 20 {
			r := noise()
			jitter := func() codecs.Ticks { return codecs.Ticks(r.Int64N(2*int64(c.jitter)+1)) - c.jitter }
			frames := snapRate(timeline.NewSnapper(grid25), 25, 5000, phase, jitter)[c.from:]
			for i, k := range frames {
				require.Equal(t, frames[0]+int64(i), k, "phase %d, jitter %d", phase, c.jitter)
			}
		}
	}
}

func TestPhaseIsFoundAnewAfterASilence(t *testing.T) {
	r := noise()
	jitter := func() codecs.Ticks { return codecs.Ticks(r.Int64N(801)) - 400 }
	for range 20 {
		s := timeline.NewSnapper(grid25)
		snapRate(s, 25, 100, 0, noJitter)
		frames := snapRate(s, 25, 100, 60*second+second/50, jitter)
		for i, k := range frames {
			require.Equal(t, frames[0]+int64(i), k)
		}
		require.Zero(t, s.Stats().Doubled)
	}
}

func TestSlowDriftDoublesOrSkipsSingleFrames(t *testing.T) {
	for _, c := range []struct {
		rate     float64
		expected timeline.SnapStats // in 100000 pictures
	}{
		{25.0003, timeline.SnapStats{Doubled: 1}},
		{24.9997, timeline.SnapStats{Skipped: 1}},
		{25.0025, timeline.SnapStats{Doubled: 10}},
		{24.9975, timeline.SnapStats{Skipped: 10}},
	} {
		r := noise()
		s := timeline.NewSnapper(grid25)
		frames := snapRate(s, c.rate, 100_000, 0, func() codecs.Ticks { return codecs.Ticks(r.Int64N(900)) })
		require.InDelta(t, c.expected.Doubled, s.Stats().Doubled, 1, "%v", c.rate)
		require.InDelta(t, c.expected.Skipped, s.Stats().Skipped, 1, "%v", c.rate)
		require.Positive(t, s.Stats().Doubled+s.Stats().Skipped)
		require.True(t, slices.IsSorted(frames))
	}
}

func TestSourcesOfOtherRatesFallOnTheNearestFrames(t *testing.T) {
	for _, c := range []struct {
		source           float64
		grid             codecs.Rational
		doubled, skipped int // in 3000 pictures
	}{
		{30, codecs.Rational{Num: 25, Den: 1}, 500, 0},
		{12.5, codecs.Rational{Num: 25, Den: 1}, 0, 3000},
		{15, codecs.Rational{Num: 30, Den: 1}, 0, 3000},
		{30000.0 / 1001, codecs.Rational{Num: 30, Den: 1}, 0, 3},
		{30, codecs.Rational{Num: 30000, Den: 1001}, 3, 0},
		{60, codecs.Rational{Num: 30, Den: 1}, 1500, 0},
		{24, codecs.Rational{Num: 30, Den: 1}, 0, 750},
	} {
		g := mustGrid(c.grid)
		s := timeline.NewSnapper(g)
		frames := snapRate(s, c.source, 3000, 0, noJitter)
		require.InDelta(t, c.doubled, s.Stats().Doubled, 2, "%v on %v", c.source, c.grid)
		require.InDelta(t, c.skipped, s.Stats().Skipped, 65, "%v on %v: what is in the window is not counted yet", c.source, c.grid)
		for i, k := range frames {
			pts := start + codecs.Ticks(float64(i)*codecs.TicksPerSecond/c.source)
			require.InDelta(t, int64(pts), int64(g.FrameTime(k)), 1.3*float64(g.FrameDuration()))
		}
	}
}

func TestVariableRateFallsOnTheNearestFrames(t *testing.T) {
	r := noise()
	s := timeline.NewSnapper(grid25)
	pts := start
	for range 5000 {
		pts += codecs.Ticks(r.Int64N(int64(second / 5)))
		require.InDelta(t, int64(pts), int64(grid25.FrameTime(s.Snap(pts))), 1.3*float64(second/25))
	}
}

func TestSnapperCountsWhatItDoubles(t *testing.T) {
	s := timeline.NewSnapper(grid25)
	k := s.Snap(start)
	require.Equal(t, k, s.Snap(start+1))
	require.Equal(t, timeline.SnapStats{Doubled: 1}, s.Stats())
	require.Equal(t, k+1000, s.Snap(start+40*second))
	require.Equal(t, k, s.Snap(start))
	require.Equal(t, timeline.SnapStats{Doubled: 2, Skipped: 936}, s.Stats(), "63 frames may still come")
}
