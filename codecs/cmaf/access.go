package cmaf

import (
	"encoding/binary"
	"iter"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/h264"
	"github.com/venuecast/venuecast/codecs/h265"
)

// RandomAccess reports whether a sample is one to begin with, by its flags and by its bits.
func (s *Sample) RandomAccess(codec codecs.Codec) bool {
	switch codec {
	case codecs.H264:
		return s.Key && h264.IsRandomAccess(units(s.Data))
	case codecs.H265:
		return s.Key && h265.IsRandomAccess(units(s.Data))
	}
	return s.Key
}

// units walks NAL units that stand after their lengths in four bytes (ISO/IEC 14496-15 §4.3.2).
func units(data []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(data) >= 4 {
			n := binary.BigEndian.Uint32(data)
			data = data[4:]
			if uint64(n) > uint64(len(data)) || !yield(data[:n]) {
				return
			}
			data = data[n:]
		}
	}
}
