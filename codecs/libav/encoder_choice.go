package libav

/*
#include "native.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"strings"

	"github.com/asticode/go-astiav"

	"github.com/venuecast/venuecast/codecs"
)

// candidate is an encoder that may or may not work on this machine.
type candidate struct {
	name    string
	codec   codecs.Codec
	packed  bool // it takes semi-planar pictures, NV12 or P010; else planar ones
	vaapi   bool // pictures are uploaded to a VAAPI surface
	options func(EncoderOptions) map[string]string
	// bFrames says that the encoder obeys a forced P-picture. Others make no B-pictures at all,
	// because a B-picture at the end of a part would belong to the next one.
	bFrames bool
	factor  bool // it obeys EncoderOptions.Quality
	presets presets
	drains  bool // SVT-AV1 waits forever when it is closed in the middle
	single  bool // no picture brings out more than one packet, but at the end
}

// candidates are in order of preference: what costs no CPU comes first.
var candidates = []candidate{
	{name: "h264_nvenc", codec: codecs.H264, options: nvencOptions, factor: true, presets: nvencPresets},
	{name: "h264_vaapi", codec: codecs.H264, packed: true, vaapi: true, options: vaapiOptions},
	{name: "h264_qsv", codec: codecs.H264, packed: true, options: qsvOptions},
	{name: "libx264", codec: codecs.H264, options: x264Options, bFrames: true, factor: true, presets: x264Presets, single: true},
	{name: "hevc_nvenc", codec: codecs.H265, options: nvencOptions, factor: true, presets: nvencPresets},
	{name: "hevc_vaapi", codec: codecs.H265, packed: true, vaapi: true, options: vaapiOptions},
	{name: "hevc_qsv", codec: codecs.H265, packed: true, options: qsvOptions},
	{name: "libx265", codec: codecs.H265, options: x265Options, bFrames: true, factor: true, presets: x265Presets, single: true},
	{name: "av1_nvenc", codec: codecs.AV1, options: nvencOptions, factor: true, presets: nvencPresets},
	{name: "av1_vaapi", codec: codecs.AV1, packed: true, vaapi: true, options: vaapiOptions},
	{name: "av1_qsv", codec: codecs.AV1, packed: true, options: qsvOptions},
	{name: "libsvtav1", codec: codecs.AV1, options: svtOptions, factor: true, presets: svtPresets, drains: true},
}

// OpenEncoder opens the encoder that was asked for, or else the first that opens: a library that is present
// says nothing about a device that works. Close must be called.
func OpenEncoder(o EncoderOptions) (*Encoder, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	var refused []string
	if o.Software && isHardware(o.Encoder) {
		o.Encoder, o.Preset = "", ""
	}
	for _, c := range candidates {
		if c.codec != o.Codec || o.Encoder != "" && c.name != o.Encoder || o.Software && isHardware(c.name) {
			continue
		}
		e, reasons := openAny(c, o)
		refused = append(refused, reasons...)
		if e != nil {
			e.refused = refused
			return e, nil
		}
	}
	if refused == nil {
		return nil, fmt.Errorf("encoder %q is not known for %v", o.Encoder, o.Codec)
	}
	err := errors.New("no encoder opens: " + strings.Join(refused, "; "))
	if isHardware(o.Encoder) {
		err = fmt.Errorf("%w: %w", ErrDevice, err)
	}
	return nil, err
}

// ErrDevice means that hardware does not work any more, or never did: software may.
var ErrDevice = errors.New("hardware failed")

// isHardware reports whether an encoder of this name needs a device: libav names the others after their libraries.
func isHardware(name string) bool { return name != "" && !strings.HasPrefix(name, "lib") }

// failure says which encoder failed at a frame, and whether it is one of a device.
func (e *Encoder) failure(frame int64, err error) error {
	err = fmt.Errorf("encoding frame %d with %s: %w", frame, e.name, err)
	if isHardware(e.name) {
		return fmt.Errorf("%w: %w", ErrDevice, err)
	}
	return err
}

// open returns the opened encoder, or nil and why it refused.
func open(c candidate, o EncoderOptions) (e *Encoder, reason string) {
	reason, err := reasonOf(func() (err error) {
		e, err = openCandidate(c, o)
		return err
	})
	if err != nil {
		return nil, reason
	}
	return e, ""
}

func openCandidate(c candidate, o EncoderOptions) (*Encoder, error) {
	e := &Encoder{o: o, name: c.name}
	if err := e.open(c); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

func (e *Encoder) open(c candidate) (err error) {
	if e.o.Preset, err = c.presets.choose(e.o); err != nil {
		return err
	}
	switch {
	case e.o.Card != nil:
		if e.device, err = openHardware(e.o.Card, e.o.Width, e.o.Height, memoryFormat(c, e.o.Depth)); err != nil {
			return err
		}
	case c.vaapi:
		if e.device, err = openVAAPI(e.o.Width, e.o.Height, memoryFormat(c, e.o.Depth)); err != nil {
			return err
		}
	}
	if c.packed {
		o := ScalerOptions{Width: e.o.Width, Height: e.o.Height}
		if e.convert, err = newScaler(o, C.int(memoryFormat(c, e.o.Depth))); err != nil {
			return err
		}
	}
	e.codec, err = openCodec(astiav.FindEncoderByName(c.name), c.name, c.options(e.o), func(ctx *astiav.CodecContext) error {
		return e.configure(ctx, c)
	})
	e.packet, e.out, e.drains, e.single = newPacket(), newPacketList(), c.drains, c.single
	if err == nil && isHardware(c.name) {
		countSession(deviceOf(c.name), sessionEncode, 1)
	}
	return err
}

// configure sets what all encoders share.
func (e *Encoder) configure(ctx *astiav.CodecContext, c candidate) error {
	o := e.o
	ctx.SetWidth(o.Width)
	ctx.SetHeight(o.Height)
	ctx.SetSampleAspectRatio(astiav.NewRational(1, 1))
	ctx.SetColorRange(astiav.ColorRangeMpeg)
	if o.Colour.Known() {
		ctx.SetColorPrimaries(astiav.ColorPrimaries(o.Colour.Primaries))
		ctx.SetColorTransferCharacteristic(astiav.ColorTransferCharacteristic(o.Colour.Transfer))
		ctx.SetColorSpace(astiav.ColorSpace(o.Colour.Matrix))
	}
	ctx.SetTimeBase(astiav.NewRational(int(o.FrameRate.Den), int(o.FrameRate.Num)))
	ctx.SetFramerate(astiav.NewRational(int(o.FrameRate.Num), int(o.FrameRate.Den*o.Divisor)))
	if o.Quality == 0 || !c.factor {
		ctx.SetBitRate(o.Bitrate)
	}
	ctx.SetRateControlMaxRate(o.MaxRate)
	ctx.SetRateControlBufferSize(int(o.Buffer))
	ctx.SetGopSize(int(o.KeyInterval))
	ctx.SetThreadCount(o.Threads)
	ctx.SetFlags(astiav.NewCodecContextFlags(astiav.CodecContextFlagGlobalHeader, astiav.CodecContextFlagClosedGop))
	if o.LowLatency && o.Threads > 1 {
		ctx.SetThreadType(astiav.ThreadTypeSlice) // frame threads would hold pictures back
	}
	switch {
	case o.LowLatency || !c.bFrames:
		ctx.SetMaxBFrames(0)
	case o.BFrames >= 0:
		ctx.SetMaxBFrames(o.BFrames)
	}
	ctx.SetPixelFormat(memoryFormat(c, o.Depth))
	if e.device != nil {
		return e.device.attach(ctx)
	}
	return nil
}

// memoryFormat returns the pixel format of the pictures that an encoder takes, in memory.
func memoryFormat(c candidate, depth int) astiav.PixelFormat {
	switch {
	case c.packed && depth > 8:
		return astiav.PixelFormatP010Le
	case c.packed:
		return astiav.PixelFormatNv12
	}
	return astiav.PixelFormat(planar(depth))
}

// planar returns the pixel format of planar 4:2:0 pictures.
func planar(depth int) C.int {
	if depth > 8 {
		return C.AV_PIX_FMT_YUV420P10LE
	}
	return C.AV_PIX_FMT_YUV420P
}

// Encoders returns the names of the encoders for a codec, in order of preference.
func Encoders(c codecs.Codec) []string {
	var names []string
	for _, k := range candidates {
		if k.codec == c {
			names = append(names, k.name)
		}
	}
	return names
}
