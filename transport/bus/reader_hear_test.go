package bus

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
)

// sender sends what a writer would, at places of the test's choice.
type sender struct {
	t     *testing.T
	c     *Conn
	epoch uint64
}

// store has the stream store a record, and returns its sequence number.
func (s sender) store(r pipeline.Record) uint64 {
	s.t.Helper()
	suffix, body, err := marshal(r)
	require.NoError(s.t, err)
	m := &nats.Msg{Subject: subject("lobby", suffix), Data: body, Header: headerOf(strconv.FormatUint(s.epoch, 10))}
	ack, err := s.c.js.PublishMsg(limited(s.t), m)
	require.NoError(s.t, err)
	return ack.Sequence
}

// show sends a record that the stream never gets.
func (s sender) show(seq uint64, r pipeline.Record) {
	s.t.Helper()
	suffix, body, err := marshal(r)
	require.NoError(s.t, err)
	header := headerOf(strconv.FormatUint(s.epoch, 10))
	header.Set(expectedLastHeader, strconv.FormatUint(seq-1, 10))
	require.NoError(s.t, s.c.nc.PublishMsg(&nats.Msg{Subject: liveSubject("lobby", suffix), Data: body, Header: header}))
}

// claimedStream returns a sender whose claim is all that the stream has.
func claimedStream(t *testing.T) sender {
	t.Helper()
	s := sender{t, local(t), 7}
	require.NoError(t, s.c.EnsureFeed(limited(t), "lobby", 0))
	s.claim()
	return s
}

func (s sender) claim() {
	s.t.Helper()
	for range window {
		s.store(pipeline.Record{Claim: true})
	}
}

func TestReaderTakesWhatIsShownInAnyOrder(t *testing.T) {
	s := claimedStream(t)
	s.store(picture(0))
	r := startReader(t, s.c, 1)
	expectClaim(t, r)
	expectPictures(t, r, 0, 1)
	for _, n := range []int{1, 4, 3, 3, 2, 0, 6, 5} {
		s.show(uint64(window+1+n), picture(n))
	}
	expectPictures(t, r, 1, 7)
}

func TestReaderFillsAHoleFromTheStream(t *testing.T) {
	s := claimedStream(t)
	s.store(picture(0))
	r := startReader(t, s.c, 0)
	expectPictures(t, r, 0, 1)
	for n := 1; n < 5; n++ { // these do not say where they are, so the reader cannot take them on sight
		s.store(picture(n))
	}
	s.show(window+6, picture(5))
	expectPictures(t, r, 1, 6)
}

func TestReaderFindsWhatIsStoredButNeverHeard(t *testing.T) {
	s := claimedStream(t)
	s.store(picture(0))
	r := startReader(t, s.c, 0)
	expectPictures(t, r, 0, 1)
	s.store(picture(1))
	expectPictures(t, r, 1, 2)
}

func TestReaderAsksTheWriterForWhatTheStreamDoesNotHave(t *testing.T) {
	s := claimedStream(t)
	s.store(picture(0))
	r := startReader(t, s.c, 0)
	expectPictures(t, r, 0, 1)
	wants, err := s.c.nc.SubscribeSync(wantSubject("lobby"))
	require.NoError(t, err)
	s.show(window+4, picture(3))
	got := make(chan pipeline.Record, 1)
	go func() {
		record, _ := r.Next(limited(t))
		got <- record
	}()
	m, err := wants.NextMsgWithContext(limited(t))
	require.NoError(t, err)
	require.Equal(t, strconv.Itoa(window+2), string(m.Data))
	s.show(window+2, picture(1))
	s.show(window+3, picture(2))
	require.Equal(t, 1, number(t, <-got))
	expectPictures(t, r, 2, 4)
}

func TestReaderIgnoresAClaimThatWasTurnedAway(t *testing.T) {
	s := claimedStream(t)
	s.store(picture(0))
	r := startReader(t, s.c, 0)
	expectPictures(t, r, 0, 1)
	rival := sender{t, s.c, 9}
	for i := range uint64(window) {
		rival.show(window+2+i, pipeline.Record{Claim: true})
	}
	s.show(window+2, picture(1))
	s.show(window+3, picture(2))
	expectPictures(t, r, 1, 3)
	require.Zero(t, r.suspect)
}

func TestReaderIgnoresAWriterThatWasSucceeded(t *testing.T) {
	s := claimedStream(t)
	s.store(picture(0))
	successor := sender{t, s.c, 9}
	successor.claim()
	r := startReader(t, s.c, successor.store(picture(1)))
	expectPictures(t, r, 1, 2)
	s.show(2*window+3, picture(5))
	successor.show(2*window+3, picture(2))
	expectPictures(t, r, 2, 3)
}

// An old writer shows records that it never gets stored: the reader goes back to the claim of the new one.
func TestReaderGoesBackWhenItRanAheadWithAWriterThatWasSucceeded(t *testing.T) {
	s := claimedStream(t)
	s.store(picture(0))
	r := startReader(t, s.c, 0)
	expectPictures(t, r, 0, 1)
	for n := 1; n < 101; n++ { // further than the successor gets
		s.show(uint64(window+1+n), picture(n))
	}
	expectPictures(t, r, 1, 101)
	successor := sender{t, s.c, 9}
	successor.claim()
	seq := successor.store(picture(1))
	successor.show(seq, picture(1))
	_, err := r.Next(limited(t))
	var gap *GapError
	require.ErrorAs(t, err, &gap)
	require.Equal(t, GapError{From: window + 102, To: window + 1}, *gap)
	require.Equal(t, uint64(9), expectClaim(t, r).Epoch)
	expectPictures(t, r, 1, 2)
	s.show(window+102, picture(101)) // the old writer does not know yet
	successor.show(seq+1, picture(2))
	expectPictures(t, r, 2, 3)
}

// The reader hears nothing of the successor, and finds the middle of its claim where it looks for the next record.
func TestReaderGoesBackToAClaimThatItDidNotHear(t *testing.T) {
	s := claimedStream(t)
	s.store(picture(0))
	r := startReader(t, s.c, 0)
	expectPictures(t, r, 0, 1)
	for n := 1; n < 11; n++ {
		s.show(uint64(window+1+n), picture(n))
	}
	expectPictures(t, r, 1, 11)
	successor := sender{t, s.c, 9}
	successor.claim()
	successor.store(picture(1))
	_, err := r.Next(limited(t))
	var gap *GapError
	require.ErrorAs(t, err, &gap)
	require.Equal(t, GapError{From: window + 12, To: window + 1}, *gap)
	require.Equal(t, uint64(9), expectClaim(t, r).Epoch)
	expectPictures(t, r, 1, 2)
}

func TestReaderGoesOnWithASuccessorWithoutAGapWhenNothingWasReadAhead(t *testing.T) {
	s := claimedStream(t)
	s.store(picture(0))
	r := startReader(t, s.c, 0)
	expectPictures(t, r, 0, 1)
	successor := sender{t, s.c, 9}
	successor.claim()
	seq := successor.store(picture(1))
	successor.show(seq, picture(1))
	require.Equal(t, uint64(9), expectClaim(t, r).Epoch)
	expectPictures(t, r, 1, 2)
	successor.show(seq+1, picture(2))
	expectPictures(t, r, 2, 3)
}

func TestReaderFollowsAStreamThatHasGoneBack(t *testing.T) {
	c, w := withPictures(t, 20)
	r := startReader(t, c, window+1)
	expectPictures(t, r, 0, 20)
	require.NoError(t, c.js.DeleteStream(limited(t), streamName("lobby")))
	publish(t, w, 20, 23)
	w.stored(t)
	gaps := 0
	for last := 19; last < 22 || gaps == 0; {
		record, err := r.Next(limited(t))
		switch {
		case errors.Is(err, pipeline.ErrGap):
			gaps++
		case err == nil && record.Bundle != nil:
			last = number(t, record)
		default:
			require.NoError(t, err)
		}
		if gaps == 0 && last == 22 { // the new epoch is noticed by a record
			publish(t, w, 23, 24)
			last = 23
		}
	}
	require.Equal(t, 1, gaps)
}

func TestReaderThatBeginsBeyondTheEndGoesBack(t *testing.T) {
	c, w := withPictures(t, 3)
	r := startReader(t, c, 1000)
	_, err := r.Next(limited(t))
	require.ErrorIs(t, err, pipeline.ErrGap)
	publish(t, w, 3, 5)
	expectPictures(t, r, 3, 5)
}

func TestReaderCatchesUpWithABacklogAndThenReadsLive(t *testing.T) {
	c, w := withPictures(t, 700) // more than is held or buffered
	r := startReader(t, c, window+1)
	expectPictures(t, r, 0, 100)
	publish(t, w, 700, 1400)
	expectPictures(t, r, 100, 1400)
	w.stored(t)
	require.Equal(t, uint64(1), w.Stats().Claims)
}

// The stream takes nothing, as when it has no leader: only the writer can show what it has.
func TestWriterShowsWhatTheStreamDoesNotTake(t *testing.T) {
	c, w := withPictures(t, 5)
	r := startReader(t, c, window+1)
	expectPictures(t, r, 0, 5)
	sealed := seal(t, c)
	publish(t, w, 5, 205) // the reader hears 32 on their way to the stream
	expectPictures(t, r, 5, 205)
	// A reader that begins now has what is stored from the stream, and the rest from the writer when it shows something.
	late := startReader(t, c, window+1)
	expectPictures(t, late, 0, 5)
	publish(t, w, 205, 206)
	expectPictures(t, late, 5, 206)
	sealed()
	w.stored(t)
	publish(t, w, 206, 210)
	expectPictures(t, r, 205, 210)
	expectPictures(t, late, 206, 210)
	require.Equal(t, uint64(1), w.Stats().Claims)
	requireNoInterleaving(t, c, w.Stats().Seq)
}

// seal makes the stream deaf to its feed until the returned function is called.
func seal(t *testing.T, c *Conn) func() {
	t.Helper()
	config := feedStream("lobby", streamBytes(0), 1)
	listening := config.Subjects
	config.Subjects = []string{"deaf.lobby"}
	_, err := c.js.UpdateStream(limited(t), config)
	require.NoError(t, err)
	return func() {
		config.Subjects = listening
		_, err := c.js.UpdateStream(limited(t), config)
		require.NoError(t, err)
	}
}

func TestNothingIsShownAfterRecordsWereShed(t *testing.T) {
	c, k := local(t), &clock{}
	w, err := c.NewWriter(WriterOptions{Feed: "lobby", Now: k.now})
	require.NoError(t, err)
	w.claimed, w.first, w.epoch = true, 33, 1
	require.NoError(t, w.Publish(picture(0)))
	_, _, _, ok := w.nextShown()
	require.True(t, ok)
	k.advance(defaultRingAge + time.Second)
	require.NoError(t, w.Publish(picture(1)))
	_, _, _, ok = w.nextShown()
	require.False(t, ok)
}

func TestRecordsThatWereJustAcknowledgedCanBeShownAgain(t *testing.T) {
	c, w := withPictures(t, 100)
	s, err := c.nc.SubscribeSync(liveSubject("lobby", ">"))
	require.NoError(t, err)
	require.NoError(t, c.nc.Publish(wantSubject("lobby"), []byte("1")))
	for n := 100 - window; n < 100; n++ {
		m, err := s.NextMsgWithContext(limited(t))
		require.NoError(t, err)
		r, err := unmarshal(subject("lobby", suffixOfLive(m.Subject)), m.Header, m.Data)
		require.NoError(t, err)
		require.Equal(t, n, number(t, r))
		seq, err := predicted(m.Header)
		require.NoError(t, err)
		require.Equal(t, uint64(window+1+n), seq)
	}
	require.Equal(t, uint64(100), w.Stats().Stored)
}

func suffixOfLive(s string) string { return s[len(liveSubject("lobby", "")):] }
