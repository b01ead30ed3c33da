package h265

import (
	"encoding/binary"
	"fmt"
	mathbits "math/bits"
	"strings"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/nal"
)

// Info is what a sequence parameter set says about the pictures.
type Info = nal.Info

// ParseSPS reads a sequence parameter set.
func ParseSPS(sps []byte) (Info, error) {
	var s h265.SPS
	if err := s.Unmarshal(sps); err != nil {
		return Info{}, fmt.Errorf("parsing an H.265 SPS: %w", err)
	}
	level := s.ProfileTierLevel
	info := Info{
		Profile:    int(level.GeneralProfileIdc),
		Level:      int(level.GeneralLevelIdc),
		Interlaced: level.GeneralInterlacedSourceFlag && !level.GeneralProgressiveSourceFlag,
		Depth:      8 + int(s.BitDepthLumaMinus8),
	}
	info.Width, info.Height = size(&s)
	if v := s.VUI; v != nil {
		info.SampleAspect = nal.Aspect(v.AspectRatioIdc, v.SarWidth, v.SarHeight)
		info.Interlaced = info.Interlaced || v.FieldSeqFlag
		if t := v.TimingInfo; t != nil {
			info.FrameRate = nal.Rate(int64(t.TimeScale), int64(t.NumUnitsInTick))
		}
		if v.ColourDescriptionPresentFlag {
			info.Colour = codecs.Colour{
				Primaries: v.ColourPrimaries, Transfer: v.TransferCharacteristics, Matrix: v.MatrixCoefficients,
				FullRange: v.VideoFullRangeFlag,
			}
		}
	}
	if err := info.Check(); err != nil {
		return Info{}, fmt.Errorf("parsing an H.265 SPS: %w", err)
	}
	return info, nil
}

// size returns the picture size inside the conformance window (ITU-T H.265 §7.4.3.2.1).
func size(s *h265.SPS) (width, height int) {
	width, height = int(s.PicWidthInLumaSamples), int(s.PicHeightInLumaSamples)
	if w := s.ConformanceWindow; w != nil {
		x, y := cropUnit(s)
		width -= x * (int(w.LeftOffset) + int(w.RightOffset))
		height -= y * (int(w.TopOffset) + int(w.BottomOffset))
	}
	return width, height
}

func cropUnit(s *h265.SPS) (x, y int) {
	switch s.ChromaFormatIdc {
	case 1: // 4:2:0
		return 2, 2
	case 2: // 4:2:2
		return 2, 1
	}
	return 1, 1
}

// tierLevelEnd is where the general part of profile_tier_level ends in an SPS without emulation prevention:
// NAL header 2, ids 1, profile 1, compatibility 4, constraints 6, level 1 (ITU-T H.265 §7.3.2.2.1, §7.3.3).
const tierLevelEnd = 15

// Codecs returns the codecs parameter of an hvc1 track (ISO/IEC 14496-15 Annex E.3).
func Codecs(sps []byte) (string, error) {
	head := nal.Head(sps, tierLevelEnd)
	if len(head) < tierLevelEnd || typeOf(sps) != typeSPS {
		return "", fmt.Errorf("naming the codec: %d bytes are no H.265 SPS", len(sps))
	}
	space := [...]string{"", "A", "B", "C"}[head[3]>>6]
	tier := "L"
	if head[3]&0x20 != 0 {
		tier = "H"
	}
	// The compatibility flags are written in reverse bit order, without leading zeros.
	compatibility := mathbits.Reverse32(binary.BigEndian.Uint32(head[4:8]))
	var b strings.Builder
	fmt.Fprintf(&b, "hvc1.%s%d.%X.%s%d", space, head[3]&0x1f, compatibility, tier, head[14])
	for _, c := range trimZeros(head[8:14]) { // trailing zero bytes may be left out
		fmt.Fprintf(&b, ".%X", c)
	}
	return b.String(), nil
}

func trimZeros(b []byte) []byte {
	for len(b) > 0 && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	return b
}
