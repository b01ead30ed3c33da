package h264

import (
	"errors"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/nal"
)

// Info is what a sequence parameter set says about the pictures.
type Info = nal.Info

// ParseSPS reads a sequence parameter set.
func ParseSPS(sps []byte) (Info, error) {
	var s h264.SPS
	if err := s.Unmarshal(sps); err != nil {
		return Info{}, fmt.Errorf("parsing an H.264 SPS: %w", err)
	}
	info := Info{
		Profile:    int(s.ProfileIdc),
		Level:      int(s.LevelIdc),
		Interlaced: !s.FrameMbsOnlyFlag,
		Depth:      8 + int(s.BitDepthLumaMinus8),
	}
	info.Width, info.Height = size(&s)
	if v := s.VUI; v != nil {
		info.SampleAspect = nal.Aspect(v.AspectRatioIdc, v.SarWidth, v.SarHeight)
		if t := v.TimingInfo; t != nil {
			// A tick is a field: two to a picture (ITU-T H.264 §E.2.1, num_units_in_tick).
			info.FrameRate = nal.Rate(int64(t.TimeScale), 2*int64(t.NumUnitsInTick))
		}
		if v.ColourDescriptionPresentFlag {
			info.Colour = codecs.Colour{
				Primaries: v.ColourPrimaries, Transfer: v.TransferCharacteristics, Matrix: v.MatrixCoefficients,
				FullRange: v.VideoFullRangeFlag,
			}
		}
	}
	if err := info.Check(); err != nil {
		return Info{}, fmt.Errorf("parsing an H.264 SPS: %w", err)
	}
	return info, nil
}

// size returns the picture size after cropping (ITU-T H.264 §7.4.2.1.1).
func size(s *h264.SPS) (width, height int) {
	fields := 1
	if !s.FrameMbsOnlyFlag {
		fields = 2
	}
	width = (int(s.PicWidthInMbsMinus1) + 1) * 16
	height = (int(s.PicHeightInMapUnitsMinus1) + 1) * 16 * fields
	if c := s.FrameCropping; c != nil {
		x, y := cropUnit(s)
		width -= x * (int(c.LeftOffset) + int(c.RightOffset))
		height -= y * fields * (int(c.TopOffset) + int(c.BottomOffset))
	}
	return width, height
}

func cropUnit(s *h264.SPS) (x, y int) {
	switch {
	case s.SeparateColourPlaneFlag:
		return 1, 1
	case s.ChromaFormatIdc == 1: // 4:2:0
		return 2, 2
	case s.ChromaFormatIdc == 2: // 4:2:2
		return 2, 1
	}
	return 1, 1
}

// Profile is what an avcC box and the codecs parameter say of a stream.
type Profile struct {
	IDC         byte // profile_idc
	Constraints byte // the constraint_set flags
	Level       byte // 10 × the level
}

// CommonProfile returns the least profile and level that cover streams of all the sequence parameter sets
// (ISO/IEC 14496-15 §5.3.3.1.2): the highest profile and level, and the constraints that all keep.
func CommonProfile(sets ...[]byte) (Profile, error) {
	p := Profile{Constraints: 0xff}
	for _, s := range sets {
		if len(s) < 4 || typeOf(s) != typeSPS {
			return Profile{}, fmt.Errorf("naming the codec: %d bytes are no H.264 SPS", len(s))
		}
		p.IDC, p.Level = max(p.IDC, s[1]), max(p.Level, s[3])
		p.Constraints &= s[2]
	}
	if len(sets) == 0 {
		return Profile{}, errors.New("naming the codec: there is no H.264 SPS")
	}
	return p, nil
}

// Codecs returns the codecs parameter (RFC 6381 §3.3): profile, constraints and level in hexadecimal.
func (p Profile) Codecs() string {
	return fmt.Sprintf("avc1.%02X%02X%02X", p.IDC, p.Constraints, p.Level)
}

// Codecs returns the codecs parameter of an avc1 track with these sequence parameter sets.
func Codecs(sets ...[]byte) (string, error) {
	p, err := CommonProfile(sets...)
	if err != nil {
		return "", err
	}
	return p.Codecs(), nil
}
