//go:build cgo

package libav

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/opus"
)

// opusFrames encodes the frames [from, to) of a sound as a rendition does: blocks are later than frames by the encoder's delay.
func opusFrames(t *testing.T, bitrate int64, sound func(sample int64) float64, from, to int64) (map[int64][]byte, []byte) {
	t.Helper()
	e, err := NewAudioEncoder(AudioEncoderOptions{Codec: codecs.Opus, Bitrate: bitrate})
	require.NoError(t, err)
	defer e.Close()
	require.EqualValues(t, 120, e.Delay())
	frames := map[int64][]byte{}
	for j := from; j < to; j++ {
		at := j*opus.FrameSamples + e.Delay()
		pcm := codecs.PCM{make([]float32, opus.FrameSamples), make([]float32, opus.FrameSamples)}
		for i := range pcm[0] {
			pcm[0][i] = float32(sound(at + int64(i)))
			pcm[1][i] = pcm[0][i]
		}
		require.NoError(t, e.Encode(pcm, at, func(p codecs.Packet) error {
			require.Zero(t, p.PTS%opus.FrameSamples)
			require.True(t, p.Key)
			frames[p.PTS/opus.FrameSamples] = bytes.Clone(p.Data)
			return nil
		}))
		require.Contains(t, frames, j, "a frame is there as soon as its block is")
	}
	return frames, e.Config()
}

// opusSound decodes the frames [from, to); sample i of what it returns is sample 960·from + i.
func opusSound(t *testing.T, config []byte, frames map[int64][]byte, from, to int64) []float32 {
	t.Helper()
	var units []codecs.AccessUnit
	for j := from; j < to; j++ {
		units = append(units, codecs.AccessUnit{Data: frames[j], RandomAccess: true})
	}
	f := codecs.Format{Codec: codecs.Opus, SampleRate: SampleRate, Channels: 2, Config: config}
	out := decodeAll(t, f, units)[0]
	require.Len(t, out, int(to-from)*opus.FrameSamples, "a decoder drops nothing")
	return out
}

const someOpusFrame = 5_000_000

func TestAnImpulseOfOpusSoundsAtItsSample(t *testing.T) {
	const begin = someOpusFrame * opus.FrameSamples
	for _, at := range []int64{begin + 20*960, begin + 20*960 + 500, begin + 25*960 - 1} {
		frames, config := opusFrames(t, 0, func(n int64) float64 {
			if n == at {
				return 0.9
			}
			return 0
		}, someOpusFrame, someOpusFrame+40)
		out := opusSound(t, config, frames, someOpusFrame, someOpusFrame+40)
		loudest := 0
		for i, s := range out {
			if math.Abs(float64(s)) > math.Abs(float64(out[loudest])) {
				loudest = i
			}
		}
		require.Equal(t, at, begin+int64(loudest))
	}
}

// music is not periodic within a test, loud, and in tune everywhere.
func music(n int64) float64 {
	s := float64(n%(1<<30)) / SampleRate
	return 0.25*math.Sin(2*math.Pi*440*s) + 0.2*math.Sin(2*math.Pi*1234.5*s)*math.Sin(2*math.Pi*1.7*s) + 0.15*math.Sin(2*math.Pi*97*s)
}

// From any frame on, a second encoder that had the pre-roll goes on as if it had been the first: a decoder that hears both
// hears no seam.
func TestAnotherOpusEncoderGoesOnWithoutASeam(t *testing.T) {
	for _, bitrate := range []int64{24_000, 40_000, 96_000, 256_000} {
		t.Run(fmt.Sprint(bitrate), func(t *testing.T) {
			const first, last = someOpusFrame, someOpusFrame + 80
			whole, config := opusFrames(t, bitrate, music, first, last)
			want := opusSound(t, config, whole, first, last)
			usual := worstNoise(want, first, 20, 80)
			for seam := int64(first + 30); seam < first+60; seam += 7 {
				frames, other := opusFrames(t, bitrate, music, seam-opus.PreRollFrames, last)
				require.Equal(t, config, other)
				for j := int64(first); j < seam; j++ {
					frames[j] = whole[j]
				}
				got := opusSound(t, config, frames, first, last)
				noise := worstNoise(got, first, 20, 80)
				t.Logf("seam at frame %d: noise %.1f dB in the worst 5 ms, without a seam %.1f dB", seam-first, decibels(noise), decibels(usual))
				require.Less(t, decibels(noise), decibels(usual)+3)
			}
		})
	}
}

// worstNoise returns the loudest difference from the music in any 5 ms of frames [from, to) after first.
func worstNoise(got []float32, first int64, from, to int) (worst float64) {
	const span = SampleRate / 200
	for i := from * opus.FrameSamples; i+span <= to*opus.FrameSamples; i += span {
		rest := make([]float32, span)
		for k := range rest {
			rest[k] = got[i+k] - float32(music(first*opus.FrameSamples+int64(i+k)))
		}
		worst = max(worst, rms(rest))
	}
	return worst
}

func decibels(v float64) float64 { return 20 * math.Log10(v) }

func TestTheSameSoundGivesTheSameOpus(t *testing.T) {
	one, config := opusFrames(t, 0, music, 1000, 1040)
	two, again := opusFrames(t, 0, music, 1000, 1040)
	require.Equal(t, one, two)
	require.Equal(t, config, again)
	c, err := opus.Parse(config)
	require.NoError(t, err)
	require.Equal(t, opus.Config{Channels: 2, InputRate: SampleRate}, c)
}

func TestOpusKeepsItsBitrate(t *testing.T) {
	frames, _ := opusFrames(t, 0, music, 0, 100)
	bits := 0
	for _, f := range frames {
		bits += 8 * len(f)
	}
	require.InDelta(t, 96_000, bits/2, 10_000)
}
