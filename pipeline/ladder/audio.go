package ladder

import (
	"slices"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/aac"
	"github.com/venuecast/venuecast/codecs/opus"
)

// Audio is one audio rendition. All are 48 kHz stereo.
type Audio struct {
	Name     string `json:"name"`
	Bitrate  int64  `json:"bitrate"`  // in bit/s
	Language string `json:"language"` // BCP 47; empty: not said
	// Codec is Opus, or 0 for AAC: left out as it was before there was a choice.
	Codec codecs.Codec `json:"codec,omitempty"`
}

// Coded returns the codec: AAC or Opus.
func (a Audio) Coded() codecs.Codec {
	if a.Codec == codecs.Opus {
		return codecs.Opus
	}
	return codecs.AAC
}

// FrameSamples returns how many samples of each channel a coded frame has.
func (a Audio) FrameSamples() int64 {
	if a.Codec == codecs.Opus {
		return opus.FrameSamples
	}
	return aac.FrameSamples
}

// PreRoll returns how many frames before the first one that is heard encoder and decoder must have seen.
func (a Audio) PreRoll() int64 {
	if a.Codec == codecs.Opus {
		return opus.PreRollFrames
	}
	return 1 // a frame overlaps the one before
}

// FrameSamples returns the lengths of the audio frames of all renditions, those of AAC left out.
func (l Ladder) FrameSamples() (frames []int64) {
	for _, a := range l.Audio {
		if n := a.FrameSamples(); n != aac.FrameSamples && !slices.Contains(frames, n) {
			frames = append(frames, n)
		}
	}
	return frames
}
