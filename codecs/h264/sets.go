package h264

import (
	"iter"

	"github.com/venuecast/venuecast/codecs/nal"
)

// ParameterSets holds the parameter sets seen last, sorted by id. The zero value is empty.
// The slices are never changed in place: a copy of the struct is a snapshot.
type ParameterSets struct {
	SPS, PPS [][]byte
}

// Update takes the parameter sets among the NAL units and reports whether any is new or different.
// It copies what it keeps.
func (p *ParameterSets) Update(nalus iter.Seq[[]byte]) bool {
	changed := false
	for u := range nalus {
		var c bool
		switch typeOf(u) {
		case typeSPS:
			p.SPS, c = nal.Keep(p.SPS, u, spsID)
		case typePPS:
			p.PPS, c = nal.Keep(p.PPS, u, ppsID)
		}
		changed = changed || c
	}
	return changed
}

// Complete reports whether there is at least one set of each kind.
func (p *ParameterSets) Complete() bool { return len(p.SPS) > 0 && len(p.PPS) > 0 }

// Prepend returns a new access unit: the parameter sets, then what else annexb holds.
// Those of its own parameter sets are left out, so Update must have seen it before; delimiters and filler are, too.
func (p *ParameterSets) Prepend(annexb []byte) []byte {
	return nal.Prepend(annexb, func(u []byte) bool { return isSet(u) || isPadding(u) }, p.SPS, p.PPS)
}

// AnnexB returns the parameter sets alone as a byte stream.
func (p *ParameterSets) AnnexB() []byte { return p.Prepend(nil) }

// spsID reads seq_parameter_set_id (ITU-T H.264 §7.3.2.1.1), which follows three bytes of profile and level.
func spsID(sps []byte) (uint32, bool) { return nal.ReadID(nal.Head(sps, 12), 32, 31) }

// ppsID reads pic_parameter_set_id (ITU-T H.264 §7.3.2.2).
func ppsID(pps []byte) (uint32, bool) { return nal.ReadID(nal.Head(pps, 9), 8, 255) }
