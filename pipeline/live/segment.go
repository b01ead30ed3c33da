package live

import (
	"bytes"
	"hash/crc32"
	"slices"
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
	crc       uint32
	iframe    int64 // its first so many bytes are an I-frame by itself; 0: not known
	filed

	media atomic.Pointer[media] // nil when its bytes are not in memory

	// Of a rendition on demand only.
	cold    bool        // a part of it was listed when nobody asked for it
	pending atomic.Bool // not all of its parts are there: size, crc and iframe are not known
	lost    atomic.Bool // nor will they be any more
}

// media is a segment's bytes by its parts, one after another. It is immutable.
type media struct {
	parts []part
	held  bool   // all of their bytes are here: no part is missing, or in the store only
	whole []byte // the same in one piece, of which the parts are stretches; nil until somebody has asked: see segment.whole
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

// close makes the segment of its parts, which are its own from now on.
func (s *segment) close(parts []part) {
	for _, p := range parts {
		s.duration += p.duration
		s.size += int64(len(p.data))
		s.crc = crc32.Update(s.crc, crc32.IEEETable, p.data)
	}
	s.gap = !decodable(parts)
	s.media.Store(&media{parts: parts, held: true})
}

// whole returns the segment's bytes in one piece; nil when they are not in memory. They are put together when first asked for, as
// few are: the store takes parts, and is where most who ask for segments are served from.
func (s *segment) whole() []byte {
	m := s.media.Load()
	if m == nil || !m.held {
		return nil
	}
	if m.whole == nil {
		joined := m.join()
		s.media.CompareAndSwap(m, joined) // unless another has done so, or it was released meanwhile
		m = joined
	}
	return m.whole
}

// join returns the same media in one piece.
func (m *media) join() *media {
	joined := &media{parts: slices.Clone(m.parts), held: true}
	joined.whole = bytes.Join(m.pieces(), nil)
	rest := joined.whole
	for i := range joined.parts {
		n := len(joined.parts[i].data)
		joined.parts[i].data, rest = rest[:n:n], rest[n:]
	}
	return joined
}

// pieces returns the bytes part by part.
func (m *media) pieces() [][]byte {
	pieces := make([][]byte, len(m.parts))
	for i, p := range m.parts {
		pieces[i] = p.data
	}
	return pieces
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
