// Package captions finds CEA-608 captions in coded pictures: in SEI messages of H.264 and H.265 (ATSC A/53 part 4 §6.2.3,
// ANSI/SCTE 128-1 §8.1).
package captions

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"strings"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"github.com/venuecast/venuecast/codecs"
)

// Channels is a set of caption channels of CEA-608.
type Channels uint8

// The channels. CC1 and CC2 are in field 1, CC3 and CC4 in field 2.
const (
	CC1 Channels = 1 << iota
	CC2
	CC3
	CC4

	all = CC1 | CC2 | CC3 | CC4
)

// Names returns the names of the channels, CC1 first.
func (c Channels) Names() (names []string) {
	for left := c & all; left != 0; left &= left - 1 {
		names = append(names, fmt.Sprintf("CC%d", bits.TrailingZeros8(uint8(left))+1))
	}
	return names
}

// String returns the names with commas between them.
func (c Channels) String() string { return strings.Join(c.Names(), ",") }

// Parse reads what String writes.
func Parse(text string) (Channels, error) {
	var c Channels
	if text == "" {
		return 0, nil
	}
	for name := range strings.SplitSeq(text, ",") {
		if len(name) != 3 || name[:2] != "CC" || name[2] < '1' || name[2] > '4' {
			return 0, fmt.Errorf("caption channel %.20q: want CC1 to CC4", name)
		}
		c |= 1 << (name[2] - '1')
	}
	return c, nil
}

// NAL unit types: SEI, and from which on there are no slices (ITU-T H.264 table 7-1, H.265 table 7-1).
const (
	avcLastSlice = 5
	avcSEI       = 6
	hevcVPS      = 32
	hevcSEI      = 39 // PREFIX_SEI_NUT
)

// InSample returns the channels that are spoken of in a sample of an avc1 or hvc1 track: each NAL unit after its length in four
// bytes. Only what begins captions counts, not characters: so of a channel that is there nothing is said for some seconds
// at most, and of text services and padding nothing at all.
func InSample(codec codecs.Codec, sample []byte) Channels {
	var found Channels
	for len(sample) >= 4 {
		size := int64(binary.BigEndian.Uint32(sample))
		if sample = sample[4:]; size > int64(len(sample)) {
			break
		}
		unit := sample[:size]
		sample = sample[size:]
		sei, slice := kindOf(codec, unit)
		if slice {
			break // SEI that counts comes before the first
		}
		if sei != nil {
			found |= inSEI(h264.EmulationPreventionRemove(sei))
		}
	}
	return found
}

// kindOf returns the messages of an SEI unit, nil of another, and whether the unit is a slice.
func kindOf(codec codecs.Codec, unit []byte) (sei []byte, slice bool) {
	switch {
	case codec == codecs.H265 && len(unit) > 2:
		kind := unit[0] >> 1 & 0x3f
		if kind == hevcSEI {
			return unit[2:], false
		}
		return nil, kind < hevcVPS
	case codec == codecs.H264 && len(unit) > 1:
		kind := unit[0] & 0x1f
		if kind == avcSEI {
			return unit[1:], false
		}
		return nil, kind >= 1 && kind <= avcLastSlice
	}
	return nil, false
}

const registered = 4 // user_data_registered_itu_t_t35 (ITU-T H.264 §D.1.1)

// inSEI looks through the messages of an SEI unit.
func inSEI(data []byte) Channels {
	var found Channels
	for len(data) > 2 { // the last byte is rbsp_trailing_bits
		kind, rest := number(data)
		size, rest := number(rest)
		if size > len(rest) {
			break
		}
		if kind == registered {
			found |= inUserData(rest[:size])
		}
		data = rest[size:]
	}
	return found
}

// number reads a payload type or size: 255 for each 255, and the rest (ITU-T H.264 §7.3.2.3.1).
func number(data []byte) (n int, rest []byte) {
	for i, b := range data {
		n += int(b)
		if b != 0xff {
			return n, data[i+1:]
		}
	}
	return n, nil
}

// header is country United States, provider ATSC, "GA94", cc_data (ATSC A/53 part 4 table 6.7, table 6.9).
var header = []byte{0xb5, 0, 0x31, 'G', 'A', '9', '4', 3}

// inUserData looks through cc_data (ANSI/CTA-708 §4.4, table 2).
func inUserData(data []byte) Channels {
	data, ok := bytes.CutPrefix(data, header)
	if !ok || len(data) < 2 || data[0]&0x40 == 0 { // process_cc_data_flag
		return 0
	}
	count := int(data[0] & 0x1f)
	return InTriplets(data[2:min(len(data), 2+3*count)])
}

// InTriplets returns the channels that are spoken of in triplets of cc_data.
func InTriplets(data []byte) Channels {
	var found Channels
	for ; len(data) >= 3; data = data[3:] {
		valid, field := data[0]&4 != 0, data[0]&3
		if valid && field < 2 {
			found |= begins(int(field), data[1]&0x7f, data[2]&0x7f)
		}
	}
	return found
}

// begins returns the channel whose captions a pair of bytes begins, if any: one of the miscellaneous control codes RCL, RU2 to RU4
// and RDC (CEA-608 §8.3, §B.5; 47 CFR §15.119).
func begins(field int, first, second byte) Channels {
	if first != 0x14 && first != 0x15 && first != 0x1c && first != 0x1d {
		return 0
	}
	switch second {
	case 0x20, 0x25, 0x26, 0x27, 0x29:
		return CC1 << (2*field + int(first>>3&1))
	}
	return 0
}
