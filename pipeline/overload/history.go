package overload

import "time"

// history is how far behind a feed was since the last decision.
type history struct {
	first  point
	points []point // the last ones
}

type point struct {
	at  time.Time
	lag time.Duration
}

// The looks from which a pace is taken.
const (
	paceLooks = 5
	paceSpan  = 2500 * time.Millisecond // at least
	surely    = 8 * time.Second         // after this long a feed that is as late as at first does not catch up
)

func (h *history) add(at time.Time, lag time.Duration) {
	if len(h.points) == 0 {
		h.first = point{at, lag}
	}
	if len(h.points) == paceLooks {
		h.points = append(h.points[:0], h.points[1:]...)
	}
	h.points = append(h.points, point{at, lag})
}

// pace returns how many seconds of media a feed gets on per second. It is not known at first.
func (h *history) pace() (pace float64, known bool) {
	if len(h.points) == 0 {
		return 0, false
	}
	first, last := h.points[0], h.points[len(h.points)-1]
	span := last.at.Sub(first.at)
	if span < paceSpan {
		return 0, false
	}
	return 1 - float64(last.lag-first.lag)/float64(span), true
}

// hopeless reports whether the feed is as late as at first, or later.
func (h *history) hopeless() bool {
	if len(h.points) == 0 {
		return false
	}
	last := h.points[len(h.points)-1]
	return last.at.Sub(h.first.at) >= surely && last.lag >= h.first.lag
}
