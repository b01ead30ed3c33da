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

// JPEGOptions says what still pictures to make.
type JPEGOptions struct {
	Width, Height int // in pixels, even, 2 to 16384
	Quality       int // libav's scale: 2 is the best, 31 the worst. It defaults to 6.
	// HD says that pictures which do not say their colours are of BT.709. It defaults to BT.601.
	HD bool
}

// JPEGEncoder codes pictures as baseline JPEG files of one size: 4:2:0, full range and BT.601 as JFIF has it.
// It scales by itself; pictures of any size and format may come. HDR is tone-mapped. It works on the calling thread only.
type JPEGEncoder struct {
	o      JPEGOptions
	codec  *astiav.CodecContext
	tone   toneMap
	fetch  fetcher
	from   scalerInput
	matrix C.int
	sws    *C.struct_SwsContext // for from and matrix; nil before the first picture
	packet *C.AVPacket
	frame  *C.AVFrame
	next   int64
}

// NewJPEGEncoder returns an encoder. Close must be called.
func NewJPEGEncoder(o JPEGOptions) (*JPEGEncoder, error) {
	o.Quality = cmp.Or(o.Quality, 6)
	if o.Width < 2 || o.Height < 2 || o.Width > maxSide || o.Height > maxSide || o.Width%2 != 0 || o.Height%2 != 0 {
		return nil, fmt.Errorf("coding JPEG of %d×%d: sides must be even, 2 to %d", o.Width, o.Height, maxSide)
	}
	if o.Quality < 2 || o.Quality > 31 {
		return nil, fmt.Errorf("coding JPEG of quality %d: want 2 to 31", o.Quality)
	}
	codec, err := openCodec(astiav.FindEncoderByName("mjpeg"), "mjpeg", nil, func(ctx *astiav.CodecContext) error {
		ctx.SetWidth(o.Width)
		ctx.SetHeight(o.Height)
		ctx.SetPixelFormat(astiav.PixelFormatYuv420P)
		ctx.SetColorRange(astiav.ColorRangeJpeg)
		ctx.SetTimeBase(astiav.NewRational(1, 1))
		ctx.SetThreadCount(1)
		C.vc_jpeg_quality(codecContext(ctx), C.int(o.Quality))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("opening the JPEG encoder: %w", err)
	}
	return &JPEGEncoder{o: o, codec: codec, packet: newPacket(), frame: newFrame()}, nil
}

// JPEG returns p as a JPEG file. p stays the caller's.
func (e *JPEGEncoder) JPEG(p codecs.Picture) ([]byte, error) {
	src, err := ours(p)
	if err != nil {
		return nil, fmt.Errorf("coding JPEG: %w", err)
	}
	if err := e.scale(src); err != nil {
		return nil, fmt.Errorf("scaling for JPEG: %w", err)
	}
	e.next++
	if err := failed(C.vc_jpeg_send(codecContext(e.codec), e.frame, C.int64_t(e.next))); err != nil {
		return nil, fmt.Errorf("coding JPEG: %w", err)
	}
	var file []byte
	err = receivePackets(e.codec, e.packet, func(p codecs.Packet) error {
		file = p.Data
		return nil
	})
	if err == nil && file == nil {
		err = errors.New("coding JPEG: the encoder held the picture back")
	}
	return file, err
}

func (e *JPEGEncoder) scale(src *Picture) error {
	if src.onCard() {
		memory, err := e.fetch.fetch(src)
		if err != nil {
			return err
		}
		defer memory.Release()
		src = memory
	}
	if C.vc_is_hdr(src.frame) != 0 {
		mapped, err := e.tone.scale(src, e.o.Width, e.o.Height)
		if err != nil {
			return err
		}
		defer mapped.Release()
		src = mapped
	}
	in := scalerInput{width: src.frame.width, height: src.frame.height}
	in.format = C.vc_scale_format(src.frame, &in.fullRange)
	unsaid := C.int(C.SWS_CS_ITU601)
	if e.o.HD {
		unsaid = C.SWS_CS_ITU709
	}
	if err := e.follow(in, C.vc_jpeg_matrix(src.frame, unsaid)); err != nil {
		return err
	}
	err := failed(C.vc_jpeg_scale(e.sws, src.frame, e.frame, C.int(e.o.Width), C.int(e.o.Height)))
	if err != nil {
		C.av_frame_unref(e.frame)
	}
	return err
}

// follow makes the SwsContext fit the input.
func (e *JPEGEncoder) follow(in scalerInput, matrix C.int) error {
	if e.sws != nil && e.from == in && e.matrix == matrix {
		return nil
	}
	e.freeContext()
	err := failed(C.vc_jpeg_open(&e.sws, in.width, in.height, in.format, in.fullRange, matrix, C.int(e.o.Width), C.int(e.o.Height)))
	if err != nil {
		return err
	}
	count(kindScaler, 1)
	e.from, e.matrix = in, matrix
	return nil
}

func (e *JPEGEncoder) freeContext() {
	if e.sws == nil {
		return
	}
	C.sws_freeContext(e.sws)
	count(kindScaler, -1)
	e.sws = nil
}

// Close frees the encoder. A second Close does nothing.
func (e *JPEGEncoder) Close() {
	e.freeContext()
	e.tone.filter.close()
	e.fetch.close()
	freePacket(&e.packet)
	freeFrame(&e.frame)
	freeCodec(&e.codec)
}
