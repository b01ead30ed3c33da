package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/venuecast/venuecast/pipeline"
)

const (
	createTimeout = 600 * time.Millisecond
	reopenPause   = 50 * time.Millisecond

	// lostAfter is how long a stream must end before the record wanted until it counts as having gone back:
	// a new leader may be that late with what it has.
	lostAfter = 2 * time.Second
	// quietLimit is how long nothing may be heard until the reader looks whether the stream has more.
	quietLimit = time.Second
	// wantAfter is how long a hole must stay until the writer is asked to fill it, and wantInterval is how often it is asked.
	wantAfter    = 50 * time.Millisecond
	wantInterval = 200 * time.Millisecond
)

// ReaderOptions configures a reader.
type ReaderOptions struct {
	// From is the sequence number of the first record. 0: the newest random access picture when the reader gets to the
	// stream, or, when there is none, what is published from then on.
	From uint64
	// Now defaults to time.Now.
	Now func() time.Time
	// Logger defaults to that of the connection.
	Logger *slog.Logger
}

// Reader hands out the records of a feed in the order of its stream. It reads what the writer sends, as it is sent, and takes
// from the stream only what it missed. So the server loads nothing for a reader that keeps up, and in a cluster the reader goes
// on while the stream has no leader, which takes 4 to 9 seconds after one was killed.
//
// # Subjects
//
//	feed.<id>.>   the records on their way to the stream; at most 32 are not acknowledged
//	live.<id>.>   the same records and headers, sent by the writer when the stream takes nothing; no stream captures them
//	want.<id>     a reader's request, in decimal: show again what you have from this sequence number on
//
// A record's sequence number is its header Nats-Expected-Last-Sequence + 1, its epoch the header E. History and holes come
// by Direct Get, which followers answer, too.
//
// # What the writer keeps to
//
//  1. An epoch and a sequence number name one record, on whatever subject and however often it is sent.
//  2. A record other than a claim is sent only when the claim of its epoch is stored entirely.
//  3. A record on feed.<id>.> says that the stream has all up to the 32nd before it.
//  4. What is shown is kept until it is stored. When the writer must shed records, after RingAge, it stops showing.
//     So a writer that cannot reach the stream runs ahead of it by its ring at most.
//  5. The last 32 records that were acknowledged are kept, too: followers may not know of them before the next election.
//
// # What the reader keeps to
//
//  1. On sight it takes a record only if that is the next one and of the epoch it is in.
//  2. A new epoch is entered only by what the stream has stored, and only right after what is known to be stored. So a claim
//     that was turned away does nothing, and an old writer's records do nothing once its successor's have been read.
//  3. A record of a higher epoch proves that the reader's epoch has ended (2 above). The reader then compares what it took on
//     sight with what was stored. Where that differs, it ran ahead with a writer that was succeeded: it returns a GapError
//     that goes back to the successor's claim, and goes on with that.
//  4. A hole is filled from the stream, and otherwise by the writer. Order and completeness rest on sequence numbers
//     alone; what core NATS loses, doubles or reorders costs a round trip.
//
// The stream remains the only judge of who may write.
type Reader struct {
	conn *Conn
	feed string
	now  func() time.Time
	log  *slog.Logger

	subscriptions []*nats.Subscription
	live          *overheard
	answers       chan *nats.Msg // of Direct Gets
	inbox         string

	order   order
	sure    uint64 // the stream has stored what was read up to here
	held    held   // records of the reader's epoch behind a hole
	newest  uint64 // the highest sequence number that the reader's epoch is known to have
	suspect uint64 // the highest epoch that records were seen of; above the reader's: that has ended
	fetch   fetch
	heard   time.Time // when anything was last heard
	moved   time.Time // when the reader last got on, or began to ask the stream
	wanted  time.Time // when the writer was last asked
	said    string    // the last error that was logged
	lag     atomic.Uint64
}

// NewReader returns a reader of a feed. The stream may be made later.
func (c *Conn) NewReader(feed string, o ReaderOptions) (*Reader, error) {
	if !pipeline.ValidID(feed) {
		return nil, fmt.Errorf("feed id %q is not valid", feed)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = c.log
	}
	return &Reader{
		conn: c, feed: feed, now: o.Now, log: o.Logger.With("feed", feed), order: order{next: o.From},
		live: newOverheard(), answers: make(chan *nats.Msg, answerBuffer),
		inbox: c.nc.NewRespInbox(),
	}, nil
}

// Lag returns how many records are known to wait behind the last one that Next returned.
func (r *Reader) Lag() uint64 { return r.lag.Load() }

// Next returns the next record, waiting for one. It must not be called by two goroutines at a time. It outlives any loss of the
// server; errors are the context's, after which Next can be called again, and a *GapError for each hole, after which Next goes
// on behind it. The record's data belongs to the receiver. Records of writers that were succeeded are left out, and of a
// claim that takes several records only the first comes.
func (r *Reader) Next(ctx context.Context) (pipeline.Record, error) {
	for {
		if record, ok, err := r.order.take(); ok {
			r.lag.Store(max(r.newest+1, r.order.next) - r.order.next)
			return record, err
		}
		if err := r.ready(ctx); err != nil {
			return pipeline.Record{}, err
		}
		if !r.release() {
			if err := r.step(ctx); err != nil {
				return pipeline.Record{}, err
			}
		}
	}
}

// ready subscribes, and chooses where to begin, as often as it takes.
func (r *Reader) ready(ctx context.Context) error {
	for r.subscriptions == nil || r.order.next == 0 {
		err := r.open(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r.say("the stream cannot be read yet; retrying", err)
		if err := pipeline.Sleep(ctx, reopenPause); err != nil {
			return err
		}
	}
	return nil
}

// open subscribes first: what is published while it looks for the beginning is then either heard or stored.
// The server takes a connection's requests in order, so there is nothing to wait for in between.
func (r *Reader) open(ctx context.Context) error {
	if r.subscriptions == nil {
		if err := r.subscribe(); err != nil {
			return errors.Join(err, r.Close())
		}
	}
	if r.order.next == 0 {
		ctx, cancel := context.WithTimeout(ctx, createTimeout)
		defer cancel()
		next, err := r.conn.begin(ctx, r.feed)
		if err != nil {
			return err
		}
		r.order.next = next
	}
	r.sure, r.heard, r.fetch = r.order.next-1, r.now(), fetch{looking: true, began: r.now()}
	return nil
}

// begin chooses where a reader begins that was not asked for a place.
func (c *Conn) begin(ctx context.Context, feed string) (uint64, error) {
	seq, err := c.LastRandomAccess(ctx, feed, 0)
	if !errors.Is(err, ErrNotFound) {
		return seq, err
	}
	last, err := c.lastSequence(ctx, streamName(feed))
	if err != nil {
		return 0, err
	}
	return last + 1, nil
}

func (r *Reader) subscribe() error {
	for _, s := range []string{subject(r.feed, ">"), liveSubject(r.feed, ">")} {
		sub, err := r.conn.nc.Subscribe(s, r.live.put)
		if err != nil {
			return fmt.Errorf("subscribing to %s: %w", s, err)
		}
		r.subscriptions = append(r.subscriptions, sub)
	}
	sub, err := r.conn.nc.ChanSubscribe(r.inbox+".*", r.answers)
	if err != nil {
		return fmt.Errorf("subscribing to the stream's answers: %w", err)
	}
	r.subscriptions = append(r.subscriptions, sub)
	return nil
}

// release takes the next record from those held back, if it is there.
func (r *Reader) release() bool {
	m := r.held.take(r.order.next)
	if m == nil {
		return false
	}
	r.takeLive(m)
	return true
}

// step asks for what is missing, and waits for one message.
func (r *Reader) step(ctx context.Context) error {
	select {
	case m := <-r.answers: // before a time limit that has passed because nobody called Next
		r.answer(ctx, m)
		return nil
	default:
	}
	alarm := time.NewTimer(r.askForMissing())
	defer alarm.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case m := <-r.answers:
		r.answer(ctx, m)
	case m := <-r.live.messages:
		r.live.taken(m)
		r.hear(m)
	case <-alarm.C:
	}
	return nil
}

// askForMissing asks the stream or the writer where it is time to, and returns for how long nothing need be asked.
func (r *Reader) askForMissing() time.Duration {
	now := r.now()
	if now.Sub(r.heard) >= quietLimit {
		r.heard, r.fetch.looking = now, true
	}
	wait := r.heard.Add(quietLimit).Sub(now)
	hole := r.newest >= r.order.next
	if r.fetch.looking || hole || r.succeeded() {
		wait = min(wait, r.ask(now))
	}
	if !hole {
		return wait
	}
	due := r.moved.Add(wantAfter)
	if again := r.wanted.Add(wantInterval); again.After(due) {
		due = again
	}
	if now.Before(due) {
		return min(wait, due.Sub(now))
	}
	r.wanted = now
	r.want()
	return min(wait, wantInterval)
}

// succeeded reports whether the reader's epoch has ended, as far as it knows.
func (r *Reader) succeeded() bool { return r.suspect > r.order.epoch }

// want asks the writer for what is missing.
func (r *Reader) want() {
	request := strconv.FormatUint(r.order.next, 10)
	if err := r.conn.nc.Publish(wantSubject(r.feed), []byte(request)); err != nil {
		r.say("asking the writer for records", err)
	}
}

// say logs an error, but not the same twice in a row.
func (r *Reader) say(what string, err error) {
	if s := err.Error(); s != r.said {
		r.said = s
		r.log.Warn(what, "error", err)
	}
}

// Close ends the reader. It must be called once, and not while Next is waiting.
func (r *Reader) Close() error {
	for _, s := range r.subscriptions {
		_ = s.Unsubscribe() // fails only if the connection is closed, and then it is gone
	}
	r.subscriptions = nil
	return nil
}
