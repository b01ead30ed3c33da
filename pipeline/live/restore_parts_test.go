package live

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
)

func TestPartsAreFoundAgainInTheirSegment(t *testing.T) {
	var whole []byte
	var pieces [][]byte
	for i := range 6 {
		f := cmaf.Fragment{Sequence: uint32(i), BaseTime: uint64(i) * 28800}
		for j := range 8 {
			f.Samples = append(f.Samples, cmaf.Sample{Duration: 3600, Key: i == 0 && j == 0, Data: []byte{byte(i), byte(j)}})
		}
		pieces = append(pieces, f.Marshal())
		whole = append(whole, pieces[i]...)
	}
	parts := cut(whole, codecs.Video)
	require.Len(t, parts, 6)
	for i, p := range parts {
		require.Equal(t, pieces[i], p.data)
		require.EqualValues(t, 28800, p.duration)
		require.Equal(t, i == 0, p.independent)
	}
	require.True(t, cut(whole, codecs.Audio)[3].independent)
	require.Empty(t, cut(whole[:len(whole)-1], codecs.Video), "a cut file has no parts that can be trusted")
	require.Empty(t, cut([]byte("not media"), codecs.Video))
}
