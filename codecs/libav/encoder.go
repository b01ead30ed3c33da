package libav

/*
#include "native.h"
*/
import "C"

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/asticode/go-astiav"

	"github.com/venuecast/venuecast/codecs"
)

// EncoderOptions says what to encode and how.
type EncoderOptions struct {
	Codec codecs.Codec // H264, H265 or AV1
	// Encoder is libav's name of the encoder to use. It defaults to the first that opens of NVENC, VAAPI, QSV and x264 or x265.
	Encoder string
	// Card, if not nil and if it scales, gives its pictures to encoders of its own as they are. Others get them in memory.
	Card          *Card
	Software      bool            // no hardware is tried, nor the Encoder that was named if it is one
	Width, Height int             // in pixels, even
	FrameRate     codecs.Rational // the rate that frame numbers count in
	Depth         int             // bits per sample: 8 or, but for H.264, 10. It defaults to 8.
	Colour        codecs.Colour   // what the stream says of its colour, limited range. The zero value says nothing.
	Divisor       int64           // every Divisor-th frame number is encoded. It defaults to 1.
	Bitrate       int64           // the average, in bit/s
	MaxRate       int64           // the most the buffer is filled with, in bit/s. It defaults to 1.1 × Bitrate.
	Buffer        int64           // the decoder's buffer (VBV), in bits. It defaults to one second at MaxRate.
	// Quality is the constant rate factor of x264, x265 and SVT-AV1 and the constant quality of NVENC, 1 to 63, lower is better:
	// simple scenes then take fewer bits than Bitrate, which is the most any second takes (MaxRate defaults to it).
	// 0: Bitrate is the average; for AV1, 35. VAAPI and QSV know no such rate control, and go on as with 0.
	Quality float64
	// Preset is the encoder's: of x264 and x265 "ultrafast" to "placebo", of SVT-AV1 "1" to "13", of NVENC "p1" to "p7".
	// An encoder that was not named leaves aside what is not its own. It defaults to "veryfast", "superfast", "10" and "p4".
	Preset  string
	Threads int // of one encoder. It defaults to 1, which delays least; more encode several pictures at once.
	// KeyInterval is a safety net: the most pictures between two IDR pictures if none is asked for.
	// It must not be below the pictures of a segment. It defaults to ten seconds.
	KeyInterval int64
	LowLatency  bool // no lookahead and no B-pictures: each packet comes out with its picture
	// SetID is the id of the parameter sets, 0 to 31. Others than 0 want x264.
	SetID     int
	Lookahead int // pictures the rate control looks ahead. It defaults to the preset's.
	BFrames   int // most B-pictures in a row; -1: the preset's. Only x264 and x265 make any.
}

// Validate reports what is wrong with the options.
func (o EncoderOptions) Validate() error {
	switch {
	case o.Codec != codecs.H264 && o.Codec != codecs.H265 && o.Codec != codecs.AV1:
		return fmt.Errorf("encoding %v: want h264, h265 or av1", o.Codec)
	case o.Width < 2 || o.Height < 2 || o.Width > maxSide || o.Height > maxSide || o.Width%2 != 0 || o.Height%2 != 0:
		return fmt.Errorf("encoding %d×%d: sides must be even, 2 to %d", o.Width, o.Height, maxSide)
	case o.Depth != 0 && o.Depth != 8 && (o.Depth != 10 || o.Codec == codecs.H264):
		return fmt.Errorf("encoding %v with %d bits per sample: want 8, for h265 and av1 8 or 10", o.Codec, o.Depth)
	case !o.FrameRate.Valid() || o.FrameRate.Num > 1<<30 || o.FrameRate.Den > 1<<20:
		return fmt.Errorf("encoding: frame rate %v is out of range", o.FrameRate)
	case o.Divisor < 0 || o.Divisor > 100:
		return fmt.Errorf("encoding: every %d-th frame is out of range", o.Divisor)
	case o.Bitrate < 1000 || o.Bitrate > 1e9 || o.MaxRate < 0 || o.MaxRate > 2e9 || o.Buffer < 0 || o.Buffer > 2e9:
		return fmt.Errorf("encoding: bitrate %d, maximum %d or buffer %d is out of range", o.Bitrate, o.MaxRate, o.Buffer)
	case o.SetID < 0 || o.SetID > 31 || o.SetID > 0 && o.Encoder != "libx264":
		return fmt.Errorf("encoding: parameter sets of id %d with encoder %q: want 0 to 31, other than 0 with libx264", o.SetID, o.Encoder)
	case o.Threads < 0 || o.Threads > 128 || o.Lookahead < 0 || o.Lookahead > 250 || o.BFrames < -1 || o.BFrames > 16:
		return errors.New("encoding: threads, lookahead or B-frames are out of range")
	case o.Preset != "" && !isPreset(o.Preset):
		return fmt.Errorf("encoding: no encoder has a preset %q", o.Preset)
	case o.Quality < 0 || o.Quality > 63:
		return fmt.Errorf("encoding: quality %v: want 1 to 63", o.Quality)
	}
	return nil
}

func (o EncoderOptions) withDefaults() EncoderOptions {
	o.Divisor = max(o.Divisor, 1)
	o.Depth = cmp.Or(o.Depth, 8)
	o.Threads = max(o.Threads, 1)
	if o.Codec == codecs.AV1 && o.Quality == 0 {
		o.Quality = 35 // SVT-AV1 makes random access pictures on demand only at constant quality
	}
	switch {
	case o.MaxRate == 0 && o.Quality > 0:
		o.MaxRate = o.Bitrate
	case o.MaxRate == 0:
		o.MaxRate = o.Bitrate * 11 / 10
	}
	if o.Buffer == 0 {
		o.Buffer = o.MaxRate
	}
	if o.KeyInterval <= 0 {
		o.KeyInterval = max(codecs.MulDiv(10, o.FrameRate.Num, o.FrameRate.Den*o.Divisor), 1)
	}
	return o
}

// Encoder turns pictures of one size into an H.264 or H.265 stream.
//
// Random access pictures come where they are asked for, and nowhere else up to KeyInterval: scene cuts are off, groups of pictures
// are closed. With one thread the same pictures, numbers and types give the same bytes in any process with the same build and
// options; with more, the rate control sees the other threads' progress, and bytes differ from run to run.
type Encoder struct {
	o       EncoderOptions
	name    string
	refused []string
	codec   *astiav.CodecContext
	device  *hardware // nil where pictures are given from memory
	convert *Scaler   // to the encoder's pixel format in memory; nil where that is 4:2:0 planar, and no picture came from a card
	packet  *C.AVPacket
	thread  *thread    // nil before the first picture
	posted  []posted   // the pictures that its thread has been given since they were last collected
	out     packetList // what came of them
	single  bool       // none of them brings out more than one packet
	last    int64      // the last frame number taken
	begun   bool
	ended   bool // it has been told that no picture comes any more
	drains  bool // it must have been told before it is closed
	held    int  // pictures taken and not yet put out
	delay   int  // the most held at once
}

// Name returns libav's name of the encoder that opened.
func (e *Encoder) Name() string { return e.name }

// Refused returns one line for each encoder that was tried before and did not open: its name and why.
func (e *Encoder) Refused() []string { return e.refused }

// ParameterSets returns the stream's parameter sets, Annex B. They do not change.
func (e *Encoder) ParameterSets() []byte { return e.codec.ExtraData() }

// Delay returns how many pictures the encoder has held back at most so far. It settles when the lookahead is full.
func (e *Encoder) Delay() int { return e.delay }

// posted is a picture that the encoder's thread was given.
type posted struct {
	frame   int64
	picture *Picture // our own reference, to be released when the call is done
}

// Encode takes picture p as frame number frame, which must grow, and puts out the packets that are ready, in decoding order.
// The PTS of a packet is the frame number of its picture. p stays the caller's and is not changed.
func (e *Encoder) Encode(p codecs.Picture, frame int64, t codecs.PictureType, emit func(codecs.Packet) error) error {
	if _, err := e.Submit(p, frame, t, given(emit)); err != nil {
		return err
	}
	return e.Collect(given(emit))
}

// Submit does as Encode does, but need not wait for the picture to be encoded: what comes of it is put out by the next call of
// Submit, Collect or Flush, as are errors. It returns how many packets, at most, Collect would put out now. The packets of Submit
// and Collect are lent: their Data is libav's memory, and valid until emit returns.
func (e *Encoder) Submit(p codecs.Picture, frame int64, t codecs.PictureType, emit func(codecs.Packet) error) (pending int, err error) {
	if e.begun && frame <= e.last {
		return 0, fmt.Errorf("encoding frame %d with %s: it is not after frame %d", frame, e.name, e.last)
	}
	if len(e.posted) == depth || e.thread != nil && e.thread.done() {
		if err := e.Collect(emit); err != nil {
			return 0, err
		}
	}
	src, err := e.input(p)
	if err != nil {
		return 0, fmt.Errorf("encoding frame %d with %s: %w", frame, e.name, err)
	}
	if e.thread == nil {
		e.thread = takeThread()
	}
	e.posted = append(e.posted, posted{frame, src})
	e.thread.post(C.VCCall{
		work: C.VC_ENCODE, codec: codecContext(e.codec), dst: src.frame, pts: C.int64_t(frame), _type: pictureType(t),
		packets: e.out.list,
	})
	e.begun, e.last = true, frame
	if !e.single {
		return 0, e.Collect(emit)
	}
	return len(e.posted), nil
}

// Collect waits for the pictures that were submitted and puts out the packets that are ready.
func (e *Encoder) Collect(emit func(codecs.Packet) error) error {
	if len(e.posted) == 0 {
		return nil
	}
	result := e.thread.wait()
	failedAt := e.posted[len(e.posted)-1-int(result.left)].frame
	e.held += len(e.posted) - int(result.left)
	for _, p := range e.posted {
		p.picture.Release()
	}
	e.posted = e.posted[:0]
	err := e.receive(emit)
	e.delay = max(e.delay, e.held)
	if result.code < 0 {
		return e.failure(failedAt, failed(result.code))
	}
	if errors.Is(err, errReceiving) {
		return e.failure(failedAt, err)
	}
	return err
}

// input returns a reference to p in the encoder's pixel format.
func (e *Encoder) input(p codecs.Picture) (*Picture, error) {
	src, err := ours(p)
	if err != nil {
		return nil, err
	}
	if src.onCard() {
		return e.inputFromCard(src)
	}
	var full C.int
	format := C.vc_scale_format(src.frame, &full)
	if w, h := src.Size(); w != e.o.Width || h != e.o.Height || format != planar(e.o.Depth) || full != 0 {
		return nil, fmt.Errorf("picture of %d×%d in pixel format %d, want %d×%d, %d bit 4:2:0, limited range",
			w, h, format, e.o.Width, e.o.Height, e.o.Depth)
	}
	if e.convert != nil {
		return e.convert.scale(src)
	}
	return src.retain(), nil
}

func pictureType(t codecs.PictureType) C.int {
	switch t {
	case codecs.TypeIDR:
		return C.AV_PICTURE_TYPE_I // with the encoder's forced-idr option
	case codecs.TypeP:
		return C.AV_PICTURE_TYPE_P
	}
	return C.AV_PICTURE_TYPE_NONE
}

// Flush puts out what the encoder holds back. After it only Close may be called.
func (e *Encoder) Flush(emit func(codecs.Packet) error) error {
	e.ended = true
	if err := e.Collect(given(emit)); err != nil {
		return err
	}
	if err := failed(C.avcodec_send_frame(codecContext(e.codec), nil)); err != nil {
		return fmt.Errorf("flushing %s: %w", e.name, err)
	}
	return receivePackets(e.codec, e.packet, emit)
}

// receive hands out the packets that its thread has received, and those for which there was no room.
func (e *Encoder) receive(emit func(codecs.Packet) error) error {
	counted := func(p codecs.Packet) error {
		e.held--
		return emit(p)
	}
	full := e.out.full()
	if err := e.out.take(counted); err != nil || !full {
		return err
	}
	return receivePackets(e.codec, e.packet, counted)
}

var errReceiving = errors.New("receiving a packet")

// receivePackets hands out the packets that are ready, each with a copy of its bytes.
func receivePackets(ctx *astiav.CodecContext, packet *C.AVPacket, emit func(codecs.Packet) error) error {
	for {
		code := C.avcodec_receive_packet(codecContext(ctx), packet)
		if drained(code) {
			return nil
		}
		if err := failed(code); err != nil {
			return fmt.Errorf("%w: %w", errReceiving, err)
		}
		err := given(emit)(lent(packet))
		C.av_packet_unref(packet)
		if err != nil {
			return err
		}
	}
}

// Close frees the encoder, when the pictures that were submitted are encoded. A second Close does nothing.
func (e *Encoder) Close() {
	if e.codec != nil && e.drains && !e.ended {
		e.drain()
	}
	_ = e.Collect(func(codecs.Packet) error { return nil })
	if e.thread != nil {
		e.thread.putBack()
		e.thread = nil
	}
	freePacket(&e.packet)
	e.out.free()
	if e.codec != nil && isHardware(e.name) {
		countSession(deviceOf(e.name), sessionEncode, -1)
	}
	freeCodec(&e.codec)
	if e.convert != nil {
		e.convert.Close()
	}
	if e.device != nil {
		e.device.Close()
	}
}
