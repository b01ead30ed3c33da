//go:build cgo

package frames

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/cmd/internal/watch"
	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/codecs/h264"
	"github.com/venuecast/venuecast/codecs/libav"
	"github.com/venuecast/venuecast/codecs/testcard"
)

const (
	width, height = 320, 180
	frameTime     = 40 * time.Millisecond
	perSegment    = 50 // pictures
	segments      = 2
	offset        = 30 * time.Millisecond // how late the recordings are dated
)

var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(-200 * time.Millisecond)

// recordCard returns a recording of test cards with B-pictures. number says which card picture k shows.
func recordCard(t *testing.T, number func(k int64) int64) watch.Recording {
	t.Helper()
	encoder, err := libav.OpenEncoder(libav.EncoderOptions{
		Codec: codecs.H264, Encoder: "libx264", Width: width, Height: height, FrameRate: codecs.Rational{Num: 25, Den: 1},
		Bitrate: 800_000, BFrames: 2, KeyInterval: 1000,
	})
	require.NoError(t, err)
	defer encoder.Close()
	init, _, err := cmaf.VideoInit(cmaf.VideoTrack{Codec: codecs.H264, Timescale: 90000, ParameterSets: encoder.ParameterSets()})
	require.NoError(t, err)

	pieces := make([]cmaf.Fragment, segments)
	decoded := int64(0)
	keep := func(p codecs.Packet) error {
		f := &pieces[decoded/perSegment]
		f.Samples = append(f.Samples, cmaf.Sample{
			Duration: 3600, CompositionOffset: int32(p.PTS-decoded) * 3600, Key: p.Key, Data: h264.AppendAVC(nil, p.Data),
		})
		decoded++
		return nil
	}
	card, img := testcard.NewCard(width, height), testcard.NewYUV(width, height)
	for k := range int64(segments * perSegment) {
		n := number(k)
		card.Draw(img, uint32(n), began.Add(time.Duration(n)*frameTime))
		picture, err := libav.NewPictureYUV(width, height, img.Y, img.U, img.V)
		require.NoError(t, err)
		kind := codecs.TypeAuto
		switch k % perSegment {
		case 0:
			kind = codecs.TypeIDR
		case perSegment - 1:
			kind = codecs.TypeP
		}
		require.NoError(t, encoder.Encode(picture, k, kind, keep))
		picture.Release()
	}
	require.NoError(t, encoder.Flush(keep))

	var r watch.Recording
	for i := range pieces {
		pieces[i].BaseTime = uint64(i) * perSegment * 3600
		r = append(r, watch.Piece{
			Init: init, MSN: int64(i), DateTime: began.Add(offset + time.Duration(i)*perSegment*frameTime), Data: pieces[i].Marshal(),
		})
	}
	return r
}

// recordBeep returns a recording of the camera's sound, late by a time.
func recordBeep(t *testing.T, late time.Duration) watch.Recording {
	t.Helper()
	encoder, err := libav.NewAudioEncoder(libav.AudioEncoderOptions{})
	require.NoError(t, err)
	defer encoder.Close()
	init, _, err := cmaf.AudioInit(cmaf.AudioTrack{Timescale: libav.SampleRate, Config: encoder.Config()})
	require.NoError(t, err)

	fragment := cmaf.Fragment{}
	keep := func(p codecs.Packet) error {
		if p.PTS >= 0 { // else it is priming
			fragment.Samples = append(fragment.Samples, cmaf.Sample{Duration: libav.AudioSamples, Key: true, Data: p.Data})
		}
		return nil
	}
	first := testcard.SampleAt(began.Add(-late))
	for j := range int64(segments * perSegment * int(frameTime/time.Millisecond) * 48 / libav.AudioSamples) {
		pcm := make([]float32, libav.AudioSamples)
		testcard.FillBeep(pcm, first+j*libav.AudioSamples)
		require.NoError(t, encoder.Encode(codecs.PCM{pcm, pcm}, j*libav.AudioSamples, keep))
	}
	require.NoError(t, encoder.Flush(keep))
	return watch.Recording{{Init: init, DateTime: began.Add(offset), Data: fragment.Marshal()}}
}

func TestCardAndBeepAreReadBackFromARecording(t *testing.T) {
	pictures, err := Video(recordCard(t, func(k int64) int64 { return k }))
	require.NoError(t, err)
	beeps, err := Beeps(recordBeep(t, 15*time.Millisecond))
	require.NoError(t, err)
	s := Check(pictures, beeps, CheckOptions{})

	require.True(t, s.InOrder(), s)
	require.Equal(t, segments*perSegment, s.Frames)
	require.InDelta(t, offset.Seconds(), s.DateMedian, 1e-3)
	require.InDelta(t, offset.Seconds(), s.DateMax, 1e-3)
	require.Equal(t, 4, s.Beeps)
	require.InDelta(t, 0.015, s.SoundMedian, 2e-3)
}

func TestLostAndRepeatedPicturesAreSeenInARecording(t *testing.T) {
	pictures, err := Video(recordCard(t, func(k int64) int64 {
		switch {
		case k == 20:
			return 19
		case k >= 60:
			return k + 3
		}
		return k
	}))
	require.NoError(t, err)
	s := Check(pictures, nil, CheckOptions{})

	require.Equal(t, 1, s.Doubled)
	require.Equal(t, 1+3, s.Missing) // 20, and 60 to 62
	require.Zero(t, s.Unreadable+s.Backward)
	require.False(t, s.InOrder())
}

func TestMediaThatCannotBeDecodedIsAnError(t *testing.T) {
	r := recordCard(t, func(k int64) int64 { return k })
	_, err := Video(watch.Recording{{Init: []byte("x"), Data: r[0].Data}})
	require.Error(t, err)
	_, err = Video(watch.Recording{{Init: r[0].Init, Data: r[0].Data[:100]}})
	require.Error(t, err)
	_, err = Beeps(watch.Recording{{Init: r[0].Init, Data: r[0].Data}})
	require.Error(t, err)
}
