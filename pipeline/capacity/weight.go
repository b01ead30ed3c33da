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

var software = map[codecs.Codec]string{codecs.H264: "libx264", codecs.H265: "libx265", codecs.AV1: "libsvtav1"}

// weights are by encoder and preset, as `venuecast bench host` has measured them (docs/performance.md); those of presets
// that it does not measure are put between and beyond these. Empty: of the preset that is taken when none of the encoder's is named.
var weights = map[string]map[string]float64{
	"libx264": {
		"": 1, "ultrafast": 0.36, "superfast": 0.93, "veryfast": 1, "faster": 2.4, "fast": 2.9, "medium": 3.3, "slow": 5,
		"slower": 10, "veryslow": 16, "placebo": 40,
	},
	"libx265": {
		"": 4.1, "ultrafast": 2.5, "superfast": 4.1, "veryfast": 4.1, "faster": 4.5, "fast": 5.5, "medium": 6.6, "slow": 13,
		"slower": 30, "veryslow": 50, "placebo": 100,
	},
	"libsvtav1": {
		"": 2.7, "13": 1.2, "12": 1.4, "11": 2, "10": 2.7, "9": 3.5, "8": 4.3, "7": 7, "6": 10, "5": 15, "4": 25, "3": 40, "2": 70, "1": 100,
	},
}
