package libav

/*
#include <libavutil/channel_layout.h>
#include "native.h"
*/
import "C"

import (
	"cmp"
	"fmt"
	"unsafe"

	"github.com/asticode/go-astiav"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/aac"
	"github.com/venuecast/venuecast/codecs/opus"
)

// The encoder's input: the rate of all audio that goes out, and a block of AAC.
const (
	SampleRate   = 48000
	AudioSamples = aac.FrameSamples
)

// AudioEncoderOptions says what to encode.
type AudioEncoderOptions struct {
	Codec    codecs.Codec // AAC or Opus. It defaults to AAC.
	Bitrate  int64        // in bit/s, 16000 to 512000. It defaults to 128000, for Opus to 96000.
	Channels int          // 1 or 2. It defaults to 2.
}

// AudioEncoder turns 48 kHz sound into AAC-LC, with libav's own encoder, or into Opus with libopus.
type AudioEncoder struct {
	name     codecs.Codec
	samples  int // of a block
	channels int
	config   []byte
	codec    *astiav.CodecContext
	packet   *C.AVPacket
	frame    *C.AVFrame
}

// audioCoder is how a codec is encoded.
type audioCoder struct {
	encoder string // libav's name
	format  astiav.SampleFormat
	samples int
	bitrate int64
	options map[string]string
}

var audioCoders = map[codecs.Codec]audioCoder{
	codecs.AAC: {encoder: "aac", format: astiav.SampleFormatFltp, samples: aac.FrameSamples, bitrate: 128_000},
	// Frames of 20 ms; those of constrained VBR stay near the bitrate that the playlist declares. lowdelay leaves out SILK, the
	// coder of speech at low bitrates: another encoder may choose it at another time, and its state takes longer than 80 ms to be
	// that of the one before (at 40 kbit/s a seam of -15 dB).
	codecs.Opus: {encoder: "libopus", format: astiav.SampleFormatFlt, samples: opus.FrameSamples, bitrate: 96_000, options: map[string]string{
		"application": "lowdelay", "frame_duration": "20", "vbr": "constrained",
	}},
}

// NewAudioEncoder opens an encoder. Close must be called.
func NewAudioEncoder(o AudioEncoderOptions) (*AudioEncoder, error) {
	o.Codec = cmp.Or(o.Codec, codecs.AAC)
	coder, ok := audioCoders[o.Codec]
	if !ok {
		return nil, fmt.Errorf("no audio encoder for %v", o.Codec)
	}
	o.Bitrate, o.Channels = cmp.Or(o.Bitrate, coder.bitrate), cmp.Or(o.Channels, 2)
	if o.Bitrate < 16_000 || o.Bitrate > 512_000 || o.Channels < 1 || o.Channels > 2 {
		return nil, fmt.Errorf("encoding %v at %d bit/s, %d channels: out of range", o.Codec, o.Bitrate, o.Channels)
	}
	ctx, err := openCodec(astiav.FindEncoderByName(coder.encoder), coder.encoder, coder.options, func(c *astiav.CodecContext) error {
		c.SetSampleRate(SampleRate)
		c.SetSampleFormat(coder.format)
		c.SetTimeBase(astiav.NewRational(1, SampleRate))
		c.SetBitRate(o.Bitrate)
		c.SetFlags(astiav.NewCodecContextFlags(astiav.CodecContextFlagGlobalHeader))
		C.av_channel_layout_default(&codecContext(c).ch_layout, C.int(o.Channels))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("opening the %s encoder: %w", coder.encoder, err)
	}
	e := &AudioEncoder{
		name: o.Codec, samples: coder.samples, channels: o.Channels, codec: ctx, packet: newPacket(), frame: newFrame(),
	}
	if err := e.configure(); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// configure keeps what a decoder must know. An Opus encoder asks for its delay to be dropped at the start of the stream
// (PreSkip). As packets say where they sound, and viewers join anywhere, nothing is to be dropped: players that do so put
// all sound that much too early.
func (e *AudioEncoder) configure() error {
	e.config = e.codec.ExtraData()
	if e.name != codecs.Opus {
		return nil
	}
	c, err := opus.Parse(e.config)
	if err != nil {
		return err
	}
	c.PreSkip = 0
	e.config = c.Marshal()
	return nil
}

// Config returns the AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1), or the identification header of Opus (RFC 7845 §5.1).
func (e *AudioEncoder) Config() []byte { return e.config }

// Delay returns by how many samples the first packet's PTS is before the first block: 1024 for AAC, 120 for Opus.
func (e *AudioEncoder) Delay() int64 { return int64(codecContext(e.codec).initial_padding) }

// Encode takes one block of exactly 1024 samples for AAC, 960 for Opus, of which the first has the number sample, and puts
// out the frames that are ready. With AAC that is one call late: the frame of this block comes with the next but one.
//
// The PTS of a packet is the number of the first sample that decodes from it: those of Opus are 120 samples before a block.
// The first packet is the encoder's priming: AAC's holds nothing of use, Opus's begins with silence. Blocks must follow
// each other.
func (e *AudioEncoder) Encode(block codecs.PCM, sample int64, emit func(codecs.Packet) error) error {
	if len(block) != e.channels {
		return fmt.Errorf("encoding %v: block of %d channels, want %d", e.name, len(block), e.channels)
	}
	for _, samples := range block {
		if len(samples) != e.samples {
			return fmt.Errorf("encoding %v: block of %d samples, want %d", e.name, len(samples), e.samples)
		}
	}
	var right *C.float
	if e.channels == 2 {
		right = floatPointer(block[1])
	}
	code := C.vc_send_sound(codecContext(e.codec), e.frame, floatPointer(block[0]), right, C.int64_t(sample))
	if err := failed(code); err != nil {
		return fmt.Errorf("encoding %v at sample %d: %w", e.name, sample, err)
	}
	return receivePackets(e.codec, e.packet, emit)
}

// Flush puts out the frames that are held back. After it only Close may be called.
func (e *AudioEncoder) Flush(emit func(codecs.Packet) error) error {
	if err := failed(C.avcodec_send_frame(codecContext(e.codec), nil)); err != nil {
		return fmt.Errorf("flushing %v: %w", e.name, err)
	}
	return receivePackets(e.codec, e.packet, emit)
}

// Close frees the encoder. A second Close does nothing.
func (e *AudioEncoder) Close() {
	freePacket(&e.packet)
	freeFrame(&e.frame)
	freeCodec(&e.codec)
}

// floatPointer returns the address of the first sample, nil for an empty slice.
func floatPointer(samples []float32) *C.float {
	return (*C.float)(unsafe.Pointer(unsafe.SliceData(samples)))
}
