package av1_test

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs/av1"
)

// header is SVT-AV1's for 640×360, 8 bit.
func header(t testing.TB) []byte {
	b, err := hex.DecodeString("0a0b0000000cc4ff6700be0010")
	require.NoError(t, err)
	return b
}

func TestSequenceHeaderSaysSizeDepthAndCodecs(t *testing.T) {
	c, err := av1.ParseConfig(append([]byte{0x12, 0}, header(t)...))
	require.NoError(t, err)
	require.Equal(t, 640, c.Info.Width)
	require.Equal(t, 360, c.Info.Height)
	require.Equal(t, 8, c.Info.Depth)
	require.Regexp(t, `^av01\.0\.\d\dM\.08`, c.Codecs)
	require.Equal(t, header(t), c.Record.ConfigOBUs)
}

func TestConfigWithoutAHeaderIsAnError(t *testing.T) {
	_, err := av1.ParseConfig([]byte{0x12, 0})
	require.ErrorContains(t, err, "no sequence header")
	_, err = av1.ParseConfig([]byte{0x0a, 0x7f})
	require.Error(t, err)
}

func TestSamplesHaveNoTemporalDelimiters(t *testing.T) {
	frame := []byte{0x32, 3, 1, 2, 3}
	unit := append(append([]byte{0x12, 0}, header(t)...), frame...)
	require.Equal(t, append(header(t), frame...), av1.AppendSample(nil, unit))
	require.Equal(t, append([]byte{9}, frame...), av1.AppendSample([]byte{9}, append(frame, 0x12, 0)))
	cut := []byte{0x32, 200, 1}
	require.Equal(t, cut, av1.AppendSample(nil, cut), "what is damaged stays as it is")
}

func FuzzAV1(f *testing.F) {
	f.Add(header(f))
	f.Add([]byte{0x12, 0, 0x32, 3, 1, 2, 3})
	f.Add([]byte{0x32, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = av1.ParseConfig(data)
		require.LessOrEqual(t, len(av1.AppendSample(nil, data)), len(data))
	})
}
