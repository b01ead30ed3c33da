package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/venuecast/venuecast/pipeline"
)

const (
	createTimeout = 600 * time.Millisecond
	reopenPause   = 50 * time.Millisecond
	inactive      = 10 * time.Second // after which the server forgets a reader that is gone
	closeTimeout  = 500 * time.Millisecond

	// lostAfter is how long a stream must end before the record wanted until it counts as having gone back:
	// a new leader may be that late with what it has.
	lostAfter = 2 * time.Second
)

// Reader hands out the records of a feed in the order of the stream. Next must not be called by two goroutines at a time.
type Reader interface {
	// Next returns the next record, waiting for one. It outlives any loss of the server; errors are the context's,
	// after which Next can be called again, and a *GapError for each hole, after which Next goes on behind it.
	// The record's data belongs to the receiver. Records of writers that were succeeded are left out,
	// and of a claim that takes several records only the first comes.
	Next(ctx context.Context) (pipeline.Record, error)
	// Lag returns how many records were waiting behind the last one that Next returned.
	Lag() uint64
	// Close ends the reader. It must be called once, and not while Next is waiting.
	Close() error
}

// ReaderOptions configures a reader.
type ReaderOptions struct {
	// From is the sequence number of the first record. 0: the newest random access picture when the reader gets to the
	// stream, or, when there is none, what is published from then on.
	From uint64
	// Tap makes the reader listen to the writer, too, and so go on while the stream has no leader. It is always so when the
	// connection's streams have replicas.
	Tap bool
	// Now defaults to time.Now.
	Now func() time.Time
	// Logger defaults to that of the connection.
	Logger *slog.Logger
}

// NewReader returns a reader of a feed. The stream may be made later.
func (c *Conn) NewReader(feed string, o ReaderOptions) (Reader, error) {
	if !pipeline.ValidID(feed) {
		return nil, fmt.Errorf("feed id %q is not valid", feed)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = c.log
	}
	if o.Tap || c.replicas > 1 {
		return newTapReader(c, feed, o), nil
	}
	return newConsumerReader(c, feed, o), nil
}

// consumerReader reads with a consumer of its own that nobody else knows, needs no acknowledgement, and is made anew
// after every doubt. The library's ordered consumer hangs for many seconds when the node that hosts it dies.
type consumerReader struct {
	conn *Conn
	feed string
	now  func() time.Time
	log  *slog.Logger

	order    order
	consumer string // name of the present consumer
	fresh    bool   // it has sent nothing yet: only then does a hole mean that records have expired
	messages *pull
	behind   time.Time // since when the stream ends before the record wanted; zero: it does not
	said     string    // the last error that was logged
	lag      atomic.Uint64
}

func newConsumerReader(c *Conn, feed string, o ReaderOptions) *consumerReader {
	return &consumerReader{conn: c, feed: feed, order: order{next: o.From}, now: o.Now, log: o.Logger.With("feed", feed)}
}

func (r *consumerReader) Lag() uint64 { return r.lag.Load() }

func (r *consumerReader) Next(ctx context.Context) (pipeline.Record, error) {
	for {
		if record, ok, err := r.order.take(); ok {
			return record, err
		}
		if err := r.ready(ctx); err != nil {
			return pipeline.Record{}, err
		}
		if r.messages == nil {
			continue // there is an error to take
		}
		m, err := r.messages.next(ctx)
		switch {
		case err == nil:
			r.put(m)
		case ctx.Err() != nil:
			return pipeline.Record{}, context.Cause(ctx)
		default:
			if !errors.Is(err, errBack) { // which the connection has said
				r.say("reading was interrupted", err)
			}
			r.drop()
		}
	}
}

// put hands a message to the order.
func (r *consumerReader) put(m jetstream.Msg) {
	meta, err := m.Metadata()
	if err != nil {
		r.say("message without its place in the stream", err)
		r.drop()
		return
	}
	if seq := meta.Sequence.Stream; seq > r.order.next && !r.fresh {
		// What was sent may have been lost with a connection.
		r.say("looking again for missing records", fmt.Errorf("record %d came instead of %d", seq, r.order.next))
		r.drop()
		return
	}
	r.said, r.fresh = "", false
	r.lag.Store(meta.NumPending)
	r.order.put(meta.Sequence.Stream, m.Subject(), m.Headers(), m.Data())
}

// ready makes a consumer if there is none, as often as it takes.
func (r *consumerReader) ready(ctx context.Context) error {
	for r.messages == nil && !r.order.full() {
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

func (r *consumerReader) open(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, createTimeout)
	defer cancel()
	last, err := r.conn.lastSequence(ctx, streamName(r.feed))
	if err != nil {
		return err
	}
	if r.order.next == 0 {
		if r.order.next, err = r.conn.begin(ctx, r.feed); err != nil {
			return err
		}
	}
	if last+1 < r.order.next {
		return r.wentBack(last)
	}
	r.behind = time.Time{}
	// A fresh name for each attempt: the server may have put the last one where it cannot be reached.
	name := "r_" + nuid.Next()
	c, err := r.conn.js.CreateConsumer(ctx, streamName(r.feed), jetstream.ConsumerConfig{
		Name: name, AckPolicy: jetstream.AckNonePolicy,
		FilterSubject: subject(r.feed, ">"), // one filter, so that permissions can name it
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: r.order.next,
		Replicas: 1, MemoryStorage: true, InactiveThreshold: inactive,
	})
	if err != nil {
		return fmt.Errorf("making a consumer: %w", err)
	}
	r.consumer, r.fresh, r.messages = name, true, newPull(r.conn.nc, c)
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

// wentBack waits whether the stream gets to the record wanted, and gives that up after a while.
func (r *consumerReader) wentBack(last uint64) error {
	now := r.now()
	if r.behind.IsZero() {
		r.behind = now
	}
	if now.Sub(r.behind) < lostAfter {
		return fmt.Errorf("stream ends at record %d, before %d", last, r.order.next)
	}
	r.behind = time.Time{}
	r.order.back(last)
	return nil
}

// drop forgets the consumer; the server does so after a while.
func (r *consumerReader) drop() {
	r.messages.close()
	r.messages = nil
}

// say logs an error, but not the same twice in a row.
func (r *consumerReader) say(what string, err error) {
	if s := err.Error(); s != r.said {
		r.said = s
		r.log.Warn(what, "error", err)
	}
}

func (r *consumerReader) Close() error {
	if r.messages == nil {
		return nil
	}
	r.drop()
	if !r.conn.nc.IsConnected() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	// Only a courtesy: without it the server forgets the consumer after a while.
	if err := r.conn.js.DeleteConsumer(ctx, streamName(r.feed), r.consumer); err != nil {
		r.log.Debug("deleting the consumer", "error", err)
	}
	return nil
}
