package grid_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/grid"
)

var rates = []codecs.Rational{
	{Num: 5, Den: 1},
	{Num: 25, Den: 2},
	{Num: 15, Den: 1},
	{Num: 24, Den: 1},
	{Num: 24000, Den: 1001},
	{Num: 25, Den: 1},
	{Num: 30, Den: 1},
	{Num: 30000, Den: 1001},
	{Num: 50, Den: 1},
	{Num: 60, Den: 1},
	{Num: 60000, Den: 1001},
}

func mustGrid(t *testing.T, rate codecs.Rational) grid.Grid {
	t.Helper()
	g, err := grid.New(rate, 2*time.Second, 320*time.Millisecond, now)
	require.NoError(t, err)
	return g
}

func TestFramesAndSamplesAreFoundAgainAtTheirTimes(t *testing.T) {
	for _, rate := range rates {
		g := mustGrid(t, rate)
		first := g.FrameAt(now)
		for k := first; k < first+5000; k++ {
			require.Equal(t, k, g.FrameAt(g.FrameTime(k)))
			require.Equal(t, k, g.SampleAt(g.SampleTime(k)))
		}
	}
}

func TestEveryFrameLiesInThePartThatIsToldForIt(t *testing.T) {
	for _, rate := range rates {
		g := mustGrid(t, rate)
		k := g.PartFrame(g.Segment(g.FrameAt(now)), 0)
		for msn := g.Segment(k); msn < g.Segment(k)+20; msn++ {
			for part := range g.Parts() {
				for k := g.PartFrame(msn, part); k < g.PartFrame(msn, part+1); k++ {
					require.Equal(t, msn, g.Segment(k))
					require.Equal(t, part, g.Part(k))
				}
			}
		}
	}
}

// frameLengths are those of AAC and Opus.
var frameLengths = []int64{grid.AudioSamples, 960}

func TestAudioPartsFollowEachOtherWithoutHoleOrOverlap(t *testing.T) {
	for _, rate := range rates {
		for _, samples := range frameLengths {
			t.Run(fmt.Sprintf("%v, frames of %d", rate, samples), func(t *testing.T) { followEachOther(t, mustGrid(t, rate), samples) })
		}
	}
}

func followEachOther(t *testing.T, g grid.Grid, samples int64) {
	msn := g.Segment(g.FrameAt(now))
	j := g.AudioFrame(samples, msn, 0)
	for ; msn < g.Segment(g.FrameAt(now))+50; msn++ {
		segment := time.Duration(0)
		for part := range g.Parts() {
			require.Equal(t, j, g.AudioFrame(samples, msn, part))
			begin := j
			for ; j < g.AudioFrame(samples, msn, part+1); j++ {
				gotMSN, gotPart := g.AudioPlace(samples, j)
				require.Equal(t, msn, gotMSN)
				require.Equal(t, part, gotPart)
			}
			duration := time.Duration(j-begin) * time.Duration(samples) * time.Second / grid.SampleRate
			require.LessOrEqual(t, duration, g.PartTarget(samples))
			segment += duration
		}
		require.LessOrEqual(t, segment.Round(time.Second), time.Duration(g.TargetDuration(samples))*time.Second)
	}
}

func TestFramesOfOpusMakePartTargetLongerOnlyWhereTheyMust(t *testing.T) {
	for _, c := range []struct {
		rate      codecs.Rational
		aac, opus time.Duration
	}{
		{codecs.Rational{Num: 25, Den: 1}, 320 * time.Millisecond, 320 * time.Millisecond}, // 15 frames of AAC, 16 of Opus
		{codecs.Rational{Num: 30, Den: 1}, 278 * time.Millisecond, 280 * time.Millisecond}, // 14 begin within 266.7 ms
		{codecs.Rational{Num: 24, Den: 1}, 342 * time.Millisecond, 342 * time.Millisecond},
		{codecs.Rational{Num: 30000, Den: 1001}, 342 * time.Millisecond, 342 * time.Millisecond},
	} {
		g := mustGrid(t, c.rate)
		require.Equal(t, c.aac, g.PartTarget(), "%v", c.rate)
		require.Equal(t, c.opus, g.PartTarget(960), "%v", c.rate)
		require.Equal(t, g.TargetDuration(), g.TargetDuration(960), "%v", c.rate)
	}
}

func TestAudioAndVideoSegmentsAreEquallyLongWhereTheRateAllows(t *testing.T) {
	for _, rate := range []int64{24, 25, 30, 50, 60} {
		g := mustGrid(t, codecs.Rational{Num: rate, Den: 1})
		msn := g.Segment(g.FrameAt(now))
		audio := time.Duration(g.AudioFrame(grid.AudioSamples, msn+1, 0)-g.AudioFrame(grid.AudioSamples, msn, 0)) * grid.AudioSamples * time.Second / grid.SampleRate
		require.Equal(t, g.Step(), audio, "%d fps", rate)
		require.Equal(t, g.SegmentTime(msn), g.SampleTime(g.AudioFrame(grid.AudioSamples, msn, 0)*grid.AudioSamples), "%d fps", rate)
	}
}

func TestTimescaleHoldsWholeFrames(t *testing.T) {
	for _, rate := range rates {
		timescale, duration := mustGrid(t, rate).Timescale()
		require.Equal(t, rate.Num*int64(duration), rate.Den*int64(timescale), "%v", rate)
	}
}

func TestFeedsOfAVenueShareTheEpochForDecades(t *testing.T) {
	epoch := mustGrid(t, rates[0]).Epoch
	for _, rate := range rates {
		g := mustGrid(t, rate)
		require.Equal(t, epoch, g.Epoch)
		// An exact number of steps since the Unix epoch: Epoch × rate / StepFrames is whole.
		require.Zero(t, int64(g.Epoch)/codecs.TicksPerSecond*rate.Num%(g.StepFrames*rate.Den))
		decades := now + 30*365*86400*codecs.TicksPerSecond
		require.Positive(t, g.Segment(g.FrameAt(decades)))
		require.InDelta(t, 0, float64(g.FrameTime(g.FrameAt(decades))-decades), float64(g.FrameDuration()))
	}
}

func TestGridsFromOutsideAreChecked(t *testing.T) {
	good := mustGrid(t, codecs.Rational{Num: 25, Den: 1})
	require.NoError(t, good.Validate())
	for name, change := range map[string]func(*grid.Grid){
		"no frame rate":        func(g *grid.Grid) { g.FrameRate = codecs.Rational{} },
		"negative frame rate":  func(g *grid.Grid) { g.FrameRate.Num = -25 },
		"a frame in years":     func(g *grid.Grid) { g.FrameRate = codecs.Rational{Num: 1, Den: 1_000_000} },
		"too many frames":      func(g *grid.Grid) { g.FrameRate = codecs.Rational{Num: 1_000_000, Den: 1} },
		"too fine a fraction":  func(g *grid.Grid) { g.FrameRate = codecs.Rational{Num: 25_000_001, Den: 1_000_001} },
		"no step":              func(g *grid.Grid) { g.StepFrames = 0 },
		"a step of hours":      func(g *grid.Grid) { g.StepFrames = 1 << 40 },
		"no part":              func(g *grid.Grid) { g.PartFrames = 0 },
		"parts that do not go": func(g *grid.Grid) { g.PartFrames = 7 },
		"epoch before 1970":    func(g *grid.Grid) { g.Epoch = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			g := good
			change(&g)
			require.Error(t, g.Validate())
		})
	}
}

func TestWhatCannotBeAGridIsRefused(t *testing.T) {
	for _, c := range []struct {
		rate          codecs.Rational
		segment, part time.Duration
	}{
		{codecs.Rational{}, 2 * time.Second, 320 * time.Millisecond},
		{codecs.Rational{Num: 300, Den: 1}, 2 * time.Second, 320 * time.Millisecond},
		{codecs.Rational{Num: 1, Den: 2}, 2 * time.Second, 320 * time.Millisecond},
		{codecs.Rational{Num: 1<<31 - 1, Den: 1<<31 - 2}, 2 * time.Second, 320 * time.Millisecond},
		{codecs.Rational{Num: 25, Den: 1}, 100 * time.Millisecond, 100 * time.Millisecond},
		{codecs.Rational{Num: 25, Den: 1}, time.Minute, 320 * time.Millisecond},
		{codecs.Rational{Num: 25, Den: 1}, 2 * time.Second, 10 * time.Millisecond},
		{codecs.Rational{Num: 25, Den: 1}, 2 * time.Second, 3 * time.Second},
	} {
		_, err := grid.New(c.rate, c.segment, c.part, now)
		require.Error(t, err, "%+v", c)
	}
}

// FuzzGridFromOutsideIsRefusedOrUsable reads grids as they come over HTTP and from the bus.
func FuzzGridFromOutsideIsRefusedOrUsable(f *testing.F) {
	f.Add([]byte(`{"epoch":1,"frame_rate":{"num":25,"den":1},"step_frames":48,"part_frames":8}`), int64(now))
	f.Add([]byte(`{"epoch":0,"frame_rate":{"num":1000000,"den":1},"step_frames":1,"part_frames":1}`), int64(-1<<63))
	f.Add([]byte(`{"epoch":0,"frame_rate":{"num":1,"den":1000000},"step_frames":10000,"part_frames":1}`), int64(1<<63-1))
	f.Fuzz(func(t *testing.T, data []byte, at int64) {
		var g grid.Grid
		if json.Unmarshal(data, &g) != nil || g.Validate() != nil {
			return
		}
		require.Positive(t, g.PartTarget())
		require.Positive(t, g.TargetDuration())
		require.Positive(t, g.Parts())
		at >>= 4 // any time within centuries
		k := g.FrameAt(codecs.Ticks(at))
		require.Equal(t, k, g.FrameAt(g.FrameTime(k)))
		require.LessOrEqual(t, g.PartFrame(g.Segment(k), g.Part(k)), k)
	})
}

func TestAGridThatFollowsAnotherNeverCountsBack(t *testing.T) {
	day := 24 * 3600 * codecs.Ticks(codecs.TicksPerSecond)
	for _, rate := range rates {
		g := mustGrid(t, rate)
		t.Run(rate.String(), func(t *testing.T) {
			for _, days := range []codecs.Ticks{0, 1, 2, 30, 3650} {
				for _, shift := range []int64{0, 1, g.StepFrames - 1} {
					for _, shifted := range []int64{0, 1, g.StepFrames - 1} {
						before := g.Shifted(shifted)
						later, err := grid.New(rate, g.Step(), g.Step()/2, now+days*day)
						require.NoError(t, err)
						later = later.Shifted(shift)
						if later.Epoch < before.Epoch {
							continue
						}
						follower := later.Following(before)
						at := now + days*day + 12345
						was, is := before.Segment(before.FrameAt(at)), follower.Segment(follower.FrameAt(at))
						require.GreaterOrEqual(t, is, was)
						require.LessOrEqual(t, is, was+1)
						if shift == shifted {
							require.Equal(t, before.Epoch, follower.Epoch)
						}
						// Segments begin where they would have without a predecessor.
						start := follower.SegmentTime(is)
						require.InDelta(t, int64(later.SegmentTime(later.Segment(later.FrameAt(start)))), int64(start), 1)
						require.Equal(t, later.PartFrames, follower.PartFrames)
					}
				}
			}
		})
	}
}

func TestAGridOfOtherSegmentsFollowsNothing(t *testing.T) {
	g := mustGrid(t, codecs.NewRational(25, 1))
	for name, other := range map[string]grid.Grid{
		"rate":    mustGrid(t, codecs.NewRational(50, 1)),
		"segment": {Epoch: g.Epoch - 900_000, FrameRate: g.FrameRate, StepFrames: 2 * g.StepFrames, PartFrames: g.PartFrames},
		"future":  {Epoch: g.Epoch + 900_000, FrameRate: g.FrameRate, StepFrames: g.StepFrames, PartFrames: g.PartFrames},
	} {
		require.Equal(t, g, g.Following(other), name)
	}
}
