//go:build cgo

package libav

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
)

// bitrate encodes ten seconds and returns the average of all but the first second, in bit/s.
func bitrate(t *testing.T, e *Encoder, pictureAt func(k int) *Picture) float64 {
	const rate, seconds = 25, 10
	bytes := 0
	keep := func(p codecs.Packet) error {
		if p.PTS >= rate {
			bytes += len(p.Data)
		}
		return nil
	}
	for k := range rate * seconds {
		p, kind := pictureAt(k), codecs.TypeAuto
		if k%50 == 0 {
			kind = codecs.TypeIDR
		}
		require.NoError(t, e.Encode(p, int64(k), kind, keep))
		p.Release()
	}
	require.NoError(t, e.Flush(keep))
	return float64(bytes) * 8 / (seconds - 1)
}

func TestCappedQualityTakesFewBitsForLittleAndNeverMoreThanTheCap(t *testing.T) {
	const limit = 400_000
	still := func(int) *Picture { return pattern(t, testWidth, testHeight, 0) }
	noise := func(k int) *Picture {
		y, u, v := patternPlanes(testWidth, testHeight, k)
		for i := range y {
			y[i] = byte(16 + (i*7919+k*104729)>>3%200)
		}
		p, err := NewPictureYUV(testWidth, testHeight, y, u, v)
		require.NoError(t, err)
		return p
	}
	for _, c := range bothCodecs {
		o := testOptions(c, software(c))
		o.Bitrate, o.Quality = limit, 28
		require.Less(t, bitrate(t, openTestEncoder(t, o), still), 0.5*limit, "%v, still picture", c)
		require.Less(t, bitrate(t, openTestEncoder(t, o), noise), 1.05*limit, "%v, noise", c)
	}
}
