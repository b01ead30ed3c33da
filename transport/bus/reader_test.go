package bus

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
)

// withPictures returns a connection to a stream with a claim and n pictures: picture k is record window+1+k.
func withPictures(t *testing.T, n int) (*Conn, running) {
	t.Helper()
	c := local(t)
	w := startWriter(t, c, WriterOptions{})
	publish(t, w, 0, n)
	w.stored(t)
	return c, w
}

func TestReaderBeginsAtTheNewestRandomAccessPicture(t *testing.T) {
	c, w := withPictures(t, 25)
	r := startReader(t, c, 0)
	expectPictures(t, r, 20, 25)
	publish(t, w, 25, 30)
	expectPictures(t, r, 25, 30)
}

func TestReaderWithoutAPictureBeginsWithWhatComes(t *testing.T) {
	c := local(t)
	w := startWriter(t, c, WriterOptions{})
	w.claimed(t)
	r := startReader(t, c, 0)
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := r.Next(short) // opens the reader
	require.ErrorIs(t, err, context.DeadlineExceeded)
	publish(t, w, 1, 3)
	expectPictures(t, r, 1, 3)
}

func TestReaderWaitsForAStreamThatIsMadeLater(t *testing.T) {
	c := local(t)
	r := startReader(t, c, 0)
	got := make(chan pipeline.Record, 1)
	go func() {
		record, _ := r.Next(limited(t))
		got <- record
	}()
	w := startWriter(t, c, WriterOptions{})
	w.claimed(t)
	record := pipeline.Record{}
	until(t, "a record", func() bool {
		require.NoError(t, w.Publish(picture(0)))
		select {
		case record = <-got:
			return true
		default:
			return false
		}
	})
	require.True(t, record.Claim || record.Bundle != nil)
}

func TestExpiredRecordsAreOneGap(t *testing.T) {
	c, _ := withPictures(t, 20)
	s, err := c.js.Stream(limited(t), streamName("lobby"))
	require.NoError(t, err)
	require.NoError(t, s.Purge(limited(t), jetstream.WithPurgeSequence(window+11))) // leaves the second ten
	r := startReader(t, c, window+1)
	_, err = r.Next(limited(t))
	require.ErrorIs(t, err, pipeline.ErrGap)
	var gap *GapError
	require.ErrorAs(t, err, &gap)
	require.Equal(t, GapError{From: window + 1, To: window + 10}, *gap)
	expectPictures(t, r, 10, 20)
}

func TestARecordThatCannotBeReadIsAGap(t *testing.T) {
	c, w := withPictures(t, 1)
	w.mu.Lock()
	w.ring.push(entry{suffix: suffixDelta, body: []byte{9}, taken: time.Now()})
	w.mu.Unlock()
	publish(t, w, 1, 2)
	r := startReader(t, c, window+1)
	expectPictures(t, r, 0, 1)
	_, err := r.Next(limited(t))
	require.ErrorIs(t, err, pipeline.ErrGap)
	require.ErrorContains(t, err, "version 9")
	expectPictures(t, r, 1, 2)
}

func TestLagCountsWhatWaits(t *testing.T) {
	c, _ := withPictures(t, 20)
	r := startReader(t, c, window+1)
	expectPictures(t, r, 0, 1)
	require.Equal(t, uint64(19), r.Lag())
	expectPictures(t, r, 1, 20)
	require.Zero(t, r.Lag())
}

func TestTwoReadersDoNotShare(t *testing.T) {
	c, _ := withPictures(t, 10)
	a, b := startReader(t, c, 0), startReader(t, c, 0)
	expectPictures(t, a, 0, 10)
	expectPictures(t, b, 0, 10)
}

func TestLastRandomAccessIsAtOrBefore(t *testing.T) {
	c, _ := withPictures(t, 25)
	cases := map[uint64]int{0: 20, 1_000_000: 20, window + 25: 20, window + 21: 20, window + 20: 10, window + 1: 0}
	for upTo, want := range cases {
		seq, err := c.LastRandomAccess(limited(t), "lobby", upTo)
		require.NoError(t, err)
		require.Equal(t, uint64(window+1+want), seq, "up to %d", upTo)
	}
	_, err := c.LastRandomAccess(limited(t), "lobby", window)
	require.ErrorIs(t, err, ErrNotFound)
}

func TestRandomAccessAtWalksBack(t *testing.T) {
	c, _ := withPictures(t, 45)
	cases := map[codecs.Ticks]int{3600 * 44: 40, 3600 * 40: 40, 3600*40 - 1: 30, 3600 * 11: 10, 0: 0}
	for pts, want := range cases {
		seq, err := c.RandomAccessAt(limited(t), "lobby", pts)
		require.NoError(t, err)
		require.Equal(t, uint64(window+1+want), seq, "at %d", pts)
	}
	_, err := c.RandomAccessAt(limited(t), "lobby", -1)
	require.ErrorIs(t, err, ErrNotFound)
}

func TestOrderLeavesOutWritersThatWereSucceeded(t *testing.T) {
	o := order{next: 5}
	put := func(seq uint64, epoch, suffix string, r pipeline.Record) {
		_, body, err := marshal(r)
		require.NoError(t, err)
		o.put(seq, subject("lobby", suffix), headerOf(epoch), body)
	}
	claim := pipeline.Record{Claim: true}
	put(5, "2", suffixEpoch, claim)
	r, ok, err := o.take()
	require.True(t, ok && err == nil && r.Claim)
	put(6, "2", suffixEpoch, claim) // the same claim goes on
	put(7, "1", suffixRandomAccess, picture(0))
	put(6, "2", suffixRandomAccess, picture(0)) // again
	require.False(t, o.full())
	put(8, "2", suffixRandomAccess, picture(0))
	r, ok, err = o.take()
	require.True(t, ok && err == nil)
	require.Equal(t, uint64(8), r.Seq)
	require.Equal(t, uint64(2), r.Epoch)
}
