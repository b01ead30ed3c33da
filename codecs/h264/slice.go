package h264

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/bluenviron/mediacommon/v2/pkg/bits"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"github.com/venuecast/venuecast/codecs/nal"
)

// The profiles that every player decodes (ITU-T H.264 §A.2).
const (
	profileBaseline = 66
	profileMain     = 77
	profileHigh     = 100
)

// What CheckUnit may find.
var (
	ErrForeignSets = errors.New("other parameter sets") // than those of the init section
	ErrReordered   = errors.New("B-pictures")
	errCut         = errors.New("a slice is cut off")
)

// sliceB is the slice type of B-slices (ITU-T H.264 Table 7-6), modulo 5.
const sliceB = 1

// CheckPlayable reports why pictures with these parameter sets cannot go to players as they are, nil if they can:
// there must be one sequence of progressive pictures, 4:2:0 with 8 bits and limited range, square samples, in the Baseline,
// Main or High profile.
func (p *ParameterSets) CheckPlayable() error {
	if !p.Complete() || len(p.SPS) != 1 {
		return fmt.Errorf("it has %d sequence parameter sets, want one", len(p.SPS))
	}
	var s h264.SPS
	if err := s.Unmarshal(p.SPS[0]); err != nil {
		return fmt.Errorf("parsing an H.264 SPS: %w", err)
	}
	high := s.ProfileIdc == profileHigh
	switch {
	case !high && s.ProfileIdc != profileBaseline && s.ProfileIdc != profileMain:
		return fmt.Errorf("its H.264 profile is %d, want Baseline, Main or High", s.ProfileIdc)
	case high && (s.ChromaFormatIdc != 1 || s.BitDepthLumaMinus8 != 0 || s.BitDepthChromaMinus8 != 0):
		return errors.New("its pictures are not 4:2:0 with 8 bits")
	case !s.FrameMbsOnlyFlag:
		return errors.New("its pictures are interlaced")
	case s.VUI == nil:
		return nil
	}
	return checkUsability(s.VUI)
}

// checkUsability reports what the video usability information (ITU-T H.264 §E.2.1) has against it.
func checkUsability(v *h264.SPS_VUI) error {
	if a := nal.Aspect(v.AspectRatioIdc, v.SarWidth, v.SarHeight); a.Valid() && a.Num != a.Den {
		return errors.New("its samples are not square")
	}
	if v.VideoFullRangeFlag {
		return errors.New("its pictures have full range, want limited range")
	}
	if b := v.BitstreamRestriction; b != nil && b.MaxNumReorderFrames > 0 {
		return errors.New("it may have B-pictures (max_num_reorder_frames), turn them off")
	}
	return nil
}

// CheckUnit reports why an access unit cannot go out behind an init section with these parameter sets, nil if it can: those
// that it carries must be the same, its slices must use them, and none may be of a B-picture.
func (p *ParameterSets) CheckUnit(annexb []byte) error {
	for u := range nal.Units(annexb) {
		switch typeOf(u) {
		case typeSPS, typePPS:
			if !p.holds(u) {
				return ErrForeignSets
			}
		case typeNonIDR, typeIDR:
			if err := p.checkSlice(u); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *ParameterSets) holds(set []byte) bool {
	list := p.SPS
	if typeOf(set) == typePPS {
		list = p.PPS
	}
	return slices.ContainsFunc(list, func(s []byte) bool { return bytes.Equal(s, set) })
}

// checkSlice reads the head of a slice: first_mb_in_slice, slice_type and pic_parameter_set_id (ITU-T H.264 §7.3.3).
func (p *ParameterSets) checkSlice(u []byte) error {
	head, pos := nal.Head(u, 24), 8
	var fields [3]uint32
	for i := range fields {
		v, err := readUE(head, &pos)
		if err != nil {
			return err
		}
		fields[i] = v
	}
	if fields[1]%5 == sliceB {
		return ErrReordered
	}
	for _, pps := range p.PPS {
		if id, ok := ppsID(pps); ok && id == fields[2] {
			return nil
		}
	}
	return ErrForeignSets
}

func readUE(head []byte, pos *int) (uint32, error) {
	if *pos >= 8*len(head) { // ReadGolombUnsigned wants to begin within the slice
		return 0, errCut
	}
	return bits.ReadGolombUnsigned(head, pos)
}

// UnusedID returns an id below 32 that neither kind of parameter set has.
func (p *ParameterSets) UnusedID() (int, bool) {
	used := map[uint32]bool{}
	for _, s := range p.SPS {
		if id, ok := spsID(s); ok {
			used[id] = true
		}
	}
	for _, s := range p.PPS {
		if id, ok := ppsID(s); ok {
			used[id] = true
		}
	}
	for id := range 32 {
		if !used[uint32(id)] {
			return id, true
		}
	}
	return 0, false
}
