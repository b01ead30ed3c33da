package timeline

import "github.com/venuecast/venuecast/codecs"

// buckets is how many parts an envelope's window has. It moves on by one part at a time.
const buckets = 12

// envelope is the lower envelope of a track's delay: the least within a window. What comes late, for network or
// scheduler, does not move it; what comes without waiting does.
type envelope struct {
	span  codecs.Ticks // of one bucket
	begun codecs.Ticks // the arrival at which the latest bucket began
	mins  [buckets]codecs.Ticks
	next  int
}

func newEnvelope(window, arrival, delay codecs.Ticks) envelope {
	e := envelope{span: window / buckets, begun: arrival}
	for i := range e.mins {
		e.mins[i] = delay
	}
	return e
}

// observe takes one unit's delay in. A silence ages the window by one bucket only: nothing better is known.
func (e *envelope) observe(arrival, delay codecs.Ticks) {
	if arrival-e.begun >= e.span {
		e.begun = arrival
		e.next = (e.next + 1) % buckets
		e.mins[e.next] = delay
	}
	e.mins[e.next] = min(e.mins[e.next], delay)
}

// least returns the least delay within the window.
func (e *envelope) least() codecs.Ticks {
	least := e.mins[0]
	for _, m := range e.mins[1:] {
		least = min(least, m)
	}
	return least
}
