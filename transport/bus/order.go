package bus

import (
	"github.com/nats-io/nats.go"

	"github.com/venuecast/venuecast/pipeline"
)

// order makes records of messages: it finds holes, and leaves out what is old. It holds one message's outcome at most.
type order struct {
	next  uint64 // the sequence number wanted; 0: not chosen yet
	epoch uint64 // the highest seen

	gap    *GapError // to be taken first
	record *pipeline.Record
}

// full reports whether there is something to take.
func (o *order) full() bool { return o.gap != nil || o.record != nil }

// take returns what is there, if anything is. The error is a *GapError.
func (o *order) take() (record pipeline.Record, ok bool, err error) {
	if gap := o.gap; gap != nil {
		o.gap = nil
		return pipeline.Record{}, true, gap
	}
	if r := o.record; r != nil {
		o.record = nil
		return *r, true, nil
	}
	return pipeline.Record{}, false, nil
}

// put takes the message with this sequence number. Nothing may be there to take.
func (o *order) put(seq uint64, subject string, header nats.Header, body []byte) {
	if seq < o.next {
		return // had it
	}
	if seq > o.next {
		o.gap = &GapError{From: o.next, To: seq - 1}
	}
	o.next = seq + 1
	r, err := unmarshal(subject, header, body)
	if err != nil {
		if o.gap == nil {
			o.gap = &GapError{From: seq, To: seq, Err: err}
		} else {
			o.gap.To, o.gap.Err = seq, err
		}
		return
	}
	// A writer that was succeeded between the records of an unfinished claim can have slipped in one of its own.
	if r.Epoch < o.epoch || r.Claim && r.Epoch == o.epoch {
		return
	}
	o.epoch = r.Epoch
	r.Seq = seq
	o.record = &r
}

// back goes on behind last, because the stream has lost what was after it.
func (o *order) back(last uint64) {
	o.gap = &GapError{From: o.next, To: last}
	o.next, o.epoch = last+1, 0
}
