package cmaf

import (
	"errors"
	"fmt"

	"github.com/Eyevinn/mp4ff/avc"
	"github.com/Eyevinn/mp4ff/mp4"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/av1"
	"github.com/venuecast/venuecast/codecs/h264"
	"github.com/venuecast/venuecast/codecs/h265"
	"github.com/venuecast/venuecast/codecs/nal"
)

// VideoTrack describes a video track.
type VideoTrack struct {
	Codec         codecs.Codec // H264, H265 or AV1
	Timescale     uint32       // ticks per second
	Width, Height int          // as shown, in square pixels. They default to those of the parameter sets.
	ParameterSets []byte       // Annex B, of AV1 the sequence header OBU; what else is in it is ignored
	Bitrate       int64        // in bit/s; 0: not said
}

var errIncomplete = errors.New("parameter sets are missing")

// VideoInit returns the init section of an avc1, hvc1 or av01 track, and its codecs parameter (RFC 6381).
func VideoInit(t VideoTrack) (data []byte, codec string, err error) {
	if t.Timescale == 0 || t.Width < 0 || t.Height < 0 || t.Width > 1<<15 || t.Height > 1<<15 {
		return nil, "", fmt.Errorf("video track of %d×%d pixels and timescale %d: out of range", t.Width, t.Height, t.Timescale)
	}
	c, err := configure(t)
	if err != nil {
		return nil, "", fmt.Errorf("describing the %s track: %w", t.Codec, err)
	}
	init, trak := newInit(t.Timescale, "video")
	trak.Tkhd.Width, trak.Tkhd.Height = shown(t, c.info)
	trak.Mdia.Minf.Stbl.Stsd.AddChild(c.entry(t.Bitrate))
	if data, err = encode(init); err != nil {
		return nil, "", err
	}
	return data, c.codec, nil
}

// config is what the parameter sets of a track say.
type config struct {
	info  nal.Info
	codec string  // RFC 6381
	kind  string  // of the sample entry
	box   mp4.Box // avcC, hvcC or av1C
}

func configure(t VideoTrack) (config, error) {
	switch t.Codec {
	case codecs.H264:
		return configureAVC(t.ParameterSets)
	case codecs.H265:
		return configureHEVC(t.ParameterSets)
	case codecs.AV1:
		c, err := av1.ParseConfig(t.ParameterSets)
		return config{info: c.Info, codec: c.Codecs, kind: "av01", box: &mp4.Av1CBox{CodecConfRec: c.Record}}, err
	}
	return config{}, errors.New("want h264, h265 or av1")
}

func configureAVC(annexb []byte) (config, error) {
	var sets h264.ParameterSets
	sets.Update(h264.NALUs(annexb))
	if !sets.Complete() {
		return config{}, errIncomplete
	}
	info, err := h264.ParseSPS(sets.SPS[0])
	if err != nil {
		return config{}, err
	}
	profile, err := h264.CommonProfile(sets.SPS...)
	if err != nil {
		return config{}, err
	}
	box, err := mp4.CreateAvcC(sets.SPS, sets.PPS, true)
	if err != nil {
		return config{}, err
	}
	if err := setDepth(box, sets.SPS[0]); err != nil {
		return config{}, err
	}
	box.AVCProfileIndication, box.ProfileCompatibility, box.AVCLevelIndication = profile.IDC, profile.Constraints, profile.Level
	return config{info: info, codec: profile.Codecs(), kind: "avc1", box: box}, nil
}

// setDepth fills the fields that avcC has for the High profiles (ISO/IEC 14496-15 §5.3.3.1.2); mp4ff assumes 4:2:0, 8 bit.
func setDepth(box *mp4.AvcCBox, sps []byte) error {
	s, err := avc.ParseSPSNALUnit(sps, false)
	if err != nil {
		return err
	}
	box.ChromaFormat = s.ChromaFormatIDC
	box.BitDepthLumaMinus1 = byte(s.BitDepthLumaMinus8) // mp4ff's names are wrong: the fields are bit_depth_…_minus8
	box.BitDepthChromaMinus1 = byte(s.BitDepthChromaMinus8)
	return nil
}

func configureHEVC(annexb []byte) (config, error) {
	var sets h265.ParameterSets
	sets.Update(h265.NALUs(annexb))
	if !sets.Complete() {
		return config{}, errIncomplete
	}
	info, err := h265.ParseSPS(sets.SPS[0])
	if err != nil {
		return config{}, err
	}
	name, err := h265.Codecs(sets.SPS[0])
	if err != nil {
		return config{}, err
	}
	box, err := mp4.CreateHvcC(sets.VPS, sets.SPS, sets.PPS, true, true, true, true)
	if err != nil {
		return config{}, err
	}
	return config{info: info, codec: name, kind: "hvc1", box: box}, nil
}

func (c config) entry(bitrate int64) *mp4.VisualSampleEntryBox {
	entry := mp4.CreateVisualSampleEntryBox(c.kind, uint16(c.info.Width), uint16(c.info.Height), c.box)
	entry.CompressorName = ""
	if a := c.info.SampleAspect; a.Valid() && a.Num != a.Den {
		entry.AddChild(&mp4.PaspBox{HSpacing: uint32(a.Num), VSpacing: uint32(a.Den)})
	}
	if colour := c.info.Colour; colour.Known() {
		entry.AddChild(&mp4.ColrBox{
			ColorType:               mp4.ColorTypeOnScreenColors,
			ColorPrimaries:          uint16(colour.Primaries),
			TransferCharacteristics: uint16(colour.Transfer),
			MatrixCoefficients:      uint16(colour.Matrix),
			FullRangeFlag:           colour.FullRange,
		})
	}
	if bitrate > 0 {
		entry.AddChild(btrt(bitrate))
	}
	return entry
}

// shown returns tkhd's width and height: the size in square pixels (ISO/IEC 14496-12 §8.3.2.3), as 16.16.
func shown(t VideoTrack, info nal.Info) (width, height mp4.Fixed32) {
	w, h := int64(t.Width), int64(t.Height)
	if w == 0 || h == 0 {
		w, h = int64(info.Width), int64(info.Height)
		if a := info.SampleAspect; a.Valid() {
			w = codecs.MulDivRound(w, a.Num, a.Den)
		}
	}
	return mp4.Fixed32(min(w, 1<<16-1) << 16), mp4.Fixed32(min(h, 1<<16-1) << 16)
}
