package h265

import (
	"iter"

	"github.com/bluenviron/mediacommon/v2/pkg/bits"

	"github.com/venuecast/venuecast/codecs/nal"
)

// ParameterSets holds the parameter sets seen last, sorted by id. The zero value is empty.
// The slices are never changed in place: a copy of the struct is a snapshot.
type ParameterSets struct {
	VPS, SPS, PPS [][]byte
}

// Update takes the parameter sets among the NAL units and reports whether any is new or different.
// It copies what it keeps.
func (p *ParameterSets) Update(nalus iter.Seq[[]byte]) bool {
	changed := false
	for u := range nalus {
		var c bool
		switch typeOf(u) {
		case typeVPS:
			p.VPS, c = nal.Keep(p.VPS, u, vpsID)
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
func (p *ParameterSets) Complete() bool { return len(p.VPS) > 0 && len(p.SPS) > 0 && len(p.PPS) > 0 }

// Prepend returns a new access unit: the parameter sets, then what else annexb holds.
// Those of its own parameter sets are left out, so Update must have seen it before; delimiters and filler are, too.
func (p *ParameterSets) Prepend(annexb []byte) []byte {
	return nal.Prepend(annexb, func(u []byte) bool { return isSet(u) || isPadding(u) }, p.VPS, p.SPS, p.PPS)
}

// AnnexB returns the parameter sets alone as a byte stream.
func (p *ParameterSets) AnnexB() []byte { return p.Prepend(nil) }

// vpsID reads vps_video_parameter_set_id (ITU-T H.265 §7.3.2.1).
func vpsID(vps []byte) (uint32, bool) {
	if len(vps) < 4 {
		return 0, false
	}
	return uint32(vps[2] >> 4), true
}

// spsID reads sps_seq_parameter_set_id, which follows profile_tier_level (ITU-T H.265 §7.3.2.2.1, §7.3.3).
func spsID(sps []byte) (uint32, bool) {
	head := nal.Head(sps, 128) // 7 sub-layers need 3 + 11 + 1 + 2 + 7 × 12 bytes
	if len(head) < tierLevelEnd {
		return 0, false
	}
	pos := 8 * tierLevelEnd
	if subLayers := int(head[2] >> 1 & 7); subLayers > 0 { // sps_max_sub_layers_minus1
		flags, err := bits.ReadBits(head, &pos, 16)
		if err != nil {
			return 0, false
		}
		for i := range subLayers {
			pos += 88 * int(flags>>(15-2*i)&1) // sub_layer_profile_present_flag
			pos += 8 * int(flags>>(14-2*i)&1)  // sub_layer_level_present_flag
		}
	}
	return nal.ReadID(head, pos, 15)
}

// ppsID reads pps_pic_parameter_set_id (ITU-T H.265 §7.3.2.3.1).
func ppsID(pps []byte) (uint32, bool) { return nal.ReadID(nal.Head(pps, 10), 16, 63) }
