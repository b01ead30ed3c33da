package libav

/*
#include <stdlib.h>
#include "native.h"
*/
import "C"

import (
	"cmp"
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"github.com/venuecast/venuecast/codecs"
)

// ScalerOptions says what pictures to make.
type ScalerOptions struct {
	Width, Height int // in pixels, 1 to 16384
	Depth         int // bits per sample: 8 or 10. It defaults to 8.
	// Flags are libswscale's, such as "area" or "lanczos+accurate_rnd". They default to "bicubic", which widens with the
	// step down and so does not alias; "area" and "bilinear" blur: see docs/performance.md. Bicubic is our own code where
	// that is faster.
	Flags string
	// Card, if not nil and if it scales, scales its own pictures, which then stay on it; so what comes of one may lie there or in
	// memory. Without it, everything comes out in memory.
	Card *Card
}

// Scaler conforms pictures to one size and format: 4:2:0, limited range, square pixels. The colour stays that of the source,
// but for HDR that is to have 8 bits: it is tone-mapped to BT.709. It works on the calling thread only.
type Scaler struct {
	o      ScalerOptions
	format C.int // pixel format put out
	from   scalerInput
	// One of these is for from; both are nil until the first picture that is not passed through.
	own *C.VCBicubic // see bicubic.go
	sws *C.struct_SwsContext

	pool *C.AVBufferPool // buffers of released pictures are used again
	call *C.VCCall       // in C's memory, for the next picture
	tone toneMap

	onCard  filter  // for pictures of o.Card
	fetcher fetcher // for those that have to be in memory
}

// scalerInput is what a SwsContext is made for.
type scalerInput struct{ width, height, format, fullRange C.int }

// NewScaler returns a scaler. Close must be called.
func NewScaler(o ScalerOptions) (*Scaler, error) {
	if o.Depth != 0 && o.Depth != 8 && o.Depth != 10 {
		return nil, fmt.Errorf("scaling to %d bits per sample: want 8 or 10", o.Depth)
	}
	return newScaler(o, planar(o.Depth))
}

func newScaler(o ScalerOptions, format C.int) (*Scaler, error) {
	if o.Width < 1 || o.Height < 1 || o.Width > maxSide || o.Height > maxSide {
		return nil, fmt.Errorf("scaling to %d×%d: sides must be 1 to %d", o.Width, o.Height, maxSide)
	}
	if o.Flags != "" {
		flags := C.CString(o.Flags)
		defer C.free(unsafe.Pointer(flags))
		if err := failed(C.vc_scale_check_flags(flags)); err != nil {
			return nil, fmt.Errorf("scaler flags %q: %w", o.Flags, err)
		}
	}
	tuneScaling()
	s := &Scaler{o: o, format: format}
	if err := failed(C.vc_scale_pool(&s.pool, C.int(o.Width), C.int(o.Height), format)); err != nil {
		return nil, fmt.Errorf("making a picture pool: %w", err)
	}
	count(kindPool, 1)
	if s.call = (*C.VCCall)(C.calloc(1, C.sizeof_VCCall)); s.call == nil {
		s.Close()
		return nil, errors.New("out of memory")
	}
	return s, nil
}

// tuneScaling finds out, once, which of libswscale's filters is the faster one here. It takes about a millisecond.
var tuneScaling = sync.OnceFunc(func() { C.vc_scale_tune() })

// Scale returns p in the scaler's size and format, with p's colour properties and captions.
// A picture that is so already is returned as another reference, without work.
// The input may change from picture to picture. p stays the caller's; the result must be released.
func (s *Scaler) Scale(p codecs.Picture) (codecs.Picture, error) {
	scaled, err := s.scale(p)
	if err != nil {
		return nil, err
	}
	return scaled, nil
}

func (s *Scaler) scale(p codecs.Picture) (*Picture, error) {
	src, err := ours(p)
	if err != nil {
		return nil, err
	}
	if src.onCard() {
		return s.scaleOnCard(src)
	}
	if s.format == C.AV_PIX_FMT_YUV420P && C.vc_is_hdr(src.frame) != 0 {
		return s.tone.scale(src, s.o.Width, s.o.Height)
	}
	in := inputFrom(src)
	if s.fits(in) {
		same := src.retain()
		same.frame.sample_aspect_ratio = C.AVRational{1, 1}
		return same, nil
	}
	call, err := s.prepare(src, in)
	if err != nil {
		return nil, err
	}
	dst := &Picture{call.dst}
	if err := failed(onThread(*call)); err != nil {
		dst.Release()
		return nil, fmt.Errorf("scaling to %d×%d: %w", s.o.Width, s.o.Height, err)
	}
	return dst, nil
}

// prepare returns the call that scales src, which is or will be like in, into a new frame. It is valid until the next.
func (s *Scaler) prepare(src *Picture, in scalerInput) (*C.VCCall, error) {
	if err := s.follow(in); err != nil {
		return nil, fmt.Errorf("scaling from %d×%d to %d×%d: %w", in.width, in.height, s.o.Width, s.o.Height, err)
	}
	*s.call = C.VCCall{
		work: C.VC_SCALE, sws: s.sws, bicubic: s.own, pool: s.pool, src: src.frame, dst: newFrame(),
		width: C.int(s.o.Width), height: C.int(s.o.Height), format: s.format,
	}
	return s.call, nil
}

// output returns what the scaler's pictures are.
func (s *Scaler) output() scalerInput {
	return scalerInput{C.int(s.o.Width), C.int(s.o.Height), s.format, 0}
}

func (s *Scaler) fits(in scalerInput) bool { return in == s.output() }

// follow makes the context fit the input.
func (s *Scaler) follow(in scalerInput) error {
	if (s.sws != nil || s.own != nil) && s.from == in {
		return nil
	}
	s.freeContext()
	code := s.openOwn(in)
	if code == C.VC_ENOSYS {
		code = s.openSws(in)
	}
	if err := failed(code); err != nil {
		return err
	}
	count(kindScaler, 1)
	s.from = in
	return nil
}

// openOwn prepares our own scaling; ENOSYS leaves it to libswscale.
func (s *Scaler) openOwn(in scalerInput) C.int {
	planar := in.format == C.AV_PIX_FMT_YUV420P && in.fullRange == 0 && s.format == C.AV_PIX_FMT_YUV420P
	if !planar || cmp.Or(s.o.Flags, "bicubic") != "bicubic" {
		return C.VC_ENOSYS
	}
	return C.vc_bicubic_open(&s.own, in.width, in.height, C.int(s.o.Width), C.int(s.o.Height), C.int(ownScaling))
}

func (s *Scaler) openSws(in scalerInput) C.int {
	flags := C.CString(cmp.Or(s.o.Flags, "bicubic"))
	defer C.free(unsafe.Pointer(flags))
	return C.vc_scale_open(&s.sws, in.width, in.height, in.format, in.fullRange,
		C.int(s.o.Width), C.int(s.o.Height), s.format, 0, flags)
}

func (s *Scaler) freeContext() {
	if s.sws == nil && s.own == nil {
		return
	}
	C.sws_freeContext(s.sws)
	C.vc_bicubic_close(s.own)
	count(kindScaler, -1)
	s.sws, s.own = nil, nil
}

// Close frees the scaler. Pictures it gave out stay valid: libav frees the pool with the last of them.
// A second Close does nothing.
func (s *Scaler) Close() {
	s.freeContext()
	s.tone.filter.close()
	s.onCard.close()
	s.fetcher.close()
	if s.pool == nil {
		return
	}
	C.av_buffer_pool_uninit(&s.pool)
	C.free(unsafe.Pointer(s.call))
	s.call = nil
	count(kindPool, -1)
}
