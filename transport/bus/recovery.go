package bus

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/venuecast/venuecast/pipeline"
)

// recover finds out what the stream has stored and claims it where that is needed, as often as it takes.
// It is the one answer to every error. It fails when ctx ends or another writer has taken over.
func (w *Writer) recover(ctx context.Context) error {
	w.mu.Lock()
	w.stats.Recoveries++
	w.mu.Unlock()
	said := ""
	for {
		err := w.tryRecover(ctx)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, pipeline.ErrFenced):
			return fmt.Errorf("writing feed %s: %w", w.feed, err)
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, errMade):
			w.log.Info("stream is made")
			continue
		case kindOf(err) != said:
			said = kindOf(err)
			w.log.Warn("the stream cannot be written yet; retrying", "error", err)
		}
		// The jitter lets one of two writers that claim at the same time win.
		if err := pipeline.Sleep(ctx, recoveryPause+rand.N(recoveryPause)); err != nil {
			return err
		}
	}
}

// kindOf returns what tells errors apart in the log, where the sequence numbers in them do not count.
func kindOf(err error) string {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return strconv.Itoa(int(api.ErrorCode))
	}
	return err.Error()
}

func (w *Writer) tryRecover(ctx context.Context) error {
	last, claimant, err := w.survey(ctx)
	if isAPIError(err, jetstream.JSErrCodeStreamNotFound) {
		limited, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		return cmp.Or(w.conn.ensureFeed(limited, w.feed, streamBytes(w.bitrate)), w.reclaim())
	}
	if err != nil {
		return err
	}
	settled, err := w.settle(last, claimant)
	if settled || err != nil {
		return err
	}
	return w.claim(ctx, last, claimant)
}

var errMade = errors.New("the stream did not exist and was made")

// reclaim notes that the stream was made anew. Its error makes the recovery look at it again.
func (w *Writer) reclaim() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.claimed = false
	return errMade
}

// survey asks the stream's leader for its last sequence number, and then for the epoch of its last claim, 0 if there is none.
// In this order: when the claim is still ours, nobody else had written up to that sequence number.
func (w *Writer) survey(ctx context.Context) (last, claimant uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, recoveryLimit)
	defer cancel()
	last, size, err := w.conn.streamState(ctx, streamName(w.feed))
	if err != nil {
		return 0, 0, err
	}
	w.resized(size)
	m, err := w.conn.lastMessage(ctx, streamName(w.feed), subject(w.feed, suffixEpoch))
	if errors.Is(err, ErrNotFound) {
		return last, 0, nil // expired, with all that was written since
	}
	if err != nil {
		return 0, 0, err
	}
	claimant, err = epochOf(m.header())
	if err != nil {
		w.log.Warn("claiming over a record that is no claim", "seq", m.Seq, "error", err)
	}
	return last, claimant, nil
}

// settle goes on under the present claim if that is possible. It fails if another writer's claim is newer.
func (w *Writer) settle(last, claimant uint64) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.epoch > 0 && claimant > w.epoch {
		w.fenced = true
		w.ring.drop(len(w.ring.entries))
		return false, pipeline.ErrFenced
	}
	inFlight := w.first + uint64(w.ring.inFlight) - 1 // the last number given away
	// Below acked the store has lost what it had; below first-1 it lacks what the ring has shed.
	if !w.claimed || last < w.acked || last+1 < w.first || last > inFlight {
		w.claimed = false
		return false, nil
	}
	w.stored(last)
	w.ring.inFlight = 0
	w.troubled, w.gap = false, false
	w.generation++
	return true, nil
}

// claim makes this writer the only one: it publishes as many claims as an older writer can have records in flight.
// Only when all of them are stored in one row is the stream ours; then no record of another writer can follow them.
func (w *Writer) claim(ctx context.Context, last, claimant uint64) error {
	w.mu.Lock()
	epoch := max(claimant+1, w.epoch+1, uint64(max(w.now().UnixMilli(), 1)))
	w.mu.Unlock()
	w.generation++
	_, body, err := marshal(pipeline.Record{Claim: true})
	if err != nil {
		return err
	}
	for i := range uint64(window) {
		if err := w.publish(suffixEpoch, body, epoch, last+i); err != nil {
			return fmt.Errorf("claiming the stream: %w", err)
		}
	}
	if err := w.awaitClaim(ctx, last); err != nil {
		if isWrongLastSequence(err) {
			w.knock(body, epoch)
		}
		return fmt.Errorf("claiming the stream: %w", err)
	}
	w.begin(epoch, last+window)
	return nil
}

// knock publishes a claim that the stream takes at any place, and waits for nothing. Another writer that is so busy that
// no row of claims gets between its records finds a record turned away, sees this claim, and stops.
func (w *Writer) knock(body []byte, epoch uint64) {
	w.generation++
	m := &nats.Msg{
		Subject: subject(w.feed, suffixEpoch), Reply: w.reply(), Data: body,
		Header: nats.Header{epochHeader: {strconv.FormatUint(epoch, 10)}},
	}
	if err := w.conn.nc.PublishMsg(m); err != nil {
		w.log.Debug("announcing a claim", "error", err) // the next attempt meets the same error and says it
	}
}

// awaitClaim waits until every claim after last is acknowledged.
func (w *Writer) awaitClaim(ctx context.Context, last uint64) error {
	limit := time.NewTimer(ackTimeout)
	defer limit.Stop()
	for missing := window; missing > 0; {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-limit.C:
			return nats.ErrTimeout
		case m := <-w.acks:
			seq, current, err := w.readAck(m)
			switch {
			case !current: // of what was sent before
			case err != nil:
				return err
			case seq <= last || seq > last+window:
				return fmt.Errorf("claim after record %d was stored as record %d", last, seq)
			default:
				missing--
			}
		}
	}
	return nil
}

// begin starts an epoch after its claim, which ends at last. The ring's entries are numbered anew.
func (w *Writer) begin(epoch, last uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.epoch, w.acked, w.first, w.shown = epoch, last, last+1, last
	w.ring.inFlight = 0
	w.ring.forget()
	if w.gap {
		var n int
		n, w.awaitRandom = w.ring.dropUndecodable()
		w.stats.Dropped += uint64(n)
	}
	w.claimed, w.troubled, w.gap = true, false, false
	w.stats.Claims++
	w.log.Info("writing the stream", "epoch", epoch, "after", last)
}

// readAck reads the stream's answer, and whether it is to something sent since the last recovery.
func (w *Writer) readAck(m *nats.Msg) (seq uint64, current bool, err error) {
	current = strings.HasSuffix(m.Subject, "."+strconv.FormatUint(w.generation, 10))
	if len(m.Data) == 0 { // status 503: nobody listens on the subject
		return 0, current, nats.ErrNoResponders
	}
	var ack struct {
		Seq   uint64              `json:"seq"`
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(m.Data, &ack); err != nil {
		return 0, current, fmt.Errorf("reading an acknowledgement: %w", err)
	}
	if ack.Error != nil {
		return 0, current, ack.Error
	}
	return ack.Seq, current, nil
}
