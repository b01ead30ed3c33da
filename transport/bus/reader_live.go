package bus

import (
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
)

// hear takes a message of the writer.
func (r *Reader) hear(m *nats.Msg) {
	r.heard = r.now()
	seq, err := predicted(m.Header)
	if err != nil {
		return // its place is known only when it is stored
	}
	epoch, err := epochOf(m.Header)
	if err != nil || strings.HasSuffix(m.Subject, "."+suffixEpoch) {
		return // a claim may yet be turned away
	}
	switch {
	case epoch < r.order.epoch:
	case epoch > r.order.epoch:
		r.hearSuccessor(seq, epoch)
	default:
		r.takeLive(m)
	}
}

// predicted returns the sequence number that a message will have in the stream.
func predicted(h nats.Header) (uint64, error) {
	expected, err := strconv.ParseUint(h.Get(expectedLastHeader), 10, 63)
	return expected + 1, err
}

// hearSuccessor notes that the reader's epoch has ended, or is not known yet.
func (r *Reader) hearSuccessor(seq, epoch uint64) {
	r.suspect = max(r.suspect, epoch)
	if r.order.epoch > 0 && seq <= r.sure {
		r.goBack(seq - 1) // the stream has lost what it had
	}
}

// takeLive takes a record of the reader's epoch if it is the next, and keeps it if it is a later one.
func (r *Reader) takeLive(m *nats.Msg) {
	seq, err := predicted(m.Header)
	if err != nil {
		return
	}
	suffix, isStored := strings.CutPrefix(m.Subject, subject(r.feed, ""))
	if isStored && seq > window {
		r.sure = max(r.sure, min(seq-window, r.order.next-1))
	}
	r.newest = max(r.newest, seq)
	switch {
	case seq < r.order.next:
	case seq > r.order.next:
		r.held.keep(seq, m)
	default:
		if !isStored {
			suffix = strings.TrimPrefix(m.Subject, liveSubject(r.feed, ""))
		}
		r.put(seq, subject(r.feed, suffix), m)
	}
}

// put hands a message to the order.
func (r *Reader) put(seq uint64, subject string, m *nats.Msg) {
	r.said, r.moved = "", r.now()
	r.order.put(seq, subject, m.Header, m.Data)
}

// goBack goes on behind last, because the stream has not what was read after it.
func (r *Reader) goBack(last uint64) {
	r.log.Warn("the stream does not have what was read; going back", "to", last, "from", r.order.next)
	r.order.back(last)
	r.enter(last)
}

// enter begins an epoch: what is known of another's records says nothing more.
func (r *Reader) enter(sure uint64) {
	r.held.clear()
	r.sure, r.newest = sure, sure
}
