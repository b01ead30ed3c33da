package bus

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/venuecast/venuecast/pipeline"
)

// A server reserves a stream's MaxBytes on its disk when the stream is made, whatever comes. So a stream begins small, and its
// writer has it grow with what the source sends: hundreds of cameras fit on a disk that a guess for each would not leave room on.

const (
	// fitInterval is how often a writer compares its stream's size with what it sent meanwhile.
	fitInterval = 10 * time.Second
	// fitStep is what sizes are rounded up to, so that a source whose bitrate varies a little changes nothing.
	fitStep = 16 << 20
	// recordBytes is what a record takes on disk besides its body: headers, subject, checksum.
	recordBytes = 160
)

// load is what a writer took since it was last compared with the stream's size.
type load struct {
	bytes int64
	since time.Time
}

// bitrate returns the mean in bit/s, 0 while too little is known.
func (l load) bitrate(now time.Time) int64 {
	span := now.Sub(l.since)
	if span < time.Second {
		return 0
	}
	return int64(float64(l.bytes*8) / span.Seconds())
}

// streamBytes returns how large the stream of a source must be: twice what it sends in maxAge.
func streamBytes(bitrate int64) int64 {
	return max(2*bitrate/8*int64(maxAge/time.Second), minStreamBytes)
}

// fit has the stream grow with what is written, until ctx ends. It never shrinks: a camera that was louder once may be again.
func (w *Writer) fit(ctx context.Context) error {
	pause := rand.N(fitInterval) + fitInterval/2 // hundreds of writers that begin together do not ask together
	said := ""
	for pipeline.Sleep(ctx, pause) == nil {
		pause = fitInterval
		err := w.fitOnce(ctx)
		switch {
		case err == nil:
			said = ""
		case ctx.Err() == nil && kindOf(err) != said:
			said = kindOf(err)
			w.log.Warn("the stream holds less than its 120 s and cannot grow; retrying", "error", err)
		}
	}
	return nil
}

// fitOnce makes the stream larger if what came since the last call needs that.
func (w *Writer) fitOnce(ctx context.Context) error {
	w.mu.Lock()
	bitrate, size := w.load.bitrate(w.now()), w.size
	w.load = load{since: w.now()}
	w.mu.Unlock()
	need := streamBytes(bitrate)
	if size == 0 || need <= size { // nothing is known before the first claim
		return nil
	}
	need = (need + fitStep - 1) / fitStep * fitStep
	limited, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if err := w.conn.updateFeed(limited, w.feed, need); err != nil {
		return err
	}
	w.resized(need)
	w.log.Debug("the stream has grown", "mib", need>>20, "bitrate", bitrate)
	return nil
}

// resized notes how large the stream is.
func (w *Writer) resized(size int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.size = size
}

// updateFeed changes the size of a feed's stream. It does not make one: that is the recovery's business.
func (c *Conn) updateFeed(ctx context.Context, id string, size int64) error {
	_, err := c.js.UpdateStream(ctx, feedStream(id, size, c.replicas))
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	}
	return noRoom(err, id, size)
}
