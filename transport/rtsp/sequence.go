package rtsp

// The limits of RFC 3550 §A.1 between a loss, a late packet and numbers that start anew.
const (
	maxDropout  = 3000
	maxMisorder = 100
)

// sequence finds what is missing from one track's packets. The zero value is ready.
type sequence struct {
	started bool
	last    uint16
}

// lostBefore returns how many packets are missing before this one. When the numbers start anew it is 1:
// nobody knows how many, but what comes does not go on from what was.
func (s *sequence) lostBefore(number uint16) uint64 {
	if !s.started {
		s.started, s.last = true, number
		return 0
	}
	gap := number - s.last - 1
	if gap >= 1<<16-maxMisorder { // late or repeated
		return 0
	}
	s.last = number
	if gap >= maxDropout {
		return 1
	}
	return uint64(gap)
}
