package capacity

import (
	"strings"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

// Weight returns what it costs to encode a pixel of a rendition, in pixels of x264 veryfast. An encoder that is not named is
// taken for the one that runs on the processor.
func Weight(v ladder.Video) float64 {
	encoder := v.Encoder
	if encoder == "" {
		encoder = software[v.Codec]
	}
	presets, known := weights[encoder]
	switch {
	case known && presets[v.Preset] > 0:
		return presets[v.Preset]
	case known:
		return presets[""]
	case OnCard(encoder):
		return 0.25 // nothing is encoded on the processor, but still decoded, scaled and packed
	}
	return 1
}

// OnCard reports whether an encoder, by its name, is hardware.
func OnCard(encoder string) bool {
	for _, kind := range []string{"_nvenc", "_vaapi", "_qsv"} {
		if strings.HasSuffix(encoder, kind) {
			return true
		}
	}
	return false
}

var software = map[codecs.Codec]string{codecs.H264: "libx264", codecs.H265: "libx265"}

// weights are by encoder and preset, as `venuecast bench host` has measured them (docs/performance.md); those of presets
// that are too slow for real time are extrapolated. Empty: of the preset that is taken when none of the encoder's is named.
var weights = map[string]map[string]float64{
	"libx264": {
		"": 1, "ultrafast": 0.36, "superfast": 0.9, "veryfast": 1, "faster": 2.3, "fast": 2.6, "medium": 3, "slow": 4.5,
		"slower": 9, "veryslow": 15, "placebo": 40,
	},
	"libx265": {
		"": 3.8, "ultrafast": 2.2, "superfast": 3.8, "veryfast": 3.8, "faster": 4, "fast": 5, "medium": 5.9, "slow": 12,
		"slower": 30, "veryslow": 50, "placebo": 100,
	},
}
