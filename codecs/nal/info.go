package nal

import (
	"fmt"

	"github.com/venuecast/venuecast/codecs"
)

// Info is what a sequence parameter set says about the pictures.
type Info struct {
	Width, Height int             // in luma samples, after cropping
	FrameRate     codecs.Rational // pictures per second, from the VUI; zero when it does not say
	SampleAspect  codecs.Rational // width to height of one sample; zero when not said
	Profile       int             // profile_idc
	Level         int             // level_idc: 10 × the level in H.264, 30 × in H.265
	Interlaced    bool            // pictures may be, or are, coded as fields
	Depth         int             // bits per luma sample
	Colour        codecs.Colour   // zero when not said
}

// maxSize is the largest picture width or height taken: that of H.265 level 6.2.
const maxSize = 16888

// Check reports whether the size is one that a camera can have.
func (i Info) Check() error {
	if i.Width < 1 || i.Width > maxSize || i.Height < 1 || i.Height > maxSize {
		return fmt.Errorf("picture size %d×%d: want 1 to %d", i.Width, i.Height, maxSize)
	}
	return nil
}

// Rate returns the frame rate ticks/unit. Cameras write nonsense here: what is not 1 to 240 counts as not said.
func Rate(ticks, unit int64) codecs.Rational {
	if unit <= 0 || ticks < unit || ticks > 240*unit {
		return codecs.Rational{}
	}
	return codecs.NewRational(ticks, unit)
}

// aspects is Table E-1 of H.264, which is Table E.1 of H.265: sample aspect ratio by aspect_ratio_idc.
var aspects = [...]codecs.Rational{
	1: {Num: 1, Den: 1}, 2: {Num: 12, Den: 11}, 3: {Num: 10, Den: 11}, 4: {Num: 16, Den: 11},
	5: {Num: 40, Den: 33}, 6: {Num: 24, Den: 11}, 7: {Num: 20, Den: 11}, 8: {Num: 32, Den: 11},
	9: {Num: 80, Den: 33}, 10: {Num: 18, Den: 11}, 11: {Num: 15, Den: 11}, 12: {Num: 64, Den: 33},
	13: {Num: 160, Den: 99}, 14: {Num: 4, Den: 3}, 15: {Num: 3, Den: 2}, 16: {Num: 2, Den: 1},
}

// extendedSAR says that the ratio is written out.
const extendedSAR = 255

// Aspect returns the sample aspect ratio of an aspect_ratio_idc.
func Aspect(idc uint8, width, height uint16) codecs.Rational {
	switch {
	case idc == extendedSAR && width > 0 && height > 0:
		return codecs.NewRational(int64(width), int64(height))
	case int(idc) < len(aspects):
		return aspects[idc]
	}
	return codecs.Rational{}
}
