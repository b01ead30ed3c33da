package timeline_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/timeline"
)

func times(rate float64, n int, jitter codecs.Ticks) []codecs.Ticks {
	r := noise()
	pts := make([]codecs.Ticks, n)
	for i := range pts {
		pts[i] = start + codecs.Ticks(float64(i)*codecs.TicksPerSecond/rate) + codecs.Ticks(r.Int64N(int64(2*jitter+1))) - jitter
	}
	return pts
}

func TestStandardRatesAreFound(t *testing.T) {
	for _, s := range []string{
		"5", "6", "8", "10", "12", "12.5", "15", "20", "23.976", "24", "25", "29.97", "30", "48", "50", "59.94", "60",
	} {
		t.Run(s, func(t *testing.T) {
			rate, err := codecs.ParseRational(s)
			require.NoError(t, err)
			for _, c := range []struct {
				n      int
				jitter codecs.Ticks
			}{{20, 0}, {40, milli / 10}, {150, milli}} {
				pts := times(rate.Float(), c.n+1, c.jitter)
				pts = slices.Delete(pts, 7, 8) // one is missing, the others come in any order
				rand.New(rand.NewPCG(3, 4)).Shuffle(len(pts), func(i, j int) { pts[i], pts[j] = pts[j], pts[i] })
				got, ok := timeline.EstimateRate(pts)
				require.True(t, ok, "%+v", c)
				require.Equal(t, rate, got, "%+v", c)
			}
		})
	}
}

func TestWhatJitterHidesIsTakenForTheWholeRate(t *testing.T) {
	got, ok := timeline.EstimateRate(times(25, 25, 8*milli))
	require.True(t, ok)
	require.Equal(t, codecs.Rational{Num: 25, Den: 1}, got)
	got, ok = timeline.EstimateRate(times(29.97, 25, 5*milli))
	require.True(t, ok)
	require.Equal(t, codecs.Rational{Num: 30, Den: 1}, got)
}

func TestWhatIsNoStandardRateIsNotTakenForOne(t *testing.T) {
	r := noise()
	variable := []codecs.Ticks{start}
	for i := range 100 {
		variable = append(variable, variable[i]+codecs.Ticks(1000+r.Int64N(20000)))
	}
	for name, pts := range map[string][]codecs.Ticks{
		"too few":      times(25, 19, 0),
		"between":      times(14, 100, 0),
		"too fast":     times(120, 100, 0),
		"all the same": make([]codecs.Ticks, 100),
		"variable":     variable,
	} {
		_, ok := timeline.EstimateRate(pts)
		require.False(t, ok, name)
	}
}
