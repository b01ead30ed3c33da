package capacity_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/capacity"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

func TestARenditionWeighsWhatItsEncoderAndPresetCost(t *testing.T) {
	weight := func(c codecs.Codec, encoder, preset string) float64 {
		return capacity.Weight(ladder.Video{Codec: c, Encoder: encoder, Preset: preset})
	}
	require.InDelta(t, 1, weight(codecs.H264, "", "veryfast"), 0)
	require.InDelta(t, 1, weight(codecs.H264, "libx264", "p4"), 0, "it is opened with its own standard preset")
	require.InDelta(t, 1, weight(0, "", ""), 0)
	require.Less(t, weight(codecs.H264, "", "superfast"), 1.0)
	require.Greater(t, weight(codecs.H264, "", "medium"), 2.0)
	require.Greater(t, weight(codecs.H265, "", "veryfast"), 2.0)
	require.Greater(t, weight(codecs.AV1, "", "veryfast"), 2.0, "its own standard preset, 10")
	require.Less(t, weight(codecs.AV1, "libsvtav1", "12"), 2.0)
	require.Less(t, weight(codecs.H265, "hevc_nvenc", "p4"), 0.5)
	require.InDelta(t, 1, weight(codecs.H264, "libopenh264", ""), 0)
}

func TestSlowerPresetsWeighMore(t *testing.T) {
	for _, codec := range []codecs.Codec{codecs.H264, codecs.H265} {
		before := 0.0
		for _, preset := range []string{"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo"} {
			w := capacity.Weight(ladder.Video{Codec: codec, Preset: preset})
			require.GreaterOrEqual(t, w, before, "%v %s", codec, preset)
			before = w
		}
	}
}
