// Package h265 reads what venuecast must know of H.265 (ITU-T H.265, ISO/IEC 23008-2) and changes its framing.
package h265

import (
	"iter"

	"github.com/venuecast/venuecast/codecs/nal"
)

// The NAL unit types that matter here (ITU-T H.265 Table 7-1).
const (
	typeLastNonIRAP = 9  // RASL_R: the last slice type that is not reserved
	typeBLA         = 16 // BLA_W_LP: the first of BLA, IDR and CRA
	typeCRA         = 21
	typeVPS         = 32
	typeSPS         = 33
	typePPS         = 34
	typeAUD         = 35
	typeFiller      = 38
)

// typeOf returns nal_unit_type; a unit without its two-byte header counts as reserved.
func typeOf(nalu []byte) byte {
	if len(nalu) < 2 {
		return 63
	}
	return nalu[0] >> 1 & 0x3f
}

// NALUs walks the NAL units of an access unit in Annex B without copying: they alias annexb.
func NALUs(annexb []byte) iter.Seq[[]byte] { return nal.Units(annexb) }

// AnnexB returns the NAL units as an Annex B byte stream with four-byte start codes, in one allocation.
func AnnexB(nalus [][]byte) []byte { return nal.AnnexB(nalus) }

// AppendHVC appends an Annex B access unit as an hvc1 sample: each NAL unit after its length in four bytes.
// Parameter sets (they stand in the init section), delimiters and filler are left out.
func AppendHVC(dst, annexb []byte) []byte {
	return nal.AppendLengthPrefixed(dst, annexb, func(u []byte) bool { return isSet(u) || isPadding(u) })
}

// IsRandomAccess reports whether an access unit is an IDR, CRA or BLA picture.
func IsRandomAccess(nalus iter.Seq[[]byte]) bool {
	for u := range nalus {
		if isIRAP(u) {
			return true
		}
	}
	return false
}

// HasSlice reports whether an access unit has a coded picture in it. Some cameras send units of parameter sets or SEI only.
func HasSlice(nalus iter.Seq[[]byte]) bool {
	for u := range nalus {
		if typeOf(u) <= typeLastNonIRAP || isIRAP(u) {
			return true
		}
	}
	return false
}

func isIRAP(u []byte) bool    { t := typeOf(u); return t >= typeBLA && t <= typeCRA }
func isSet(u []byte) bool     { t := typeOf(u); return t >= typeVPS && t <= typePPS }
func isPadding(u []byte) bool { t := typeOf(u); return t == typeAUD || t == typeFiller }
