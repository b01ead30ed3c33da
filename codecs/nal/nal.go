// Package nal holds what H.264 and H.265 share: NAL units, start codes, length prefixes, parameter sets by id.
package nal

import (
	"bytes"
	"encoding/binary"
	"iter"
	"slices"
)

var startCode = []byte{0, 0, 0, 1}

// Units walks the NAL units of a byte stream (ITU-T H.264 and H.265, Annex B) without copying.
// What comes before the first start code, and empty units, are left out. The units alias annexb.
func Units(annexb []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		rest := afterStartCode(annexb)
		for len(rest) > 0 {
			unit := rest
			if i := bytes.Index(rest, startCode[1:]); i >= 0 {
				unit, rest = rest[:i], rest[i+3:]
			} else {
				rest = nil
			}
			// trailing_zero_8bits and the zero_byte of a four-byte start code are no part of the unit (§B.1).
			if unit = bytes.TrimRight(unit, "\x00"); len(unit) > 0 && !yield(unit) {
				return
			}
		}
	}
}

func afterStartCode(annexb []byte) []byte {
	i := bytes.Index(annexb, startCode[1:])
	if i < 0 {
		return nil
	}
	return annexb[i+3:]
}

// AnnexB returns the units as a byte stream with four-byte start codes, in one allocation.
func AnnexB(units [][]byte) []byte {
	size := 0
	for _, u := range units {
		size += len(startCode) + len(u)
	}
	return appendUnits(make([]byte, 0, size), units)
}

func appendUnits(dst []byte, units [][]byte) []byte {
	for _, u := range units {
		dst = append(append(dst, startCode...), u...)
	}
	return dst
}

// AppendLengthPrefixed appends the units of a byte stream, each after its length in four bytes (ISO/IEC 14496-15),
// but those that drop reports.
func AppendLengthPrefixed(dst, annexb []byte, drop func(unit []byte) bool) []byte {
	dst = slices.Grow(dst, len(annexb)+16) // a three-byte start code grows by one
	for u := range Units(annexb) {
		if !drop(u) {
			dst = append(binary.BigEndian.AppendUint32(dst, uint32(len(u))), u...)
		}
	}
	return dst
}

// Prepend returns a new byte stream: the parameter sets, then the units of annexb but those that drop reports.
func Prepend(annexb []byte, drop func(unit []byte) bool, sets ...[][]byte) []byte {
	size := len(annexb) + 16
	for _, list := range sets {
		for _, s := range list {
			size += len(startCode) + len(s)
		}
	}
	dst := make([]byte, 0, size)
	for _, list := range sets {
		dst = appendUnits(dst, list)
	}
	for u := range Units(annexb) {
		if !drop(u) {
			dst = append(append(dst, startCode...), u...)
		}
	}
	return dst
}
