package transcode

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
)

// ramp returns n samples that carry their own number, as far as a float32 counts, so that a test sees where they end up.
func ramp(first int64, n int) codecs.PCM {
	out := codecs.PCM{make([]float32, n), make([]float32, n)}
	for i := range n {
		v := float32((first + int64(i)) % (1 << 20))
		out[0][i], out[1][i] = v, v
	}
	return out
}

func counted(counts map[string]int64) func(string, int64) {
	return func(reason string, n int64) { counts[reason] += n }
}

func TestSamplesAreGivenOutAtTheirNumbers(t *testing.T) {
	p := newPlacer(counted(map[string]int64{}))
	p.add(1000, ramp(1000, 1024))
	p.add(2024, ramp(2024, 1024))
	_, ok := p.take(2048, 1024)
	require.False(t, ok, "not all there yet")
	got, ok := p.take(1024, 1024)
	require.True(t, ok)
	require.Equal(t, ramp(1024, 1024), got)
}

func TestBeforeTheFirstSampleIsSilenceHoweverFarBefore(t *testing.T) {
	for _, before := range []int64{1, 959, 960, 961, 3840} { // 3840 is Opus's pre-roll
		p := newPlacer(counted(map[string]int64{}))
		p.add(10_000, ramp(10_000, 4800))
		var got []float32
		for from := 10_000 - before; from < 11_000; from += 960 {
			pcm, ok := p.take(from, 960)
			require.True(t, ok)
			got = append(got, pcm[1]...)
		}
		require.Equal(t, make([]float32, before), got[:before])
		require.Equal(t, ramp(10_000, len(got)-int(before))[1], got[before:])
	}
}

func TestJitterOfTimesMovesNoSample(t *testing.T) {
	counts := map[string]int64{}
	p := newPlacer(counted(counts))
	for i := range int64(500) {
		jitter := int64(40 * math.Sin(float64(i)))
		p.add(i*960+jitter, ramp(i*960, 960))
	}
	got, ok := p.take(p.at, 480*960)
	require.True(t, ok)
	for i, v := range got[0] {
		require.Equal(t, float32(i), v)
	}
	require.Empty(t, counts)
}

func TestAHoleIsSilenceAndAnOverlapIsDropped(t *testing.T) {
	counts := map[string]int64{}
	p := newPlacer(counted(counts))
	p.add(0, ramp(0, 4800))
	p.add(9600, ramp(9600, 4800))
	p.add(9600, ramp(9600, 4800))
	got, ok := p.take(0, 14400)
	require.True(t, ok)
	require.Equal(t, float32(4799), got[0][4799])
	require.Zero(t, got[0][4800])
	require.Zero(t, got[0][9599])
	require.Equal(t, float32(9600), got[0][9600])
	require.Equal(t, map[string]int64{reasonSilent: 4800, reasonOverlap: 4800}, counts)
}

func TestAClockThatIs200ppmOffStaysWithinAFrame(t *testing.T) {
	for name, ppm := range map[string]float64{"slow": -200, "fast": 200} {
		t.Run(name, func(t *testing.T) {
			counts := map[string]int64{}
			p := newPlacer(counted(counts))
			pcm := codecs.PCM{make([]float32, 960), make([]float32, 960)}
			for i := range int64(30 * 60 * 50) {
				// The camera's 960 samples take longer or shorter than 20 ms of the feed's timeline.
				at := int64(float64(i*960) * (1 - ppm/1e6))
				p.add(at, pcm)
				require.InDelta(t, at+960, p.end(), 480, "at unit %d", i)
				_, _ = p.take(p.end()-960, 960)
			}
			require.NotZero(t, counts[reasonSlewed])
			require.Zero(t, counts[reasonSilent]+counts[reasonOverlap], "drift is slewed, never cut")
		})
	}
}

func TestSilenceExtendsTheLine(t *testing.T) {
	p := newPlacer(counted(map[string]int64{}))
	p.silence(4800)
	p.silence(9600)
	p.silence(5000)
	_, ok := p.take(8576, 1024)
	require.True(t, ok)
	_, ok = p.take(9600, 1)
	require.False(t, ok)
}
