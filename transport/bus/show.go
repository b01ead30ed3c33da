package bus

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
)

// The writer's side of the tap: what the stream cannot take yet is shown to those who read along. See Reader.

const (
	// stuckAfter is how long a full window may stand still before the records behind it are shown.
	stuckAfter = 100 * time.Millisecond
	showCheck  = 50 * time.Millisecond
	// wantLimit is the least time between two requests to show records again that are granted.
	wantLimit  = 50 * time.Millisecond
	wantBuffer = 64
)

// liveSubject returns the subject on which records of a feed are shown that its stream cannot take yet.
func liveSubject(feed, suffix string) string { return "live." + feed + "." + suffix }

// wantSubject returns the subject on which readers ask for records again.
func wantSubject(feed string) string { return "want." + feed }

// show shows what is not on its way to the stream, and again what a reader asks for, until ctx ends.
func (w *Writer) show(ctx context.Context) error {
	wants := make(chan *nats.Msg, wantBuffer)
	sub, err := w.conn.nc.ChanSubscribe(wantSubject(w.feed), wants)
	if err != nil {
		return fmt.Errorf("subscribing to requests of readers: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }() // fails only if the connection is closed, and then it is gone
	tick := time.NewTicker(showCheck)
	defer tick.Stop()
	var granted time.Time
	for {
		w.showAll(ctx)
		var check <-chan time.Time
		if w.mayGetStuck() {
			check = tick.C // a ticker that nobody waits for wakes nothing
		}
		select {
		case <-ctx.Done():
			return nil
		case <-w.late:
		case <-check:
		case m := <-wants:
			if now := w.now(); now.Sub(granted) >= wantLimit && w.showAgain(m.Data) {
				granted = now
			}
		}
	}
}

// showAll shows what is to be shown at present. What cannot be sent is tried again after a tick.
func (w *Writer) showAll(ctx context.Context) {
	for ctx.Err() == nil {
		seq, epoch, e, ok := w.nextShown()
		if !ok {
			return
		}
		m := w.record(liveSubject(w.feed, e.suffix), e.body, epoch, seq-1)
		if err := w.conn.nc.PublishMsg(m); err != nil {
			w.log.Debug("showing a record", "error", err) // storing meets the same error and says it
			w.showFrom(seq)
			return
		}
	}
}

// nextShown returns the next record to be shown, if there is one: all, when the stream takes nothing; otherwise what is
// in flight, if it has been asked for again.
// Nothing is shown after records were shed: those that follow will get other sequence numbers, in another epoch.
func (w *Writer) nextShown() (seq, epoch uint64, e entry, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.claimed || w.gap || w.fenced {
		return 0, 0, entry{}, false
	}
	end := w.first + uint64(w.ring.inFlight)
	if w.troubled || w.stuck() {
		end = w.first + uint64(len(w.ring.entries))
	}
	w.shown = max(w.shown, w.first-uint64(len(w.ring.tail))-1)
	if w.shown+1 >= end {
		return 0, 0, entry{}, false
	}
	w.shown++
	return w.shown, w.epoch, w.ring.at(int(int64(w.shown) - int64(w.first))), true
}

// stuck reports whether the window is full and stands still. w.mu is held.
func (w *Writer) stuck() bool {
	return w.ring.inFlight >= window && w.now().Sub(w.ring.entries[0].sent) > stuckAfter
}

// mayGetStuck reports whether time alone can bring something to be shown.
func (w *Writer) mayGetStuck() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.troubled || w.ring.inFlight >= window
}

// showAgain takes a reader's request for the records from a sequence number on, and reports whether it has any of them.
func (w *Writer) showAgain(request []byte) bool {
	seq, err := strconv.ParseUint(string(request), 10, 64)
	if err != nil || seq == 0 {
		return false
	}
	return w.showFrom(seq)
}

// showFrom has the records from seq on shown again, and reports whether there are any.
func (w *Writer) showFrom(seq uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if seq > w.shown {
		return false
	}
	w.shown = seq - 1
	return true
}
