package libav

/*
#include <libavutil/channel_layout.h>
#include "native.h"
*/
import "C"

import (
	"fmt"
	"unsafe"

	"github.com/asticode/go-astiav"

	"github.com/venuecast/venuecast/codecs"
)

// The encoder's input: one AAC frame (ISO/IEC 14496-3 §4.5.2.1.1) at the rate of all audio that goes out.
const (
	SampleRate   = 48000
	AudioSamples = 1024
)

// AudioEncoderOptions says what to encode.
type AudioEncoderOptions struct {
	Bitrate  int64 // in bit/s, 16000 to 512000. It defaults to 128000.
	Channels int   // 1 or 2. It defaults to 2.
}

// AudioEncoder turns 48 kHz sound into AAC-LC, with libav's own encoder.
type AudioEncoder struct {
	channels int
	codec    *astiav.CodecContext
	packet   *C.AVPacket
	frame    *C.AVFrame
}

// NewAudioEncoder opens an encoder. Close must be called.
func NewAudioEncoder(o AudioEncoderOptions) (*AudioEncoder, error) {
	if o.Bitrate == 0 {
		o.Bitrate = 128_000
	}
	if o.Channels == 0 {
		o.Channels = 2
	}
	if o.Bitrate < 16_000 || o.Bitrate > 512_000 || o.Channels < 1 || o.Channels > 2 {
		return nil, fmt.Errorf("encoding aac at %d bit/s, %d channels: out of range", o.Bitrate, o.Channels)
	}
	ctx, err := openCodec(astiav.FindEncoderByName("aac"), "aac", nil, func(c *astiav.CodecContext) error {
		c.SetSampleRate(SampleRate)
		c.SetSampleFormat(astiav.SampleFormatFltp)
		c.SetTimeBase(astiav.NewRational(1, SampleRate))
		c.SetBitRate(o.Bitrate)
		c.SetFlags(astiav.NewCodecContextFlags(astiav.CodecContextFlagGlobalHeader))
		C.av_channel_layout_default(&codecContext(c).ch_layout, C.int(o.Channels))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("opening the aac encoder: %w", err)
	}
	return &AudioEncoder{channels: o.Channels, codec: ctx, packet: newPacket(), frame: newFrame()}, nil
}

// Config returns the AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1).
func (e *AudioEncoder) Config() []byte { return e.codec.ExtraData() }

// Encode takes one block of exactly 1024 samples, of which the first has the number sample, and puts out raw AAC frames
// that are ready: each one call late, so that the frame of this block comes with the next but one.
//
// The PTS of a packet is the number of the first sample that decodes from it. The first packet is the encoder's
// priming: it starts 1024 samples before the first block and holds nothing of use. Blocks must follow each other.
func (e *AudioEncoder) Encode(block codecs.PCM, sample int64, emit func(codecs.Packet) error) error {
	if len(block) != e.channels {
		return fmt.Errorf("encoding aac: block of %d channels, want %d", len(block), e.channels)
	}
	for _, samples := range block {
		if len(samples) != AudioSamples {
			return fmt.Errorf("encoding aac: block of %d samples, want %d", len(samples), AudioSamples)
		}
	}
	var right *C.float
	if e.channels == 2 {
		right = floatPointer(block[1])
	}
	code := C.vc_send_sound(codecContext(e.codec), e.frame, floatPointer(block[0]), right, C.int64_t(sample))
	if err := failed(code); err != nil {
		return fmt.Errorf("encoding aac at sample %d: %w", sample, err)
	}
	return receivePackets(e.codec, e.packet, emit)
}

// Flush puts out the frames that are held back. After it only Close may be called.
func (e *AudioEncoder) Flush(emit func(codecs.Packet) error) error {
	if err := failed(C.avcodec_send_frame(codecContext(e.codec), nil)); err != nil {
		return fmt.Errorf("flushing aac: %w", err)
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
