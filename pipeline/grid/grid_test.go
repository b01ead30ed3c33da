package grid_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/grid"
)

var now = codecs.TicksAt(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))

func TestStandardGridsAreThoseOfTheDesign(t *testing.T) {
	for _, c := range []struct {
		rate       codecs.Rational
		step, part int64
		partTarget time.Duration
		target     int
	}{
		{codecs.Rational{Num: 25, Den: 1}, 48, 8, 320 * time.Millisecond, 2},
		{codecs.Rational{Num: 50, Den: 1}, 96, 16, 320 * time.Millisecond, 2},
		{codecs.Rational{Num: 30, Den: 1}, 64, 8, 278 * time.Millisecond, 2},
		{codecs.Rational{Num: 60, Den: 1}, 128, 16, 278 * time.Millisecond, 2},
		{codecs.Rational{Num: 24, Den: 1}, 64, 8, 342 * time.Millisecond, 3},
		{codecs.Rational{Num: 30000, Den: 1001}, 60, 10, 342 * time.Millisecond, 2},
		{codecs.Rational{Num: 60000, Den: 1001}, 120, 20, 342 * time.Millisecond, 2},
	} {
		t.Run(c.rate.String(), func(t *testing.T) {
			g, err := grid.New(c.rate, 2*time.Second, 320*time.Millisecond, now)
			require.NoError(t, err)
			require.Equal(t, c.step, g.StepFrames)
			require.Equal(t, c.part, g.PartFrames)
			require.Equal(t, c.partTarget, g.PartTarget())
			require.Equal(t, c.target, g.TargetDuration())
			require.Zero(t, int64(g.Epoch)%(96096*codecs.TicksPerSecond), "feeds of a venue share the epoch")
			require.Positive(t, g.Segment(g.FrameAt(now)))
		})
	}
}

func FuzzGridNumbersAreInverses(f *testing.F) {
	f.Add(int64(25), int64(1), int64(2000), int64(320), int64(123456789))
	f.Add(int64(30000), int64(1001), int64(2000), int64(320), int64(987654321))
	f.Add(int64(60000), int64(1001), int64(4000), int64(1000), int64(5))
	f.Add(int64(25), int64(2), int64(2000), int64(320), int64(77))
	f.Fuzz(func(t *testing.T, num, den, segment, part, k int64) {
		if num < 1 || den < 1 || num > 240000 || den > 1001 || k < 0 || k > 1<<40 {
			t.Skip()
		}
		rate := codecs.NewRational(num, den)
		g, err := grid.New(rate, time.Duration(segment)*time.Millisecond, time.Duration(part)*time.Millisecond, now)
		if err != nil {
			t.Skip()
		}
		require.Equal(t, k, g.FrameAt(g.FrameTime(k)))
		msn, p := g.Segment(k), g.Part(k)
		require.LessOrEqual(t, g.PartFrame(msn, p), k)
		require.Greater(t, g.PartFrame(msn, p+1), k)
		require.Equal(t, g.PartFrame(msn+1, 0), g.PartFrame(msn, g.Parts()))

		for _, samples := range frameLengths {
			j := g.AudioFrame(samples, msn, p)
			gotMSN, gotPart := g.AudioPlace(samples, j)
			if next := g.AudioFrame(samples, msn, p+1); next > j {
				require.Equal(t, [2]int64{msn, int64(p)}, [2]int64{gotMSN, int64(gotPart)})
				require.LessOrEqual(t, time.Duration((next-j)*samples)*time.Second/grid.SampleRate, g.PartTarget(samples))
			}
		}
	})
}
