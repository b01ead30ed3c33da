//go:build cgo

package libav

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
)

func TestPictureKeepsItsPlanes(t *testing.T) {
	for _, size := range [][2]int{{16, 16}, {320, 180}, {33, 17}, {1, 1}} {
		y, u, v := patternPlanes(size[0], size[1], 5)
		p, err := NewPictureYUV(size[0], size[1], y, u, v)
		require.NoError(t, err)
		gotY, gotU, gotV, err := p.YUV()
		require.NoError(t, err)
		require.Equal(t, [][]byte{y, u, v}, [][]byte{gotY, gotU, gotV})
		w, h := p.Size()
		require.Equal(t, [2]int{w, h}, size)
		p.Release()
	}
}

func TestRetainedPictureOutlivesTheFirstReference(t *testing.T) {
	p := pattern(t, 64, 64, 1)
	y, _, _, err := p.YUV()
	require.NoError(t, err)
	q := p.Retain().(*Picture)
	p.Release()
	defer q.Release()
	got, _, _, err := q.YUV()
	require.NoError(t, err)
	require.Equal(t, y, got)
}

func TestReleasingTwicePanics(t *testing.T) {
	p := pattern(t, 16, 16, 0)
	p.Release()
	require.Panics(t, p.Release)
}

func TestPictureRefusesPlanesOfTheWrongSize(t *testing.T) {
	_, err := NewPictureYUV(16, 16, make([]byte, 255), make([]byte, 64), make([]byte, 64))
	require.ErrorContains(t, err, "plane 0 has 255 bytes, want 256")
	_, err = NewPictureYUV(0, 16, nil, nil, nil)
	require.ErrorContains(t, err, "sides must be")
}

func TestClosingTwiceDoesNothing(t *testing.T) {
	before := LedgerTotal()
	d, err := NewDecoder(DecoderOptions{Codec: codecs.H265})
	require.NoError(t, err)
	s, err := NewScaler(ScalerOptions{Width: 16, Height: 16})
	require.NoError(t, err)
	e, err := OpenEncoder(testOptions(codecs.H264, "libx264"))
	require.NoError(t, err)
	a, err := NewAudioEncoder(AudioEncoderOptions{})
	require.NoError(t, err)
	b, err := NewAudioDecoder(codecs.Format{Codec: codecs.PCMA, SampleRate: 8000, Channels: 1})
	require.NoError(t, err)
	for range 2 {
		for _, c := range []interface{ Close() }{d, s, e, a, b} {
			c.Close()
		}
	}
	require.Equal(t, before, LedgerTotal())
}
