//go:build cgo

package libav

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/asticode/go-astiav"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
)

// sound returns seconds of a 440 Hz tone of amplitude 0.5, coded by one of libav's encoders.
func sound(t testing.TB, f codecs.Format, encoder, sampleFormat string, layout astiav.ChannelLayout, samples, seconds int) (units []codecs.AccessUnit, config []byte) {
	codec := astiav.FindEncoderByName(encoder)
	require.NotNil(t, codec, encoder)
	ctx := astiav.AllocCodecContext(codec)
	defer ctx.Free()
	ctx.SetSampleRate(f.SampleRate)
	ctx.SetChannelLayout(layout)
	ctx.SetTimeBase(astiav.NewRational(1, f.SampleRate))
	for _, s := range codec.SampleFormats() {
		if s.Name() == sampleFormat {
			ctx.SetSampleFormat(s)
		}
	}
	ctx.SetFlags(astiav.NewCodecContextFlags(astiav.CodecContextFlagGlobalHeader))
	require.NoError(t, ctx.Open(codec, nil))
	p := astiav.AllocPacket()
	defer p.Free()
	each := strings.Repeat("|0.5*sin(2*PI*440*t)", layout.Channels())[1:]
	tone(t, fmt.Sprintf("aevalsrc=%s:s=%d:d=%d:c=%s,aformat=sample_fmts=%s,asetnsamples=%d:p=0",
		each, f.SampleRate, seconds, layout, sampleFormat, samples), func(frame *astiav.Frame) {
		require.NoError(t, ctx.SendFrame(frame))
		for ctx.ReceivePacket(p) == nil {
			units = append(units, codecs.AccessUnit{RandomAccess: true, Data: p.Data()})
			p.Unref()
		}
	})
	return units, ctx.ExtraData()
}

// tone runs a filter graph without inputs; the last frame is nil.
func tone(t testing.TB, content string, each func(*astiav.Frame)) {
	g := astiav.AllocFilterGraph()
	defer g.Free()
	sink, err := g.NewBuffersinkFilterContext(astiav.FindFilterByName("abuffersink"), "out")
	require.NoError(t, err)
	end := astiav.AllocFilterInOut()
	defer end.Free()
	end.SetName("out")
	end.SetFilterContext(sink.FilterContext())
	require.NoError(t, g.Parse(content+"[out]", end, nil))
	require.NoError(t, g.Configure())
	frame := astiav.AllocFrame()
	defer frame.Free()
	for sink.GetFrame(frame, 0) == nil {
		each(frame)
		frame.Unref()
	}
	each(nil)
}

// decodeAll returns all that comes of the units.
func decodeAll(t testing.TB, f codecs.Format, units []codecs.AccessUnit) codecs.PCM {
	d, err := NewAudioDecoder(f)
	require.NoError(t, err)
	defer d.Close()
	out := codecs.PCM{nil, nil}
	keep := func(p codecs.PCM) error {
		require.Len(t, p, 2)
		require.Len(t, p[1], p.Len())
		out[0], out[1] = append(out[0], p[0]...), append(out[1], p[1]...)
		return nil
	}
	for _, au := range units {
		require.NoError(t, d.Decode(au, keep))
	}
	require.NoError(t, d.Flush(keep))
	return out
}

func rms(samples []float32) float64 {
	sum := 0.0
	for _, s := range samples {
		sum += float64(s) * float64(s)
	}
	return math.Sqrt(sum / float64(len(samples)))
}

func TestEachCodecBecomes48kHzStereo(t *testing.T) {
	mono, stereo := astiav.ChannelLayoutMono, astiav.ChannelLayoutStereo
	for _, c := range []struct {
		codec   codecs.Codec
		rate    int
		encoder string
		format  string
		layout  astiav.ChannelLayout
		samples int
		delay   int // most samples of codec delay and padding, in the input
	}{
		{codecs.PCMA, 8000, "pcm_alaw", "s16", mono, 160, 0},
		{codecs.PCMU, 8000, "pcm_mulaw", "s16", mono, 160, 0},
		{codecs.L16, 44100, "pcm_s16be", "s16", stereo, 441, 0},
		{codecs.L16, 16000, "pcm_s16be", "s16", mono, 320, 0},
		{codecs.G722, 16000, "g722", "s16", mono, 320, 0},
		{codecs.Opus, 48000, "libopus", "flt", stereo, 960, 960 * 2},
		{codecs.MPEG2, 48000, "mp2", "s16", stereo, 1152, 1152 * 2},
		{codecs.AC3, 48000, "ac3", "fltp", stereo, 1536, 1536 * 2},
		{codecs.AAC, 48000, "aac", "fltp", stereo, 1024, 1024 * 3},
		{codecs.AAC, 16000, "aac", "fltp", mono, 1024, 1024 * 3},
	} {
		t.Run(fmt.Sprintf("%v %d", c.codec, c.rate), func(t *testing.T) {
			f := codecs.Format{Codec: c.codec, SampleRate: c.rate, Channels: c.layout.Channels()}
			units, config := sound(t, f, c.encoder, c.format, c.layout, c.samples, 2)
			if c.codec == codecs.AAC {
				f.Config = config
			}
			out := decodeAll(t, f, units)
			require.InDelta(t, 2*48000, out.Len(), float64(c.delay*48000/c.rate+1))
			middle := codecs.PCM{out[0][9600:72000], out[1][9600:72000]}
			require.InDelta(t, 0.5/math.Sqrt2, rms(middle[0]), 0.02)
			require.InDelta(t, 0.5/math.Sqrt2, rms(middle[1]), 0.02)
		})
	}
}

// An error of one part in a million would be 20 samples here.
func TestResamplingKeepsTimeExact(t *testing.T) {
	for _, rate := range []int{8000, 11025, 16000, 22050, 44100, 96000} {
		f := codecs.Format{Codec: codecs.L16, SampleRate: rate, Channels: 1}
		units, _ := sound(t, f, "pcm_s16be", "s16", astiav.ChannelLayoutMono, rate/10, 20)
		out := decodeAll(t, f, units)
		require.InDelta(t, 20*48000, out.Len(), 1, "%d Hz", rate)
		for _, n := range []int{1000, 480_000, 950_000} {
			for i := n; i < n+100; i++ {
				want := 0.5 * math.Sin(2*math.Pi*440*float64(i)/48000)
				require.InDelta(t, want, out[0][i], 0.01, "%d Hz, sample %d", rate, i)
			}
		}
	}
}

func TestDelayOfTheResamplerIsConstant(t *testing.T) {
	const rate = 44100
	f := codecs.Format{Codec: codecs.L16, SampleRate: rate, Channels: 1}
	units, _ := sound(t, f, "pcm_s16be", "s16", astiav.ChannelLayoutMono, rate/100, 5)
	d, err := NewAudioDecoder(f)
	require.NoError(t, err)
	defer d.Close()
	got := 0
	for i, au := range units {
		require.NoError(t, d.Decode(au, func(p codecs.PCM) error { got += p.Len(); return nil }))
		require.InDelta(t, (i+1)*480-17, got, 3)
	}
}

func TestManyChannelsAreMixedDownWithoutClipping(t *testing.T) {
	f := codecs.Format{Codec: codecs.AC3, SampleRate: 48000, Channels: 6}
	units, _ := sound(t, f, "ac3", "fltp", astiav.ChannelLayout5Point1Back, 1536, 1)
	out := decodeAll(t, f, units)
	require.Greater(t, rms(out[0][9600:]), 0.2)
	for _, s := range out[0] {
		require.LessOrEqual(t, s, float32(0.75)) // the source's peak is 0.5, plus ringing of the codec
	}
}

func TestBrokenAudioUnitDoesNotEndTheDecoder(t *testing.T) {
	f := codecs.Format{Codec: codecs.AAC, SampleRate: 48000, Channels: 2}
	units, config := sound(t, f, "aac", "fltp", astiav.ChannelLayoutStereo, 1024, 1)
	f.Config = config
	d, err := NewAudioDecoder(f)
	require.NoError(t, err)
	defer d.Close()
	n := 0
	keep := func(p codecs.PCM) error { n += p.Len(); return nil }
	require.ErrorIs(t, d.Decode(codecs.AccessUnit{Data: []byte{0xff, 0xff, 0xff, 0xff}}, keep), codecs.ErrBadUnit)
	require.ErrorIs(t, d.Decode(codecs.AccessUnit{}, keep), codecs.ErrBadUnit)
	require.NoError(t, d.Decode(units[5], keep))
	require.Equal(t, 1024, n)
}

func TestAudioFormatOutOfRangeIsRefused(t *testing.T) {
	for _, f := range []codecs.Format{
		{Codec: codecs.H264, SampleRate: 48000, Channels: 2},
		{Codec: codecs.AAC, SampleRate: 0, Channels: 2},
		{Codec: codecs.AAC, SampleRate: 48000, Channels: 200},
		{Codec: codecs.AAC, SampleRate: 48000, Channels: 2, Config: make([]byte, 5000)},
	} {
		_, err := NewAudioDecoder(f)
		require.Error(t, err)
	}
}

// block returns 1024 samples of a 440 Hz tone from the given sample on.
func block(sample int64) codecs.PCM {
	pcm := codecs.PCM{make([]float32, AudioSamples), make([]float32, AudioSamples)}
	for i := range pcm[0] {
		pcm[0][i] = float32(0.5 * math.Sin(2*math.Pi*440*float64(sample+int64(i))/48000))
		pcm[1][i] = pcm[0][i]
	}
	return pcm
}

func TestPacketsSoundAtTheSampleTheirPTSNames(t *testing.T) {
	e, err := NewAudioEncoder(AudioEncoderOptions{})
	require.NoError(t, err)
	defer e.Close()
	var packets []codecs.Packet
	keep := func(p codecs.Packet) error { packets = append(packets, p); return nil }
	const first = 5_000_000 * AudioSamples
	for n := range int64(20) {
		require.NoError(t, e.Encode(block(first+n*AudioSamples), first+n*AudioSamples, keep))
	}
	require.NoError(t, e.Flush(keep))
	require.Len(t, packets, 21)

	d, err := NewAudioDecoder(codecs.Format{Codec: codecs.AAC, SampleRate: SampleRate, Channels: 2, Config: e.Config()})
	require.NoError(t, err)
	defer d.Close()
	for i, p := range packets {
		require.Equal(t, int64(first+(i-1)*AudioSamples), p.PTS)
		require.True(t, p.Key)
		require.NoError(t, d.Decode(codecs.AccessUnit{Data: p.Data}, func(got codecs.PCM) error {
			if i < 3 {
				return nil // priming, and the attack of the tone
			}
			for k, want := range block(p.PTS)[0] {
				require.InDelta(t, want, got[0][k], 0.05, "packet %d sample %d", i, k)
			}
			return nil
		}))
	}
}

func TestSoundThatIsNotANumberIsSilenced(t *testing.T) {
	e, err := NewAudioEncoder(AudioEncoderOptions{Channels: 1})
	require.NoError(t, err)
	defer e.Close()
	bad := block(0)[:1]
	bad[0][7], bad[0][8] = float32(math.NaN()), float32(math.Inf(1))
	none := func(codecs.Packet) error { return nil }
	require.NoError(t, e.Encode(bad, 0, none))
	require.NoError(t, e.Encode(bad, AudioSamples, none))
	require.NoError(t, e.Flush(none))
}

func TestAudioEncoderRefusesOtherBlocks(t *testing.T) {
	e, err := NewAudioEncoder(AudioEncoderOptions{})
	require.NoError(t, err)
	defer e.Close()
	none := func(codecs.Packet) error { return nil }
	require.ErrorContains(t, e.Encode(block(0)[:1], 0, none), "block of 1 channels")
	require.ErrorContains(t, e.Encode(codecs.PCM{make([]float32, 5), make([]float32, 5)}, 0, none), "block of 5 samples")
	_, err = NewAudioEncoder(AudioEncoderOptions{Bitrate: 1})
	require.ErrorContains(t, err, "out of range")
}

func FuzzAudioDecoder(f *testing.F) {
	format := codecs.Format{Codec: codecs.AAC, SampleRate: 48000, Channels: 2}
	units, config := sound(f, format, "aac", "fltp", astiav.ChannelLayoutStereo, 1024, 1)
	f.Add(uint8(codecs.AAC), config, units[3].Data)
	for _, c := range []codecs.Codec{codecs.PCMA, codecs.G722, codecs.Opus, codecs.MPEG2, codecs.AC3, codecs.L16} {
		f.Add(uint8(c), []byte{}, []byte{0xff, 0xfd, 0x84, 0x04, 0x0b, 0x77, 0x10, 0x20})
	}
	f.Fuzz(func(t *testing.T, codec uint8, config, data []byte) {
		d, err := NewAudioDecoder(codecs.Format{Codec: codecs.Codec(codec), SampleRate: 48000, Channels: 2, Config: config})
		if err != nil {
			return
		}
		defer d.Close()
		none := func(codecs.PCM) error { return nil }
		if err := d.Decode(codecs.AccessUnit{Data: data}, none); err != nil {
			require.ErrorIs(t, err, codecs.ErrBadUnit)
		}
		require.NoError(t, d.Flush(none))
	})
}
