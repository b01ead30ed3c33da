//go:build cgo

package libav

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/av1"
)

func TestAV1HasKeyPicturesWhereTheyAreAskedForAndOnePacketPerPictureInOrder(t *testing.T) {
	e := openTestEncoder(t, av1Options())
	packets := encode(t, e, 96, 120, 1, func(k int64) codecs.PictureType {
		switch {
		case k == 104, k%48 == 0: // a resumed rendition begins in the middle of a segment
			return codecs.TypeIDR
		case k%8 == 7:
			return codecs.TypeP
		}
		return codecs.TypeAuto
	})
	require.Len(t, packets, 120)
	for i, p := range packets {
		require.EqualValues(t, 96+i, p.PTS, "parts hold exactly the pictures of their range")
		require.Equal(t, p.PTS == 104 || p.PTS%48 == 0, p.Key, "frame %d", p.PTS)
	}
	require.LessOrEqual(t, e.Delay(), 16)
	c, err := av1.ParseConfig(e.ParameterSets())
	require.NoError(t, err)
	require.Equal(t, testWidth, c.Info.Width)
}

func TestAV1DecodesFromAnyKeyPicture(t *testing.T) {
	e := openTestEncoder(t, av1Options())
	packets := encode(t, e, 0, 60, 1, func(k int64) codecs.PictureType {
		if k == 0 || k == 20 {
			return codecs.TypeIDR
		}
		return codecs.TypeAuto
	})
	d := openTestDecoder(t, codecs.AV1)
	var times []codecs.Ticks
	var widths []int
	for _, p := range packets[20:] {
		require.NoError(t, d.Decode(codecs.AccessUnit{PTS: codecs.Ticks(p.PTS * 3600), Data: p.Data}, collect(&times, &widths)))
	}
	require.NoError(t, d.Flush(collect(&times, &widths)))
	require.Len(t, times, 40)
	require.EqualValues(t, 20*3600, times[0])
}

func TestAV1TakesTenBits(t *testing.T) {
	o := av1Options()
	o.Depth, o.Colour = 10, hlg
	c, err := av1.ParseConfig(openTestEncoder(t, o).ParameterSets())
	require.NoError(t, err)
	require.Equal(t, 10, c.Info.Depth)
	require.Equal(t, hlg, c.Info.Colour)
}

func TestPresetsAreTheEncodersOwn(t *testing.T) {
	o := testOptions(codecs.AV1, "libsvtav1") // its preset is one of x264
	_, err := OpenEncoder(o)
	require.ErrorContains(t, err, `preset "ultrafast": want one of 1, 2`)
	o.Encoder = ""
	e := openTestEncoder(t, o)
	require.Equal(t, "libsvtav1", e.Name(), "an encoder that was not named leaves aside what is not its own")
}
