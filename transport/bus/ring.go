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

	// tail holds the last records that were acknowledged, right before the entries: as long as the stream has no leader,
	// its followers may not know yet that they have them.
	tail      []entry
	tailBytes int
}

// at returns entry i, of the tail if i is negative.
func (r *ring) at(i int) entry {
	if i < 0 {
		return r.tail[len(r.tail)+i]
	}
	return r.entries[i]
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

// acknowledge moves the n oldest entries to the tail.
func (r *ring) acknowledge(n int) {
	for _, e := range r.entries[:n] {
		r.tail = append(r.tail, e)
		r.tailBytes += len(e.body)
	}
	for len(r.tail) > window || r.tailBytes > maxPayload {
		r.tailBytes -= len(r.tail[0].body)
		r.tail[0] = entry{}
		r.tail = r.tail[1:]
	}
	r.remove(n)
}

// drop removes the n oldest entries, and the tail if it then no longer joins on.
func (r *ring) drop(n int) {
	if n > 0 {
		r.forget()
	}
	r.remove(n)
}

// forget empties the tail.
func (r *ring) forget() { r.tail, r.tailBytes = nil, 0 }

func (r *ring) remove(n int) {
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
