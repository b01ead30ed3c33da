package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/venuecast/venuecast/pipeline"
)

const (
	// window bounds the records in flight. A claim is as many records long: the stream's sequence number so jumps past
	// every number that an older writer's record in flight can be waiting for.
	window = 32

	ackTimeout     = 500 * time.Millisecond
	ackCheck       = 100 * time.Millisecond
	recoveryPause  = 50 * time.Millisecond
	recoveryLimit  = 500 * time.Millisecond // for each question asked
	ackBuffer      = 1024
	defaultRingAge = 20 * time.Second // twice what a cluster's election takes
	defaultRing    = 64 << 20
	defaultDrain   = 3 * time.Second
)

// WriterOptions configures a writer.
type WriterOptions struct {
	// Feed is the id of the feed.
	Feed string
	// Bitrate of the source in bit/s, for the size of a stream that must be made. See Conn.EnsureFeed. It defaults to what the
	// source turns out to send: the stream grows with it.
	Bitrate int64
	// RingAge and RingBytes bound what is kept while the stream does not take it; the oldest records go first.
	// They default to 20 s and 64 MiB.
	RingAge   time.Duration
	RingBytes int64
	// DrainTimeout bounds how long Run goes on at its end for what is not stored yet. It defaults to 3 s.
	DrainTimeout time.Duration
	// Now defaults to time.Now.
	Now func() time.Time
	// Logger defaults to that of the connection.
	Logger *slog.Logger
}

// Writer is the one writer of a feed's stream. It is a pipeline.Stage.
type Writer struct {
	conn    *Conn
	feed    string
	bitrate int64
	drain   time.Duration
	now     func() time.Time
	log     *slog.Logger
	wake    chan struct{} // at most one token: there is something new to store
	late    chan struct{} // at most one token: there is something new that cannot be stored yet

	// Owned by Run.
	acks       chan *nats.Msg
	inbox      string
	generation uint64 // of what is sent; rejections of earlier ones say nothing new

	mu          sync.Mutex // guards the fields below
	ring        ring
	first       uint64    // sequence number that the ring's first entry has or will have
	progress    time.Time // when a record in flight was last acknowledged
	load        load
	size        int64  // how many bytes the stream may hold; 0 until the first recovery
	shown       uint64 // all up to this sequence number has been sent to those who read along
	acked       uint64 // the last sequence number known to be stored
	epoch       uint64 // 0 until the first claim
	claimed     bool   // the stream is ours as far as we know
	troubled    bool   // what is stored must be found out before anything more is sent
	gap         bool   // entries were shed that may not be stored
	awaitRandom bool   // pictures before the next random access picture cannot be decoded
	closed      bool
	fenced      bool
	stats       WriterStats
}

// WriterStats is what a writer has done so far. Counters only grow.
type WriterStats struct {
	Epoch        uint64 // of the claim that holds; 0 before the first
	Seq          uint64 // the last sequence number known to be stored
	Pending      int    // records that are not known to be stored
	PendingBytes int64
	Stored       uint64 // records known to be stored
	Dropped      uint64 // records lost because the bus was away for too long
	Recoveries   uint64 // how often what is stored had to be found out
	Claims       uint64 // one at the start, and one after each gap
}

// NewWriter returns a writer. It does nothing until its Run runs, but takes records from now on.
func (c *Conn) NewWriter(o WriterOptions) (*Writer, error) {
	if !pipeline.ValidID(o.Feed) {
		return nil, fmt.Errorf("feed id %q is not valid", o.Feed)
	}
	w := &Writer{
		conn: c, feed: o.Feed, bitrate: o.Bitrate, drain: o.DrainTimeout, now: o.Now, log: o.Logger,
		wake: make(chan struct{}, 1), late: make(chan struct{}, 1), acks: make(chan *nats.Msg, ackBuffer), inbox: c.nc.NewRespInbox(),
		ring: ring{maxAge: o.RingAge, maxBytes: o.RingBytes}, troubled: true,
	}
	if w.drain <= 0 {
		w.drain = defaultDrain
	}
	if w.now == nil {
		w.now = time.Now
	}
	if w.log == nil {
		w.log = c.log
	}
	if w.ring.maxAge <= 0 {
		w.ring.maxAge = defaultRingAge
	}
	if w.ring.maxBytes <= 0 {
		w.ring.maxBytes = defaultRing
	}
	w.log, w.load.since = w.log.With("feed", o.Feed), w.now()
	return w, nil
}

// Name returns the name of the stage.
func (w *Writer) Name() string { return "writer of feed " + w.feed }

// Publish takes a record, to be stored in the order of the calls, and returns at once. Epoch and Seq are the writer's
// business; so are claims. The record's data may be reused when Publish has returned.
//
// After an error the record is not taken: pipeline.ErrFenced when another writer has taken over, pipeline.ErrClosed
// after Close or the end of Run, ErrTooLarge, ErrOverflow, or another when the record is not valid.
func (w *Writer) Publish(r pipeline.Record) error {
	if r.Claim {
		return errors.New("claims are made by the writer itself")
	}
	suffix, body, err := marshal(r)
	if err != nil {
		return fmt.Errorf("publishing on feed %s: %w", w.feed, err)
	}
	if limit := w.conn.payload.Load(); limit > 0 && int64(len(body)) > limit-(maxPayload-maxBody) {
		return fmt.Errorf("publishing on feed %s: %w: %d bytes, and the server takes %d", w.feed, ErrTooLarge, len(body), limit)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.admit(suffix); err != nil {
		return fmt.Errorf("publishing on feed %s: %w", w.feed, err)
	}
	now := w.now()
	w.ring.push(entry{suffix: suffix, body: body, taken: now})
	w.load.bytes += int64(len(body)) + recordBytes
	if n := w.ring.shed(now); n > 0 {
		w.first += uint64(n)
		w.stats.Dropped += uint64(n)
		w.gap, w.troubled = true, true
	}
	notify(w.wake)
	if w.troubled || w.ring.inFlight >= window {
		notify(w.late)
	}
	return nil
}

// admit reports whether a record of this sort is taken at present. w.mu is held.
func (w *Writer) admit(suffix string) error {
	switch {
	case w.fenced:
		return pipeline.ErrFenced
	case w.closed:
		return pipeline.ErrClosed
	case w.awaitRandom && suffix == suffixDelta:
		w.stats.Dropped++
		return ErrOverflow
	case suffix == suffixRandomAccess:
		w.awaitRandom = false
	}
	return nil
}

// Close says that nothing more comes. Run ends when what was taken is stored.
func (w *Writer) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	notify(w.wake)
}

// Stats returns what the writer has done so far.
func (w *Writer) Stats() WriterStats {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.stats
	s.Epoch, s.Seq, s.Pending, s.PendingBytes = w.epoch, w.acked, len(w.ring.entries), w.ring.bytes
	return s
}

// Run claims the stream, making it if there is none, and stores what is published. It returns pipeline.ErrFenced when
// another writer has claimed the stream; nil after Close; or the context's error. In the last two cases it first goes on
// until all is stored, for DrainTimeout at most, and fails if that is not enough after Close.
func (w *Writer) Run(ctx context.Context) error {
	ended, end := context.WithCancel(context.WithoutCancel(ctx))
	return pipeline.Run(ctx,
		pipeline.Func("storing", func(ctx context.Context) error {
			defer end()
			return w.store(ctx)
		}),
		pipeline.Func("showing", func(context.Context) error { return w.show(ended) }),
		pipeline.Func("fitting", func(context.Context) error { return w.fit(ended) }),
	)
}

func (w *Writer) store(ctx context.Context) error {
	sub, err := w.conn.nc.ChanSubscribe(w.inbox+".*", w.acks)
	if err != nil {
		return fmt.Errorf("subscribing to acknowledgements: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }() // fails only if the connection is closed, and then it is gone
	err = w.work(ctx, func() bool { return w.closed })
	w.Close()
	if errors.Is(err, pipeline.ErrFenced) {
		return err
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.drain)
	defer cancel()
	late := w.work(limited, func() bool { return len(w.ring.entries) == 0 })
	switch {
	case errors.Is(late, pipeline.ErrFenced):
		return late
	case late != nil:
		late = fmt.Errorf("%d records were not stored: %w", w.Stats().Pending, late)
		w.log.Warn("the writer ends with records left", "error", late)
	}
	if err != nil {
		return err
	}
	return late
}

// work stores what is published until done, which is called with w.mu held, returns true.
func (w *Writer) work(ctx context.Context, done func() bool) error {
	tick := time.NewTicker(ackCheck)
	defer tick.Stop()
	for {
		w.mu.Lock()
		finished, troubled := done(), w.troubled
		w.mu.Unlock()
		if finished {
			return nil
		}
		if troubled {
			if err := w.recover(ctx); err != nil {
				return err
			}
		}
		w.send()
		var check <-chan time.Time
		if w.awaited() {
			check = tick.C // a ticker that nobody waits for wakes nothing
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-w.wake:
		case m := <-w.acks:
			w.acknowledge(m)
		case <-check:
			w.checkAcks()
		}
	}
}

// awaited reports whether records are in flight.
func (w *Writer) awaited() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ring.inFlight > 0
}

// send sends what is not in flight, as far as the window allows.
func (w *Writer) send() {
	for {
		w.mu.Lock()
		r := &w.ring
		if !w.claimed || w.troubled || r.inFlight == len(r.entries) || r.inFlight >= window {
			w.mu.Unlock()
			return
		}
		expect := w.first + uint64(r.inFlight) - 1
		e, epoch := r.next(w.now()), w.epoch
		if w.shown == expect {
			w.shown++
		}
		if r.inFlight == window {
			notify(w.late)
		}
		w.mu.Unlock()
		if err := w.publish(e.suffix, e.body, epoch, expect); err != nil {
			w.trouble("sending failed", err)
		}
	}
}

// publish sends a message that the stream takes only if expect is its last sequence number.
func (w *Writer) publish(suffix string, body []byte, epoch, expect uint64) error {
	m := w.record(subject(w.feed, suffix), body, epoch, expect)
	m.Reply = w.reply()
	return w.conn.nc.PublishMsg(m)
}

// record returns the message of a record that follows the one with sequence number expect.
func (w *Writer) record(subject string, body []byte, epoch, expect uint64) *nats.Msg {
	return &nats.Msg{Subject: subject, Data: body, Header: nats.Header{
		epochHeader:        {strconv.FormatUint(epoch, 10)},
		expectedLastHeader: {strconv.FormatUint(expect, 10)},
	}}
}

// reply returns where the stream's answers go.
func (w *Writer) reply() string { return w.inbox + "." + strconv.FormatUint(w.generation, 10) }

// checkAcks looks whether the oldest record in flight has waited for too long, while no other was acknowledged. A server that is
// slow and gets on is let alone: to find out what it has stored costs it more than a record, and hundreds of writers would do it.
func (w *Writer) checkAcks() {
	w.mu.Lock()
	late := w.ring.inFlight > 0 && w.now().Sub(latest(w.ring.entries[0].sent, w.progress)) > ackTimeout
	w.mu.Unlock()
	if late {
		w.trouble("no acknowledgement", nats.ErrTimeout)
	}
}

// acknowledge takes the stream's answer to a record. That one is stored means that all before it are, too.
func (w *Writer) acknowledge(m *nats.Msg) {
	seq, current, err := w.readAck(m)
	if err != nil {
		if current {
			w.trouble("the stream did not take a record", err)
		}
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.claimed && seq >= w.first && seq < w.first+uint64(w.ring.inFlight) {
		w.stored(seq)
		w.progress = w.now()
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// stored drops what is stored up to seq. w.mu is held.
func (w *Writer) stored(seq uint64) {
	n := seq + 1 - w.first
	w.ring.acknowledge(int(n))
	w.stats.Stored += n
	w.first, w.acked = seq+1, seq
}

// trouble stops sending until it is known what is stored.
func (w *Writer) trouble(what string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.troubled {
		w.log.Warn("finding out what the stream has stored", "because", what, "error", err)
	}
	w.troubled = true
	notify(w.late)
}

// notify puts a token into c if there is none.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
