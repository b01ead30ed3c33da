package bus

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// A Direct Get has no flow control: its answers must fit.
	getMessages  = 64
	getBytes     = maxPayload
	answerBuffer = 4 * getMessages
	getTimeout   = 600 * time.Millisecond // between two answers
	minGetPause  = 20 * time.Millisecond
	maxGetPause  = 500 * time.Millisecond
)

// fetch is a reader's conversation with the stream: one Direct Get at a time, its answers as messages among others.
type fetch struct {
	looking  bool // the stream may have more than is known
	token    uint64
	active   bool
	from     uint64 // the first record that the present request has not had an answer for
	last     uint64 // the record of its last answer; 0: none yet
	progress bool   // the present request has brought something
	deadline time.Time
	next     time.Time // when to ask again
	pause    time.Duration
	began    time.Time // since when the stream has been asked in vain for the reader's first epoch
}

// ask sends a request when it is time to, and returns for how long there is nothing to do.
func (r *Reader) ask(now time.Time) time.Duration {
	f := &r.fetch
	if f.active {
		if now.Before(f.deadline) {
			return f.deadline.Sub(now)
		}
		r.finish(now, false)
	}
	if now.Before(f.next) {
		return f.next.Sub(now)
	}
	if f.pause == 0 {
		r.moved = now // give the stream time to answer before the writer is asked
	}
	f.token++
	if err := r.request(); err != nil {
		r.say("the stream cannot be asked; retrying", err)
		r.finish(now, false)
		return f.pause
	}
	f.active, f.progress, f.deadline = true, false, now.Add(getTimeout)
	return getTimeout
}

// request asks for what is next. When the reader does not know its epoch, it begins with the record before; when the epoch
// has ended, with the first record not known to be stored.
func (r *Reader) request() error {
	from := r.order.next
	if r.order.epoch == 0 {
		from = max(r.order.next-1, 1)
	} else if r.succeeded() {
		from = r.sure + 1
	}
	r.fetch.from, r.fetch.last = from, 0
	body, err := json.Marshal(struct {
		Seq      uint64 `json:"seq"`
		Batch    int    `json:"batch"`
		MaxBytes int    `json:"max_bytes"`
	}{from, getMessages, getBytes})
	if err != nil {
		return fmt.Errorf("asking for records: %w", err)
	}
	reply := r.inbox + "." + strconv.FormatUint(r.fetch.token, 10)
	if err := r.conn.nc.PublishRequest("$JS.API.DIRECT.GET."+streamName(r.feed), reply, body); err != nil {
		return fmt.Errorf("asking for records: %w", err)
	}
	return nil
}

// finish ends a request. After one that brought nothing new the next waits, each time longer.
func (r *Reader) finish(now time.Time, more bool) {
	f := &r.fetch
	f.active = false
	if f.progress {
		f.pause = 0
	}
	f.next = now
	if !more {
		f.pause = min(max(2*f.pause, minGetPause), maxGetPause)
		f.next = now.Add(f.pause)
	}
}

// answer takes an answer of the stream.
func (r *Reader) answer(ctx context.Context, m *nats.Msg) {
	now := r.now()
	if !r.fetch.active || !strings.HasSuffix(m.Subject, "."+strconv.FormatUint(r.fetch.token, 10)) {
		return // to a request that was given up
	}
	switch status := m.Header.Get("Status"); status {
	case "":
		r.fetch.deadline = now.Add(getTimeout)
		if err := r.takeStored(m); err != nil {
			r.say("the stream's answer is incomplete; retrying", err)
			r.finish(now, true)
		}
	case "204": // the last answer, with the number of those that did not fit
		more := m.Header.Get("Nats-Num-Pending") != "0"
		r.fetch.looking = more
		r.finish(now, more)
	case "404": // nothing from there on
		r.fetch.looking = r.order.epoch == 0 && r.order.next > 1
		r.finish(now, false)
		r.beyondEnd(ctx, now)
	default:
		r.say("the stream does not answer; retrying", fmt.Errorf("status %s %s", status, m.Header.Get("Description")))
		r.finish(now, false)
	}
}

// takeStored takes a record of the stream. What the stream leaves out before it has expired; an answer that was lost on
// the way is an error.
func (r *Reader) takeStored(m *nats.Msg) error {
	seq, err := strconv.ParseUint(m.Header.Get(jetstream.SequenceHeader), 10, 63)
	if err != nil {
		return fmt.Errorf("reading a sequence number: %w", err)
	}
	f := &r.fetch
	if last := m.Header.Get("Nats-Last-Sequence"); last != strconv.FormatUint(f.last, 10) || seq < f.from {
		return fmt.Errorf("record %d follows %s, not %d", seq, last, f.last)
	}
	if f.from <= r.sure+1 {
		r.sure = max(r.sure, min(seq, r.order.next)-1)
	}
	f.from, f.last = seq+1, seq
	epoch, _ := epochOf(m.Header) // 0 if it cannot be read: then it becomes a gap
	if seq < r.order.next {
		r.compare(seq, epoch)
	}
	if seq >= r.order.next {
		r.takeNext(seq, epoch, m)
	}
	if pending, err := strconv.ParseUint(m.Header.Get("Nats-Num-Pending"), 10, 32); err == nil {
		r.newest = max(r.newest, seq+pending)
	}
	return nil
}

// compare looks at a stored record where one has been read already.
func (r *Reader) compare(seq, epoch uint64) {
	switch {
	case r.order.epoch == 0:
		r.order.epoch = epoch // of the record before the first one wanted
	case epoch > r.order.epoch:
		r.goBack(seq - 1)
	case seq == r.sure+1:
		r.fetch.progress = true
		r.sure = seq
	}
}

// takeNext takes a stored record that has not been read.
func (r *Reader) takeNext(seq, epoch uint64, m *nats.Msg) {
	before := r.order.epoch
	if before > 0 && epoch > before {
		if r.sure+1 < r.order.next {
			r.suspect = max(r.suspect, epoch) // what was taken on sight is compared first
			return
		}
		r.enter(r.order.next - 1)
	}
	r.fetch.progress = true
	if r.sure+1 >= r.order.next {
		r.sure = seq
	}
	r.put(seq, m.Header.Get(jetstream.SubjectHeader), m)
}

// beyondEnd gives up a beginning that the stream does not get to.
func (r *Reader) beyondEnd(ctx context.Context, now time.Time) {
	if r.order.epoch > 0 || r.order.next <= 1 || now.Sub(r.fetch.began) < lostAfter {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, createTimeout)
	defer cancel()
	last, err := r.conn.lastSequence(ctx, streamName(r.feed))
	if err != nil {
		r.say("the stream cannot be read yet; retrying", err)
		return
	}
	r.fetch.began = now
	if last+1 < r.order.next {
		r.goBack(last)
	}
}
