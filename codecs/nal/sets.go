package nal

import (
	"bytes"
	"slices"

	"github.com/bluenviron/mediacommon/v2/pkg/bits"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
)

// maxSet is the largest parameter set that is kept: avcC and hvcC give its length in 16 bits (ISO/IEC 14496-15 §5.3.3.1.2).
const maxSet = 1<<16 - 1

// ID reads the id of a parameter set; ok is false when the set is broken.
type ID func(set []byte) (id uint32, ok bool)

// Keep returns the list, sorted by id, with a copy of set in place of the one of the same id, and whether it changed.
// The list that was given stays as it was. Broken and oversized sets are not taken.
func Keep(list [][]byte, set []byte, idOf ID) ([][]byte, bool) {
	id, ok := idOf(set)
	if !ok || len(set) > maxSet {
		return list, false
	}
	i, found := slices.BinarySearchFunc(list, id, func(s []byte, id uint32) int {
		have, _ := idOf(s)
		return int(have) - int(id)
	})
	if found && bytes.Equal(list[i], set) {
		return list, false
	}
	list = slices.Clone(list)
	if found {
		list[i] = bytes.Clone(set)
		return list, true
	}
	return slices.Insert(list, i, bytes.Clone(set)), true
}

// ReadID reads the id that is coded as ue(v) (ITU-T H.264 §9.1) from bit pos on; ok is false when it is not there or above highest.
func ReadID(head []byte, pos int, highest uint32) (id uint32, ok bool) {
	if pos >= 8*len(head) { // ReadGolombUnsigned wants to begin within the slice
		return 0, false
	}
	id, err := bits.ReadGolombUnsigned(head, &pos)
	return id, err == nil && id <= highest
}

// Head returns the first n bytes of a unit, or fewer, without emulation prevention (ITU-T H.264 §7.4.1.1).
func Head(unit []byte, n int) []byte {
	head := h264.EmulationPreventionRemove(unit[:min(len(unit), n+n/2)])
	return head[:min(len(head), n)]
}
