// Package libav wraps FFmpeg's libraries for the pipeline: decoders, scaler, encoders, audio and a demuxer for files.
//
// It is the only package that uses cgo. Codec contexts, options, hardware devices and the demuxer come through go-astiav;
// small C functions of this package stand where go-astiav has nothing, or copies more than it must:
// padded packets, frame references, side data, buffer pools, flushing, and the log.
//
// No object here may be used by two goroutines at once: each has one owner. A Picture's pixels are shared and
// immutable; a goroutine that wants to hold a Picture takes a reference of its own with Retain.
// Every native object is counted by kind in the Ledger, which is all zero when everything is closed and released.
package libav

/*
#cgo pkg-config: libavcodec libavfilter libavformat libswscale libswresample libavutil
#cgo CFLAGS: -O2 -Wall
#include "native.h"
*/
import "C"

import (
	"fmt"
	"unsafe"

	"github.com/asticode/go-astiav"

	"github.com/venuecast/venuecast/codecs"
)

// noPTS is AV_NOPTS_VALUE.
const noPTS = -1 << 63

// failed returns libav's code as an error, nil if it is not negative.
func failed(code C.int) error {
	if code >= 0 {
		return nil
	}
	return astiav.Error(code)
}

// drained reports whether a receive call has nothing more to give, for now (EAGAIN) or at all (EOF).
func drained(code C.int) bool { return code == C.VC_EAGAIN || code == C.AVERROR_EOF }

// asBadUnit marks errors that a damaged access unit can cause; lack of memory is not one of them.
func asBadUnit(code C.int) error {
	if code == C.VC_ENOMEM {
		return failed(code)
	}
	return fmt.Errorf("%w: %w", codecs.ErrBadUnit, failed(code))
}

// codecContext returns the C side of a go-astiav codec context.
func codecContext(c *astiav.CodecContext) *C.AVCodecContext {
	return (*C.AVCodecContext)(c.UnsafePointer())
}

// bytePointer returns the address of b's first byte, nil for an empty slice.
func bytePointer(b []byte) *C.uint8_t { return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(b))) }

// newFrame allocates an empty AVFrame.
func newFrame() *C.AVFrame {
	f := C.av_frame_alloc()
	if f == nil {
		panic("libav: out of memory")
	}
	count(kindFrame, 1)
	return f
}

func freeFrame(f **C.AVFrame) {
	if *f == nil {
		return
	}
	own := *f // cgo looks at all of the memory that f points into
	C.av_frame_free(&own)
	*f = nil
	count(kindFrame, -1)
}

// newPacket allocates an empty AVPacket.
func newPacket() *C.AVPacket {
	p := C.av_packet_alloc()
	if p == nil {
		panic("libav: out of memory")
	}
	count(kindPacket, 1)
	return p
}

func freePacket(p **C.AVPacket) {
	if *p == nil {
		return
	}
	own := *p
	C.av_packet_free(&own)
	*p = nil
	count(kindPacket, -1)
}
