// Package h264 reads what venuecast must know of H.264 (ITU-T H.264, ISO/IEC 14496-10) and changes its framing.
package h264

import (
	"iter"

	"github.com/venuecast/venuecast/codecs/nal"
)

// The NAL unit types that matter here (ITU-T H.264 Table 7-1).
const (
	typeNonIDR = 1
	typeIDR    = 5
	typeSPS    = 7
	typePPS    = 8
	typeAUD    = 9
	typeFiller = 12
)

func typeOf(nalu []byte) byte {
	if len(nalu) == 0 {
		return 0
	}
	return nalu[0] & 0x1f
}

// NALUs walks the NAL units of an access unit in Annex B without copying: they alias annexb.
func NALUs(annexb []byte) iter.Seq[[]byte] { return nal.Units(annexb) }

// AnnexB returns the NAL units as an Annex B byte stream with four-byte start codes, in one allocation.
func AnnexB(nalus [][]byte) []byte { return nal.AnnexB(nalus) }

// AppendAVC appends an Annex B access unit as an avc1 sample: each NAL unit after its length in four bytes.
// Parameter sets (they stand in the init section), delimiters and filler are left out.
func AppendAVC(dst, annexb []byte) []byte {
	return nal.AppendLengthPrefixed(dst, annexb, func(u []byte) bool { return isSet(u) || isPadding(u) })
}

// IsRandomAccess reports whether an access unit is an IDR picture.
func IsRandomAccess(nalus iter.Seq[[]byte]) bool {
	for u := range nalus {
		if typeOf(u) == typeIDR {
			return true
		}
	}
	return false
}

// HasSlice reports whether an access unit has a coded picture in it. Some cameras send units of parameter sets or SEI only.
func HasSlice(nalus iter.Seq[[]byte]) bool {
	for u := range nalus {
		if t := typeOf(u); t >= typeNonIDR && t <= typeIDR {
			return true
		}
	}
	return false
}

func isSet(u []byte) bool     { return typeOf(u) == typeSPS || typeOf(u) == typePPS }
func isPadding(u []byte) bool { return typeOf(u) == typeAUD || typeOf(u) == typeFiller }
