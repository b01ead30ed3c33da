package bus

import (
	"sync/atomic"

	"github.com/nats-io/nats.go"
)

const (
	// liveBuffer and liveBytes bound what was heard and waits to be looked at, some 15 s of a feed. What does not fit is
	// dropped, and taken from the stream later.
	liveBuffer = 512
	liveBytes  = maxPayload
)

// overheard holds what a writer said until its reader looks at it. It never makes the connection wait, whose other messages would
// then be lost ("slow consumer").
type overheard struct {
	messages chan *nats.Msg
	bytes    atomic.Int64
}

func newOverheard() *overheard { return &overheard{messages: make(chan *nats.Msg, liveBuffer)} }

// put keeps a message if there is room.
func (o *overheard) put(m *nats.Msg) {
	n := int64(len(m.Data))
	if o.bytes.Add(n) <= liveBytes {
		select {
		case o.messages <- m:
			return
		default:
		}
	}
	o.bytes.Add(-n)
}

// taken notes that a message has left.
func (o *overheard) taken(m *nats.Msg) { o.bytes.Add(-int64(len(m.Data))) }

// held are the records of the reader's epoch that wait behind a hole. What does not fit is taken from the stream later, or shown again.
type held struct {
	messages map[uint64]*nats.Msg
	bytes    int
}

// maxHeld and liveBytes bound what is held.
const maxHeld = 256

// keep holds a record if there is room.
func (h *held) keep(seq uint64, m *nats.Msg) {
	if _, is := h.messages[seq]; is || len(h.messages) >= maxHeld || h.bytes+len(m.Data) > liveBytes {
		return
	}
	if h.messages == nil {
		h.messages = map[uint64]*nats.Msg{}
	}
	h.messages[seq] = m
	h.bytes += len(m.Data)
}

// take returns a record that is held, nil if it is not, and holds it no longer.
func (h *held) take(seq uint64) *nats.Msg {
	m := h.messages[seq]
	if m != nil {
		delete(h.messages, seq)
		h.bytes -= len(m.Data)
	}
	return m
}

func (h *held) clear() { *h = held{} }
