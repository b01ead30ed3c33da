package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"github.com/venuecast/venuecast/codecs"
)

// LastRandomAccess returns the sequence number of the newest random access picture of a feed up to and including upTo,
// or of all when upTo is 0. It returns ErrNotFound when there is none.
func (c *Conn) LastRandomAccess(ctx context.Context, feed string, upTo uint64) (uint64, error) {
	m, err := c.lastRandomAccess(ctx, feed, upTo)
	if err != nil {
		return 0, err
	}
	return m.Sequence, nil
}

// RandomAccessAt returns the sequence number of the newest random access picture of a feed that is shown at pts or before.
// It walks back from the newest, and returns ErrNotFound when even the oldest is shown later.
func (c *Conn) RandomAccessAt(ctx context.Context, feed string, pts codecs.Ticks) (uint64, error) {
	for upTo := uint64(0); ; {
		m, err := c.lastRandomAccess(ctx, feed, upTo)
		if err != nil {
			return 0, err
		}
		// What cannot be read cannot be decoded either: look before it.
		r, err := unmarshal(m.Subject, m.Header, m.Data)
		if err == nil && r.Bundle.Units[0].PTS <= pts {
			return m.Sequence, nil
		}
		if upTo = m.Sequence - 1; upTo == 0 {
			return 0, fmt.Errorf("random access picture of feed %s at or before %d: %w", feed, pts, ErrNotFound)
		}
	}
}

// lastRandomAccess asks any replica: what it may lack is the newest only.
func (c *Conn) lastRandomAccess(ctx context.Context, feed string, upTo uint64) (*jetstream.RawStreamMsg, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	stream, subject := streamName(feed), subject(feed, suffixRandomAccess)
	m, err := c.lastUpTo(ctx, stream, subject, upTo)
	if upTo > 0 && errors.Is(err, ErrNotFound) {
		// The server finds nothing, too, up to a sequence number that the stream has not reached.
		m, err = c.lastUpTo(ctx, stream, subject, 0)
		if err == nil && m.Sequence > upTo {
			err = ErrNotFound
		}
	}
	if err != nil {
		return nil, fmt.Errorf("looking for a random access picture of feed %s: %w", feed, err)
	}
	return m, nil
}

func (c *Conn) lastUpTo(ctx context.Context, stream, subject string, upTo uint64) (*jetstream.RawStreamMsg, error) {
	if !c.nc.IsConnected() {
		return nil, nats.ErrDisconnected // the request would leave a subscription behind
	}
	var options []jetstreamext.GetLastForOpt
	if upTo > 0 {
		options = append(options, jetstreamext.GetLastMsgsUpToSeq(upTo))
	}
	found, err := jetstreamext.GetLastMsgsFor(ctx, c.js, stream, []string{subject}, options...)
	if err != nil {
		return nil, err
	}
	var last *jetstream.RawStreamMsg
	for m, err := range found {
		switch {
		case errors.Is(err, jetstreamext.ErrNoMessages):
			return nil, ErrNotFound
		case err != nil:
			return nil, err
		}
		last = m
	}
	switch {
	case last != nil:
		return last, nil
	case ctx.Err() != nil: // the iteration ends without a word when its time is up
		return nil, context.Cause(ctx)
	}
	return nil, ErrNotFound
}
