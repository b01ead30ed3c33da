package live

import (
	"bytes"
	"hash/crc32"
	"sync/atomic"
	"time"

	"github.com/venuecast/venuecast/codecs"
)

// part is a partial segment. It is immutable.
type part struct {
	duration    int64 // in units of the segment's timescale
	independent bool
	gap         bool   // it never came
	pending     bool   // of a rendition on demand: it can be made
	cold        bool   // it was listed when nobody asked for it
	data        []byte // nil when it is in the store only
	size        int64  // in bytes
	crc         uint32
}

// segment is one Media Segment. All but where its bytes are is immutable once it is finished.
type segment struct {
	msn       int64
	duration  int64 // in units of timescale; exact
	timescale int64
	gap       bool // it has no media (RFC 8216bis §4.4.4.7)
	start     discontinuity
	init      string // the version of its init section
	size      int64
	crc       uint32
	iframe    int64 // its first so many bytes are an I-frame by itself; 0: not known

	media  atomic.Pointer[media] // nil when its bytes are not in memory
	stored atomic.Bool           // its bytes are in the store

	// Of a rendition on demand only.
	cold    bool        // a part of it was listed when nobody asked for it
	pending atomic.Bool // not all of its parts are there: size, crc and iframe are not known
	lost    atomic.Bool // nor will they be any more
}

// media is a segment's bytes, and where its parts lie in them, one after another.
type media struct {
	whole []byte // nil when not all parts are there, or they are in the store only
	parts []part
}

// discontinuity is a segment's place among the discontinuities of its feed.
type discontinuity struct {
	sequence int64 // its Discontinuity Sequence Number (RFC 8216bis §6.2.1)
	here     bool  // it begins with one
}

func (s *segment) seconds() time.Duration { return span(s.duration, s.timescale) }

func span(duration, timescale int64) time.Duration {
	return time.Duration(codecs.MulDivRound(duration, int64(time.Second), timescale))
}

// close makes the segment of its parts, copying their bytes into one piece.
func (s *segment) close(parts []part) {
	m := &media{parts: make([]part, len(parts))}
	pieces := make([][]byte, len(parts))
	for i, p := range parts {
		s.duration += p.duration
		s.size += int64(len(p.data))
		pieces[i] = p.data
	}
	m.whole = bytes.Join(pieces, nil) // its memory is not cleared first, as that of make is
	rest := m.whole
	for i, p := range parts {
		n := len(p.data)
		p.data, rest = rest[:n:n], rest[n:]
		m.parts[i] = p
	}
	s.gap = !decodable(parts)
	s.crc = crc32.ChecksumIEEE(m.whole)
	s.media.Store(m)
}

// decodable reports whether the media there is begins with a random access picture. When the first parts of a segment
// are missing and what follows depends on them, nothing of it can be played.
func decodable(parts []part) bool {
	for _, p := range parts {
		if !p.gap {
			return p.independent
		}
	}
	return false
}
