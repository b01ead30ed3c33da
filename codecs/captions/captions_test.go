package captions_test

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/captions"
)

// The odd parity bits of CEA-608 are set, as in real data.
var (
	rollUp2CC1  = []byte{0xfc, 0x94, 0x25}
	popOnCC2    = []byte{0xfc, 0x1c, 0x20}
	paintOnCC3  = []byte{0xfd, 0x15, 0x29}
	rollUp4CC4  = []byte{0xfd, 0x9d, 0xa7}
	textCC1     = []byte{0xfc, 0x94, 0x2a}
	letters     = []byte{0xfc, 0xc8, 0xc9}
	padding     = []byte{0xfc, 0x80, 0x80}
	invalidCC1  = []byte{0xf8, 0x94, 0x25}
	digitalData = []byte{0xff, 0x14, 0x25}
)

// message returns an SEI message with triplets of cc_data.
func message(triplets ...[]byte) []byte {
	data := []byte{0xb5, 0, 0x31, 'G', 'A', '9', '4', 3, 0x40 | byte(len(triplets)), 0xff}
	for _, t := range triplets {
		data = append(data, t...)
	}
	data = append(data, 0xff)
	out := []byte{4}
	size := len(data)
	for ; size >= 255; size -= 255 {
		out = append(out, 255)
	}
	return append(append(out, byte(size)), data...)
}

// sample returns units of an MP4 sample.
func sample(units ...[]byte) (out []byte) {
	for _, u := range units {
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(u))), u...)
	}
	return out
}

func sei(messages ...[]byte) []byte {
	out := []byte{6}
	for _, m := range messages {
		out = append(out, m...)
	}
	return append(out, 0x80)
}

var slice = []byte{0x65, 0x88, 0x80}

func TestChannelsAreKnownByWhatBeginsTheirCaptions(t *testing.T) {
	for name, c := range map[string]struct {
		triplets [][]byte
		want     captions.Channels
	}{
		"roll-up": {[][]byte{rollUp2CC1, letters}, captions.CC1}, "pop-on": {[][]byte{popOnCC2}, captions.CC2},
		"paint-on": {[][]byte{padding, paintOnCC3}, captions.CC3}, "last": {[][]byte{rollUp4CC4}, captions.CC4},
		"both fields": {[][]byte{rollUp2CC1, paintOnCC3}, captions.CC1 | captions.CC3},
		"text":        {[][]byte{textCC1}, 0}, "letters": {[][]byte{letters}, 0}, "padding": {[][]byte{padding, padding}, 0},
		"invalid": {[][]byte{invalidCC1}, 0}, "708": {[][]byte{digitalData}, 0}, "nothing": {nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, captions.InSample(codecs.H264, sample(sei(message(c.triplets...)), slice)))
			hevc := append([]byte{39 << 1, 1}, sei(message(c.triplets...))[1:]...)
			require.Equal(t, c.want, captions.InSample(codecs.H265, sample(hevc, []byte{0x26, 1, 0xaf})))
		})
	}
}

func TestOtherMessagesAreSteppedOver(t *testing.T) {
	unregistered := append([]byte{5, 255, 3}, make([]byte, 258)...)
	foreign := []byte{4, 9, 0xb5, 0, 0x2f, 3, 0x41, 0xff, 0xfc, 0x94, 0x25}
	closed := message(rollUp2CC1)
	closed[10] &^= 0x40 // process_cc_data_flag
	unit := sei(unregistered, foreign, closed)
	require.Zero(t, captions.InSample(codecs.H264, sample(unit, slice)))
	require.Equal(t, captions.CC2, captions.InSample(codecs.H264, sample([]byte{9, 0xf0}, unit, sei(message(popOnCC2)), slice)))
	require.Zero(t, captions.InSample(codecs.H264, sample(slice, sei(message(popOnCC2)))), "after the picture")
	require.Zero(t, captions.InSample(codecs.AAC, sample(sei(message(popOnCC2)))))
	long := make([][]byte, 31)
	for i := range long {
		long[i] = padding
	}
	long[30] = paintOnCC3
	require.Equal(t, captions.CC3, captions.InSample(codecs.H264, sample(sei(message(long...)), slice)))
}

func TestEmulationPreventionIsTakenOut(t *testing.T) {
	// F8 00 00, 00 00 00, FC 94 25: five zeros in a row are written with two bytes of 3 between them.
	raw := []byte{6, 4, 0, 0xb5, 0, 0x31, 'G', 'A', '9', '4', 3, 0x43, 0xff, 0xf8, 0, 0, 3, 0, 0, 3, 0, 0xfc, 0x94, 0x25, 0xff, 0x80}
	raw[2] = byte(len(raw) - 4 - 2)
	require.Equal(t, captions.CC1, captions.InSample(codecs.H264, sample(raw, slice)))
}

func TestNamesReadBack(t *testing.T) {
	for c := range captions.Channels(16) {
		got, err := captions.Parse(c.String())
		require.NoError(t, err)
		require.Equal(t, c, got)
	}
	require.Equal(t, "CC1,CC4", (captions.CC1 | captions.CC4).String())
	for _, text := range []string{"CC0", "CC5", "cc1", "CC1,", ",", "CC11", "SERVICE1"} {
		_, err := captions.Parse(text)
		require.Error(t, err, text)
	}
}

func FuzzAnySampleCanBeRead(f *testing.F) {
	f.Add(sample(sei(message(rollUp2CC1)), slice))
	f.Add([]byte{0, 0, 0, 2, 6, 0xff})
	f.Fuzz(func(_ *testing.T, data []byte) {
		_ = captions.InSample(codecs.H264, data)
		_ = captions.InSample(codecs.H265, data)
	})
}
