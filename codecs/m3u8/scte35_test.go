package m3u8_test

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs/m3u8"
)

// splice is the first example of SCTE 35 §14.1: a time_signal.
const splice = "fc3034000000000000fffff00506fe72bd0050001e021c435545494800008e7fcf0001a599b00808000000002ca0a18a3402009ac9d17e"

func TestOneWholeSpliceIsASplice(t *testing.T) {
	data, err := hex.DecodeString(splice)
	require.NoError(t, err)
	require.NoError(t, m3u8.CheckSplice(data))
	require.Error(t, m3u8.CheckSplice(nil))
	require.Error(t, m3u8.CheckSplice(data[:len(data)-1]))
	require.Error(t, m3u8.CheckSplice(append(data, 0)))
	for i := range data {
		data[i] ^= 0x10
		require.Error(t, m3u8.CheckSplice(data), "byte %d", i)
		data[i] ^= 0x10
	}
}
