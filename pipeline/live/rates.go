package live

import (
	"time"

	"github.com/venuecast/venuecast/codecs"
)

// rates measures the segment bit rates of a rendition.
type rates struct {
	segments int64
	bits     int64
	time     time.Duration
	highest  int64 // in bit/s, of any segment
}

// enough is how many segments must be measured before they say more than the ladder does.
const enough = 10

// add takes what stands for a length of time. What is empty does not count.
func (r *rates) add(size int64, length time.Duration) {
	if length <= 0 || size <= 0 {
		return
	}
	r.segments++
	r.bits += 8 * size
	r.time += length
	r.highest = max(r.highest, codecs.MulDivCeil(8*size, int64(time.Second), int64(length)))
}

// exact returns the peak segment bit rate and the average of what is complete, in bit/s.
func (r rates) exact() (peak, average int64) {
	if r.time <= 0 {
		return 0, 0
	}
	return r.highest, codecs.MulDivCeil(r.bits, int64(time.Second), int64(r.time))
}

// peak returns the peak segment bit rate to declare: the encoder's bound, or what was measured if that is higher.
// It never falls below the ladder's: a picture that is dark now will be bright later, and clients read this once.
func (r rates) peak(declared int64) int64 {
	bound := declared * 7 / 5 // 1.1 × the bit rate, and a second of buffer in a segment of about two
	if r.segments < enough {
		return bound
	}
	return max(bound, r.highest)
}

// average returns the average bit rate to declare.
func (r rates) average(declared int64) int64 {
	if r.segments < enough || r.time < time.Second {
		return declared
	}
	return max(declared, codecs.MulDivCeil(r.bits, int64(time.Second), int64(r.time)))
}
