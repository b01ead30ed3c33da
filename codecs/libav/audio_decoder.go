package libav

/*
#include <libavutil/channel_layout.h>
#include "native.h"
*/
import "C"

import (
	"errors"
	"fmt"

	"github.com/asticode/go-astiav"

	"github.com/venuecast/venuecast/codecs"
)

// audioDecoders are libav's names. mp3float decodes all layers of MPEG-1 and MPEG-2 audio.
var audioDecoders = map[codecs.Codec]string{
	codecs.AAC: "aac", codecs.PCMA: "pcm_alaw", codecs.PCMU: "pcm_mulaw", codecs.G722: "g722", codecs.Opus: "opus",
	codecs.MPEG2: "mp3float", codecs.AC3: "ac3", codecs.L16: "pcm_s16be",
}

// maxConfig bounds an AudioSpecificConfig, which has a few bytes.
const maxConfig = 1024

// AudioDecoder turns coded audio into 48 kHz stereo. Mono goes to both channels at full level,
// more than two channels are mixed down so that nothing clips.
//
// Nothing is shifted in time: sample n put out since the start, or since a Flush, is the sound at n/48000 s of the input.
// Where the input is not 48 kHz, the last 16 or so input samples (the resampler's filter length) are still held back.
type AudioDecoder struct {
	codec     *astiav.CodecContext
	packet    *C.AVPacket
	frame     *C.AVFrame
	resampler *C.struct_SwrContext // nil until the first frame
	from      soundFormat
}

// soundFormat is what a resampler is made for.
type soundFormat struct{ rate, format, channels C.int }

// NewAudioDecoder opens a decoder. Close must be called.
func NewAudioDecoder(f codecs.Format) (*AudioDecoder, error) {
	name, ok := audioDecoders[f.Codec]
	switch {
	case !ok:
		return nil, fmt.Errorf("no audio decoder for %v", f.Codec)
	case f.SampleRate < 4000 || f.SampleRate > 384_000 || f.Channels < 1 || f.Channels > 16 || len(f.Config) > maxConfig:
		return nil, fmt.Errorf("%v audio of %d Hz, %d channels: out of range", f.Codec, f.SampleRate, f.Channels)
	}
	ctx, err := openCodec(astiav.FindDecoderByName(name), name, nil, func(c *astiav.CodecContext) error {
		c.SetSampleRate(f.SampleRate)
		C.av_channel_layout_default(&codecContext(c).ch_layout, C.int(f.Channels))
		if len(f.Config) == 0 {
			return nil
		}
		return c.SetExtraData(f.Config)
	})
	if err != nil {
		return nil, fmt.Errorf("opening the %v decoder: %w", f.Codec, err)
	}
	return &AudioDecoder{codec: ctx, packet: newPacket(), frame: newFrame()}, nil
}

// Decode decodes one access unit and hands out its sound, which the receiver then owns.
// An error that is codecs.ErrBadUnit concerns this unit only.
func (d *AudioDecoder) Decode(au codecs.AccessUnit, emit func(codecs.PCM) error) error {
	if len(au.Data) == 0 {
		return fmt.Errorf("%w: it is empty", codecs.ErrBadUnit)
	}
	code := C.vc_send_data(codecContext(d.codec), d.packet, bytePointer(au.Data), C.int(len(au.Data)), C.int64_t(au.PTS))
	err := d.receive(emit)
	if code < 0 && err == nil {
		return asBadUnit(code)
	}
	return err
}

// Flush hands out the sound that is held back and starts anew: what comes next does not continue what came before.
func (d *AudioDecoder) Flush(emit func(codecs.PCM) error) error {
	C.avcodec_send_packet(codecContext(d.codec), nil) // fails only where there is nothing to drain
	err := d.receive(emit)
	C.avcodec_flush_buffers(codecContext(d.codec))
	if end := d.endResampler(emit); err == nil {
		err = end
	}
	return err
}

func (d *AudioDecoder) receive(emit func(codecs.PCM) error) error {
	var bad error
	for {
		code := C.avcodec_receive_frame(codecContext(d.codec), d.frame)
		if drained(code) {
			return bad
		}
		if code < 0 {
			if bad = asBadUnit(code); !errors.Is(bad, codecs.ErrBadUnit) {
				return bad
			}
			continue
		}
		err := d.resample(emit)
		C.av_frame_unref(d.frame)
		if err != nil {
			return err
		}
	}
}

// resample hands out the received frame.
func (d *AudioDecoder) resample(emit func(codecs.PCM) error) error {
	from := soundFormat{d.frame.sample_rate, d.frame.format, d.frame.ch_layout.nb_channels}
	if d.resampler != nil && d.from != from {
		if err := d.endResampler(emit); err != nil {
			return err
		}
	}
	if d.resampler == nil {
		if err := failed(C.vc_resample_open(&d.resampler, d.frame)); err != nil {
			return fmt.Errorf("opening a resampler: %w", err)
		}
		count(kindResampler, 1)
		d.from = from
	}
	return d.run(d.frame, emit)
}

// run resamples a frame, or with nil what is left.
func (d *AudioDecoder) run(frame *C.AVFrame, emit func(codecs.PCM) error) error {
	var in C.int
	if frame != nil {
		in = frame.nb_samples
	}
	room := int(C.swr_get_out_samples(d.resampler, in))
	if room <= 0 {
		return nil
	}
	pcm := codecs.PCM{make([]float32, room), make([]float32, room)}
	n := C.vc_resample_run(d.resampler, frame, floatPointer(pcm[0]), floatPointer(pcm[1]), C.int(room))
	if err := failed(n); err != nil {
		return fmt.Errorf("resampling: %w", err)
	}
	if n == 0 {
		return nil
	}
	return emit(codecs.PCM{pcm[0][:n], pcm[1][:n]})
}

// endResampler hands out what the resampler holds and frees it.
func (d *AudioDecoder) endResampler(emit func(codecs.PCM) error) error {
	if d.resampler == nil {
		return nil
	}
	err := d.run(nil, emit)
	d.freeResampler()
	return err
}

func (d *AudioDecoder) freeResampler() {
	if d.resampler != nil {
		C.swr_free(&d.resampler)
		count(kindResampler, -1)
	}
}

// Close frees the decoder. A second Close does nothing.
func (d *AudioDecoder) Close() {
	d.freeResampler()
	freePacket(&d.packet)
	freeFrame(&d.frame)
	freeCodec(&d.codec)
}
