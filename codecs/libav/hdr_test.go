//go:build cgo

package libav

import (
	"testing"

	"github.com/asticode/go-astiav"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/h265"
)

var hlg = codecs.Colour{Primaries: 9, Transfer: 18, Matrix: 9}

// hdr returns a grey HLG picture; y is the 10 bit sample.
func hdr(t *testing.T, y uint16) *Picture {
	p := camera(t, astiav.PixelFormatYuv420P10Le, false, y, 512)
	p.frame.color_trc = 18
	return p
}

func TestHDRBecomesSDRWhereThePictureIsToHave8Bits(t *testing.T) {
	s := openTestScaler(t, 160, 90)
	level := func(sample uint16) float64 {
		in := hdr(t, sample)
		defer in.Release()
		out, err := s.Scale(in)
		require.NoError(t, err)
		defer out.Release()
		own, err := ours(out)
		require.NoError(t, err)
		require.EqualValues(t, 1, own.frame.color_trc, "BT.709")
		require.EqualValues(t, 1, own.frame.colorspace)
		y, u, _, err := own.YUV()
		require.NoError(t, err)
		require.Len(t, y, 160*90)
		require.InDelta(t, 128, mean(u), 1, "grey stays grey")
		return mean(y)
	}
	// Rec. ITU-R BT.2408 §2.2: reference white is 75 % of HLG's signal, 721 of 10 bits.
	black, middle, white, peak := level(64), level(400), level(721), level(940)
	require.InDelta(t, 16, black, 1)
	require.Greater(t, middle, black+30)
	require.Greater(t, white, middle+30)
	require.Greater(t, white, 150.0)
	require.Greater(t, peak, white, "what is brighter than white stays brighter")
	require.LessOrEqual(t, peak, 236.0)
}

func TestTenBitsPassThroughToH265WithTheirColour(t *testing.T) {
	s, err := NewScaler(ScalerOptions{Width: testWidth, Height: testHeight, Depth: 10})
	require.NoError(t, err)
	defer s.Close()
	o := testOptions(codecs.H265, "libx265")
	o.Depth, o.Colour = 10, hlg
	e := openTestEncoder(t, o)
	var sps h265.Info
	for n := range h265.NALUs(e.ParameterSets()) {
		if info, err := h265.ParseSPS(n); err == nil {
			sps = info
		}
	}
	require.Equal(t, 10, sps.Depth)
	require.Equal(t, hlg, sps.Colour)
	in := hdr(t, 721)
	defer in.Release()
	same, err := s.Scale(in)
	require.NoError(t, err)
	defer same.Release()
	require.NoError(t, e.Encode(same, 0, codecs.TypeIDR, func(codecs.Packet) error { return nil }))
	slate := flat(t, testWidth, testHeight, 100)
	defer slate.Release()
	deep, err := s.Scale(slate)
	require.NoError(t, err)
	defer deep.Release()
	require.NoError(t, e.Encode(deep, 1, codecs.TypeAuto, func(codecs.Packet) error { return nil }))
	require.ErrorContains(t, e.Encode(slate, 2, codecs.TypeAuto, func(codecs.Packet) error { return nil }), "10 bit")
}

func TestH264HasNoTenBits(t *testing.T) {
	o := testOptions(codecs.H264, "")
	o.Depth = 10
	_, err := OpenEncoder(o)
	require.ErrorContains(t, err, "for h265 and av1 8 or 10")
}
