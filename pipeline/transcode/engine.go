package transcode

import (
	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

// VideoEngine makes the native objects of the video path. What it returns belongs to the goroutine that asked.
type VideoEngine interface {
	NewDecoder(c codecs.Codec) (Decoder, error)
	NewScaler(v ladder.Video) (Scaler, error)
	NewEncoder(v ladder.Video, g grid.Grid, l ladder.Latency) (Encoder, error)
	// Slate draws the card that is shown while a source is away.
	Slate(width, height int, feed string) (codecs.Picture, error)
}

// AudioEngine makes the native objects of the audio path.
type AudioEngine interface {
	NewAudioDecoder(f codecs.Format) (AudioDecoder, error)
	NewAudioEncoder(a ladder.Audio) (AudioEncoder, error)
}

// Decoder turns access units into pictures, in order of presentation.
type Decoder interface {
	// Decode takes one unit. Each picture that emit gets is its own to Release.
	// An error that the next random access unit heals wraps codecs.ErrBadUnit.
	Decode(u codecs.AccessUnit, emit func(p codecs.Picture, pts codecs.Ticks) error) error
	// Flush emits what is still inside. Decoding may go on with a random access unit.
	Flush(emit func(p codecs.Picture, pts codecs.Ticks) error) error
	Close()
}

// Scaler makes pictures of one size.
type Scaler interface {
	// Scale returns a picture of its own to Release; p stays the caller's.
	Scale(p codecs.Picture) (codecs.Picture, error)
	Close()
}

// Encoder codes the pictures of one rendition.
type Encoder interface {
	PictureEncoder
	// ParameterSets returns them in Annex B. They are constant.
	ParameterSets() []byte
	Close()
}

// PictureEncoder codes pictures. Packets come in decoding order, some pictures later, and their data is lent until emit returns.
type PictureEncoder interface {
	// Submit takes picture number frame; p stays the caller's. It need not wait until the picture is coded: what comes of it, errors
	// too, may be put out by the next call of any method. Submit returns how many packets, at most, Collect would put out now.
	Submit(p codecs.Picture, frame int64, t codecs.PictureType, emit func(codecs.Packet) error) (pending int, err error)
	// Collect waits for what comes of the pictures that were submitted.
	Collect(emit func(codecs.Packet) error) error
	// Flush puts out what is held back, when no picture comes any more.
	Flush(emit func(codecs.Packet) error) error
}

// AudioDecoder turns coded frames into 48 kHz stereo.
type AudioDecoder interface {
	// Decode emits the sound of one unit; the samples are valid until emit returns.
	Decode(u codecs.AccessUnit, emit func(codecs.PCM) error) error
	Close()
}

// AudioEncoder codes 48 kHz stereo as the rendition's codec.
type AudioEncoder interface {
	// Encode takes the samples of exactly one frame per channel, the first of which has the given number. A packet's PTS
	// is the number of the first sample that it decodes to. The first packets are priming.
	Encode(block codecs.PCM, sample int64, emit func(codecs.Packet) error) error
	// Delay returns by how many samples the first packet's PTS is before the first block.
	Delay() int64
	// Config returns what a decoder must know: see cmaf.AudioTrack.
	Config() []byte
	Close()
}
