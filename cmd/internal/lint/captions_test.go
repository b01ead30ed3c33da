package lint

import (
	"encoding/hex"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/codecs/h264"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

// captionFaults are those of captions within the pictures, and of what is said of the pictures themselves.
var captionFaults = []fault{
	{"captions are not announced", onFragment(speak), []string{"captions-unannounced"}},
	{"other captions are announced than there are", func(h *house) {
		announce(h)
		onFragment(speak)(h)
	}, []string{"captions-unannounced"}},
	{"an INSTREAM-ID is not known", func(h *house) {
		announce(h)
		onMultivariant(replace(`INSTREAM-ID="CC3"`, `INSTREAM-ID="CC9"`))(h)
	}, []string{"instream-id-form"}},
	{"HDR is said to be SDR", func(h *house) {
		h.inits[small], h.codecs[small] = hlgInit()
		onMultivariant(replace("VIDEO-RANGE=HLG", "VIDEO-RANGE=SDR"))(h)
	}, []string{"video-range-wrong"}},
}

func announce(h *house) { h.feed.Ladder.Captions.Channels = []ladder.Caption{{Channel: "CC3"}} }

// speak puts roll-up captions in CC1 before the first picture of a segment (ANSI/SCTE 128-1 §8.1).
func speak(_ int64, part int, f *cmaf.Fragment) {
	const sei = "\x00\x00\x00\x12\x06\x04\x0e\xb5\x00\x31GA94\x03\x41\xff\xfc\x94\x25\xff\x80"
	if part == 0 {
		f.Samples[0].Data = append([]byte(sei), f.Samples[0].Data...)
	}
}

// hlgInit returns the init section of a picture of 320×176 whose transfer function is HLG's.
func hlgInit() (data []byte, codec string) {
	sps, _ := hex.DecodeString("6742c01eda0505e9a848904810")
	data, codec, _ = cmaf.VideoInit(cmaf.VideoTrack{
		Codec: codecs.H264, Timescale: 90000, ParameterSets: h264.AnnexB([][]byte{sps, {0x68, 0xcb, 0x8c, 0xb2}}),
	})
	return data, codec
}
