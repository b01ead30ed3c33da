package m3u8

import (
	"errors"
	"fmt"
)

// Bounds of a splice_info_section: section_length has 12 bits, of which 4093 is the most (SCTE 35 §9.6).
const (
	minSplice = 20
	maxSplice = 3 + 4093
)

// CheckSplice reports why data is not one whole splice_info_section, which SCTE35-CMD, -OUT and -IN must hold (§4.4.5.1.1).
func CheckSplice(data []byte) error {
	if len(data) < minSplice || len(data) > maxSplice {
		return fmt.Errorf("splice_info_section of %d bytes: want %d to %d", len(data), minSplice, maxSplice)
	}
	if data[0] != 0xfc || data[1]&0xc0 != 0 { // table_id, section_syntax_indicator, private_indicator
		return errors.New("not a splice_info_section: want bytes fc 30")
	}
	if length := int(data[1]&0xf)<<8 | int(data[2]); length != len(data)-3 {
		return fmt.Errorf("splice_info_section says %d bytes and has %d", length+3, len(data))
	}
	if crcMPEG(data) != 0 { // over the whole section, its CRC_32 included
		return errors.New("splice_info_section with a wrong CRC_32")
	}
	return nil
}

// crcMPEG is the CRC_32 of MPEG-2 sections (ISO/IEC 13818-1 annex A): the highest bit first, nothing inverted.
func crcMPEG(data []byte) uint32 {
	crc := uint32(0xffffffff)
	for _, b := range data {
		crc ^= uint32(b) << 24
		for range 8 {
			carry := crc >> 31
			crc = crc<<1 ^ carry*0x04c11db7
		}
	}
	return crc
}
