//go:build cgo

package libav

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/h264"
)

func TestParameterSetsOfTwoEncodersStandSideBySide(t *testing.T) {
	var both h264.ParameterSets
	p := pattern(t, testWidth, testHeight, 0)
	defer p.Release()
	for _, id := range []int{0, 1, 31} {
		o := testOptions(codecs.H264, "libx264")
		o.SetID = id
		e := openTestEncoder(t, o)
		var own h264.ParameterSets
		require.True(t, own.Update(h264.NALUs(e.ParameterSets())))
		free, ok := own.UnusedID()
		require.True(t, ok)
		require.Equal(t, id == 0, free == 1, "both of its sets have the id it was given")
		require.True(t, both.Update(h264.NALUs(e.ParameterSets())))
		check := func(pkt codecs.Packet) error { return own.CheckUnit(pkt.Data) }
		require.NoError(t, e.Encode(p, 0, codecs.TypeIDR, check))
		require.NoError(t, e.Flush(check))
	}
	require.Len(t, both.SPS, 3)
	require.Len(t, both.PPS, 3)
}

func TestOnlyX264GivesItsParameterSetsAnotherID(t *testing.T) {
	for _, name := range []string{"", "libx265"} {
		o := testOptions(codecs.H264, name)
		o.SetID = 1
		_, err := OpenEncoder(o)
		require.ErrorContains(t, err, "parameter sets of id 1")
	}
}
