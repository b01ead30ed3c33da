package rules

import "encoding/binary"

// box is a box of ISO/IEC 14496-12 §4.2.
type box struct {
	kind string
	body []byte
}

// boxes returns the boxes in data, as far as they are whole.
func boxes(data []byte) (list []box) {
	for len(data) >= 8 {
		size, header := uint64(binary.BigEndian.Uint32(data)), uint64(8)
		kind := string(data[4:8])
		switch {
		case size == 0:
			size = uint64(len(data))
		case size == 1 && len(data) >= 16:
			size, header = binary.BigEndian.Uint64(data[8:]), 16
		}
		if size < header || size > uint64(len(data)) {
			return list
		}
		list = append(list, box{kind, data[header:size]})
		data = data[size:]
	}
	return list
}

// find returns the first box of a path, nil when there is none.
func find(data []byte, path ...string) []byte {
	for _, kind := range path {
		var body []byte
		for _, b := range boxes(data) {
			if b.kind == kind {
				body = b.body
				break
			}
		}
		if body == nil {
			return nil
		}
		data = body
	}
	return data
}

// brands are those that are compatible with iso6 or higher.
var brands = map[string]bool{
	"iso6": true, "iso7": true, "iso8": true, "iso9": true, "isoa": true, "isob": true, "isoc": true, "cmfc": true, "cmf2": true,
}

// hasBrand reports whether ftyp has one of them: major_brand, minor_version, then compatible_brands.
func hasBrand(ftyp []byte) bool {
	for i := 0; i+4 <= len(ftyp); i += 4 {
		if i != 4 && brands[string(ftyp[i:i+4])] {
			return true
		}
	}
	return false
}

// durationOf returns the duration of mvhd or tkhd, which stands after two times, and skip bytes.
func durationOf(header []byte, skip int) uint64 {
	switch {
	case len(header) < 4:
		return 0
	case header[0] == 1 && len(header) >= 4+16+skip+8:
		return binary.BigEndian.Uint64(header[4+16+skip:])
	case header[0] == 0 && len(header) >= 4+8+skip+4:
		return uint64(binary.BigEndian.Uint32(header[4+8+skip:]))
	}
	return 0
}

// initFault says what is wrong with the form of an init section (§3.1.2).
func initFault(data []byte) string {
	list := boxes(data)
	moov := find(data, "moov")
	switch {
	case len(list) < 2 || list[0].kind != "ftyp" || list[1].kind != "moov":
		return "moov does not follow ftyp"
	case find(moov, "mvex") == nil:
		return "moov has no mvex"
	case durationOf(find(moov, "mvhd"), 4) != 0: // timescale
		return "mvhd has a duration"
	}
	for _, b := range boxes(moov) {
		if b.kind != "trak" {
			continue
		}
		if durationOf(find(b.body, "tkhd"), 8) != 0 { // track_ID and reserved
			return "tkhd has a duration"
		}
		stsz := find(b.body, "mdia", "minf", "stbl", "stsz")
		if len(stsz) >= 12 && binary.BigEndian.Uint32(stsz[8:]) != 0 {
			return "the sample table has samples"
		}
	}
	return ""
}
