package packager_test

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/codecs/opus"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/packager"
)

var rates = []codecs.Rational{{Num: 24, Den: 1}, {Num: 25, Den: 1}, {Num: 30000, Den: 1001}, {Num: 30, Den: 1}, {Num: 60000, Den: 1001}}

func newGrid(t testing.TB, rate codecs.Rational) grid.Grid {
	t.Helper()
	g, err := grid.New(rate, 2*time.Second, 320*time.Millisecond, codecs.TicksAt(time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)))
	require.NoError(t, err)
	return g
}

func parameterSets(t testing.TB) []byte {
	t.Helper()
	b, err := hex.DecodeString("000000016742c01ed900a02ff97011000003000100000300320f162e4800000001" + "68ef8fcb")
	require.NoError(t, err)
	return b
}

func TestAudioPartsCoverTheLineAndKeepPartTarget(t *testing.T) {
	for _, rate := range rates {
		t.Run(rate.String(), func(t *testing.T) {
			coverTheLine(t, newGrid(t, rate), ladder.Audio{Name: "stereo", Bitrate: 128000}, []byte{0x11, 0x90})
		})
		t.Run(rate.String()+" opus", func(t *testing.T) {
			config := opus.Config{Channels: 2, InputRate: 48000}.Marshal()
			coverTheLine(t, newGrid(t, rate), ladder.Audio{Name: "stereo", Bitrate: 96000, Codec: codecs.Opus}, config)
		})
	}
}

func coverTheLine(t *testing.T, g grid.Grid, a ladder.Audio, config []byte) {
	p, err := packager.NewAudio(g, a, config)
	require.NoError(t, err)
	samples := a.FrameSamples()
	target := g.PartTarget(samples)
	first := g.AudioFrame(samples, 5000, 0)
	want, next := pipeline.Position{MSN: 5000}, uint64(first*samples)
	for j := first; j < first+2000; j++ {
		require.NoError(t, p.Add(j, []byte{1}, func(part *pipeline.Part) error {
			require.Equal(t, want, part.Position())
			length := time.Duration(part.Duration) * time.Second / time.Duration(part.Timescale)
			require.LessOrEqual(t, length, target)
			// RFC 8216bis §4.4.4.9: a part lasts at least 85 % of PART-TARGET, unless it is the last of its segment.
			if part.Index+1 < g.Parts() {
				require.GreaterOrEqual(t, length, target*85/100)
			}
			f, err := cmaf.ParseFragments(part.Data)
			require.NoError(t, err)
			require.Equal(t, next, f[0].BaseTime)
			next += f[0].Duration()
			want.Part++
			if want.Part == g.Parts() {
				want = pipeline.Position{MSN: want.MSN + 1}
			}
			return nil
		}))
	}
	require.Greater(t, want.MSN, int64(5013))
}

func TestVideoSegmentsStartExactlyAtTheirNumberTimesTheStep(t *testing.T) {
	for _, rate := range rates {
		t.Run(rate.String(), func(t *testing.T) {
			g := newGrid(t, rate)
			timescale, frame := g.Timescale()
			p, err := packager.NewVideo(g, ladder.Video{Name: "360p", Codec: codecs.H264, Divisor: 1}, parameterSets(t))
			require.NoError(t, err)
			for k := g.PartFrame(5000, 0); k < g.PartFrame(5003, 0); k++ {
				pkt := codecs.Packet{PTS: k, Key: k%g.StepFrames == 0, Data: []byte{0, 0, 0, 1, 0x65, 1}}
				require.NoError(t, p.Add(pkt, func(part *pipeline.Part) error {
					f, err := cmaf.ParseFragments(part.Data)
					require.NoError(t, err)
					require.EqualValues(t, g.PartFrame(part.MSN, part.Index)*int64(frame), f[0].BaseTime)
					require.EqualValues(t, timescale, part.Timescale)
					require.Equal(t, part.Index == 0, part.Independent)
					return nil
				}))
			}
		})
	}
}

func TestAPictureOfTheNextPartBeforeItsTimeIsAnError(t *testing.T) {
	g := newGrid(t, codecs.Rational{Num: 25, Den: 1})
	p, err := packager.NewVideo(g, ladder.Video{Name: "360p", Codec: codecs.H264, Divisor: 1}, parameterSets(t))
	require.NoError(t, err)
	none := func(*pipeline.Part) error { return nil }
	require.NoError(t, p.Add(codecs.Packet{PTS: g.PartFrame(5000, 0)}, none))
	require.ErrorContains(t, p.Add(codecs.Packet{PTS: g.PartFrame(5000, 1)}, none), "before part 5000.0 had all its pictures")
}

func TestSoundWithAHoleIsAnError(t *testing.T) {
	g := newGrid(t, codecs.Rational{Num: 25, Den: 1})
	p, err := packager.NewAudio(g, ladder.Audio{Name: "stereo"}, []byte{0x11, 0x90})
	require.NoError(t, err)
	none := func(*pipeline.Part) error { return nil }
	require.NoError(t, p.Add(1000, []byte{1}, none))
	require.ErrorContains(t, p.Add(1002, []byte{1}, none), "audio frame 1002 came after frame 1000")
}

func TestAPictureThatIsHeldLastsLonger(t *testing.T) {
	g := newGrid(t, codecs.Rational{Num: 25, Den: 1})
	p, err := packager.NewVideo(g, ladder.Video{Name: "high", Width: 640, Height: 360, Codec: codecs.H264, Divisor: 1}, parameterSets(t))
	require.NoError(t, err)
	first, parts := g.PartFrame(5000, 0), []*pipeline.Part{}
	emit := func(part *pipeline.Part) error { parts = append(parts, part); return nil }
	require.Error(t, p.Hold(emit), "a part begins with a picture")
	for _, k := range []int64{0, 1, 5} { // 2 to 4 and 6 to 7 are missing
		if k == 5 {
			for range 3 {
				require.NoError(t, p.Hold(emit))
			}
		}
		require.NoError(t, p.Add(codecs.Packet{PTS: first + k, Key: k == 0, Data: []byte{0, 0, 0, 1, 0x65, 1}}, emit))
	}
	require.NoError(t, p.Hold(emit))
	require.Empty(t, parts)
	require.NoError(t, p.Hold(emit))
	require.Len(t, parts, 1)
	f, err := cmaf.ParseFragments(parts[0].Data)
	require.NoError(t, err)
	var durations []uint32
	for _, s := range f[0].Samples {
		durations = append(durations, s.Duration/3600)
		require.Zero(t, s.CompositionOffset)
	}
	require.Equal(t, []uint32{1, 4, 3}, durations)
}
