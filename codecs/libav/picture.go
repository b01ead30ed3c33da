package libav

/*
#include "native.h"
*/
import "C"

import (
	"errors"
	"fmt"

	"github.com/venuecast/venuecast/codecs"
)

// maxSide bounds the width and height of pictures: that of 8K, with some room.
const maxSide = 16384

var errNotOurs = errors.New("picture is not one of this package, or is released")

// Picture is a reference to a decoded picture in libav's memory.
type Picture struct {
	frame *C.AVFrame // nil once released
}

var _ codecs.Picture = (*Picture)(nil)

// NewPictureYUV returns a picture with a copy of the given planes: 8 bit 4:2:0, limited range, square pixels.
// y has width×height samples, u and v have ⌈width/2⌉×⌈height/2⌉ each. Release must be called once.
func NewPictureYUV(width, height int, y, u, v []byte) (*Picture, error) {
	if width < 1 || height < 1 || width > maxSide || height > maxSide {
		return nil, fmt.Errorf("picture of %d×%d: sides must be 1 to %d", width, height, maxSide)
	}
	planes := [3][]byte{y, u, v}
	for i, plane := range planes {
		if w, h := planeSize(i, width, height); len(plane) != w*h {
			return nil, fmt.Errorf("picture of %d×%d: plane %d has %d bytes, want %d", width, height, i, len(plane), w*h)
		}
	}
	p := &Picture{newFrame()}
	if err := failed(C.vc_picture_alloc(p.frame, C.int(width), C.int(height))); err != nil {
		p.Release()
		return nil, fmt.Errorf("allocating a picture of %d×%d: %w", width, height, err)
	}
	for i, plane := range planes {
		w, h := planeSize(i, width, height)
		C.vc_picture_write(p.frame, C.int(i), bytePointer(plane), C.int(w), C.int(h))
	}
	return p, nil
}

// Size returns width and height in pixels.
func (p *Picture) Size() (width, height int) { return int(p.frame.width), int(p.frame.height) }

// Retain returns another reference to the same pixels. Its Release must be called once.
func (p *Picture) Retain() codecs.Picture { return p.retain() }

func (p *Picture) retain() *Picture {
	if p.frame == nil {
		panic("libav: picture used after its release")
	}
	f := newFrame()
	if err := failed(C.av_frame_ref(f, p.frame)); err != nil {
		panic(fmt.Sprintf("libav: referencing a picture: %v", err))
	}
	return &Picture{f}
}

// Release gives up this reference. It must be called once; a second call panics, because it would hide a lost owner.
func (p *Picture) Release() {
	if p.frame == nil {
		panic("libav: picture released twice")
	}
	freeFrame(&p.frame)
}

// YUV returns a copy of the planes of an 8 bit 4:2:0 picture, without padding; other formats are an error.
func (p *Picture) YUV() (y, u, v []byte, err error) {
	if p.frame.format != C.AV_PIX_FMT_YUV420P && p.frame.format != C.AV_PIX_FMT_YUVJ420P {
		return nil, nil, nil, fmt.Errorf("pixel format %d is not 8 bit 4:2:0", p.frame.format)
	}
	var planes [3][]byte
	for i := range planes {
		w, h := planeSize(i, int(p.frame.width), int(p.frame.height))
		planes[i] = make([]byte, w*h)
		C.vc_picture_read(p.frame, C.int(i), bytePointer(planes[i]), C.int(w), C.int(h))
	}
	return planes[0], planes[1], planes[2], nil
}

// planeSize returns the size of a plane of a 4:2:0 picture.
func planeSize(plane, width, height int) (w, h int) {
	if plane == 0 {
		return width, height
	}
	return (width + 1) / 2, (height + 1) / 2
}

// ours returns p as a live Picture of this package.
func ours(p codecs.Picture) (*Picture, error) {
	own, ok := p.(*Picture)
	if !ok || own == nil || own.frame == nil {
		return nil, errNotOurs
	}
	return own, nil
}
