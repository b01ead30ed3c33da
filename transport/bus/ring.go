package bus

import "time"

// entry is a record on its way to the stream.
type entry struct {
	suffix string
	body   []byte
	taken  time.Time // when the writer got it
	sent   time.Time // when it was last sent
}

// ring holds the records that the stream has not acknowledged, oldest first. The first of them that were sent are in flight.
type ring struct {
	maxAge   time.Duration
	maxBytes int64

	entries  []entry
	inFlight int
	bytes    int64
}

func (r *ring) push(e entry) {
	r.entries = append(r.entries, e)
	r.bytes += int64(len(e.body))
}

// next returns the first entry that is not in flight, and puts it there.
func (r *ring) next(now time.Time) entry {
	e := &r.entries[r.inFlight]
	e.sent = now
	r.inFlight++
	return *e
}

// drop removes the n oldest entries.
func (r *ring) drop(n int) {
	for i := range n {
		r.bytes -= int64(len(r.entries[i].body))
		r.entries[i] = entry{}
	}
	r.entries = r.entries[n:]
	r.inFlight = max(r.inFlight-n, 0)
}

// shed removes the oldest entries until the bounds hold, and returns how many these were.
func (r *ring) shed(now time.Time) int {
	n, bytes := 0, r.bytes
	for n < len(r.entries) && (bytes > r.maxBytes || now.Sub(r.entries[n].taken) > r.maxAge) {
		bytes -= int64(len(r.entries[n].body))
		n++
	}
	r.drop(n)
	return n
}

// dropUndecodable removes the pictures that need one which is lost: all before the first random access picture.
// It returns how many these were, and whether pictures that come later need a lost one still.
func (r *ring) dropUndecodable() (dropped int, still bool) {
	kept := make([]entry, 0, len(r.entries))
	still = true
	for _, e := range r.entries {
		if e.suffix == suffixRandomAccess {
			still = false
		}
		if still && e.suffix == suffixDelta {
			r.bytes -= int64(len(e.body))
			dropped++
			continue
		}
		kept = append(kept, e)
	}
	r.entries, r.inFlight = kept, 0
	return dropped, still
}
