package bus

import (
	"context"
	"encoding/binary"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
)

func TestRecordsAreReadInTheOrderOfPublish(t *testing.T) {
	c := local(t)
	w := startWriter(t, c, WriterOptions{})
	publish(t, w, 0, 500) // some before the claim, and more than the window holds
	r := startReader(t, c, 1)
	claim := expectClaim(t, r)
	expectPictures(t, r, 0, 500)
	w.stored(t)
	require.Equal(t, claim.Epoch, w.Stats().Epoch)
	require.Equal(t, uint64(500), w.Stats().Stored)
	require.Zero(t, r.Lag())
}

func TestSequenceNumbersHaveNoHolesAfterTheClaim(t *testing.T) {
	c := local(t)
	w := startWriter(t, c, WriterOptions{})
	publish(t, w, 0, 100)
	r := startReader(t, c, 1)
	require.Equal(t, uint64(1), expectClaim(t, r).Seq)
	for i := range 100 {
		require.Equal(t, uint64(window+1+i), next(t, r).Seq)
	}
}

func TestCloseEndsRunWhenEverythingIsStored(t *testing.T) {
	c := local(t)
	w := startWriter(t, c, WriterOptions{})
	publish(t, w, 0, 100)
	w.Close()
	require.NoError(t, w.wait(t))
	require.Equal(t, uint64(100), w.Stats().Stored)
	require.ErrorIs(t, w.Publish(picture(100)), pipeline.ErrClosed)
}

func TestRunStoresTheRestWhenItsContextEnds(t *testing.T) {
	c := local(t)
	w, err := c.NewWriter(WriterOptions{Feed: "lobby"})
	require.NoError(t, err)
	for n := range 100 {
		require.NoError(t, w.Publish(picture(n)))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, w.Run(ctx), context.Canceled)
	require.Equal(t, uint64(100), w.Stats().Stored)
}

func TestAnOlderWriterIsFenced(t *testing.T) {
	c := local(t)
	old := startWriter(t, c, WriterOptions{})
	publish(t, old, 0, 10)
	old.stored(t)
	successor := startWriter(t, c, WriterOptions{})
	successor.claimed(t)
	require.Greater(t, successor.Stats().Epoch, old.Stats().Epoch)
	publish(t, old, 10, 11)
	require.ErrorIs(t, old.wait(t), pipeline.ErrFenced)
	require.ErrorIs(t, old.Publish(picture(20)), pipeline.ErrFenced)
}

// The writers publish so fast that the old one always has records in flight when it is succeeded.
func TestNoRecordOfAnOlderWriterFollowsAClaim(t *testing.T) {
	e := startEmbedded(t, EmbeddedOptions{})
	var last running
	for i := range 6 {
		c := connect(t, Options{URL: e.URL(), Name: "writer"})
		w := startWriter(t, c, WriterOptions{DrainTimeout: patience})
		flooded := make(chan struct{})
		go func() {
			defer close(flooded)
			flood(w)
		}()
		t.Cleanup(func() { w.Close(); <-flooded })
		until(t, "records of this writer", func() bool { return w.Stats().Stored > 200 })
		if i > 0 {
			require.ErrorIs(t, last.wait(t), pipeline.ErrFenced)
		}
		last = w
	}
	last.Close()
	require.NoError(t, last.wait(t))
	requireNoInterleaving(t, connect(t, Options{Embedded: e}), last.Stats().Seq)
}

// flood publishes some thousand pictures per second until that fails.
func flood(w running) {
	pace := time.NewTicker(time.Millisecond)
	defer pace.Stop()
	for n := 0; ; n++ {
		if w.Publish(picture(n)) != nil {
			return
		}
		if n%4 == 0 {
			<-pace.C
		}
	}
}

// requireNoInterleaving looks at every message that the stream has stored.
func requireNoInterleaving(t *testing.T, c *Conn, last uint64) {
	t.Helper()
	s, err := c.js.CreateConsumer(limited(t), streamName("lobby"), jetstream.ConsumerConfig{AckPolicy: jetstream.AckNonePolicy})
	require.NoError(t, err)
	messages, err := s.Messages()
	require.NoError(t, err)
	defer messages.Stop()
	claimant, row, pictureOf := uint64(0), 0, -1
	for seq := uint64(1); seq <= last; seq++ {
		m, err := messages.Next(jetstream.NextContext(limited(t)))
		require.NoError(t, err)
		r, err := unmarshal(m.Subject(), m.Headers(), m.Data())
		require.NoError(t, err)
		if r.Claim && r.Epoch != claimant {
			claimant, row, pictureOf = r.Epoch, 0, -1
		}
		if r.Claim {
			row++
			continue
		}
		if row < window {
			continue // the claim did not succeed: the older writer goes on until the next
		}
		require.Equal(t, claimant, r.Epoch, "record %d", seq)
		require.Equal(t, pictureOf+1, number(t, r), "record %d", seq)
		pictureOf++
	}
}

func TestAnAnswerThatIsLostCostsNothing(t *testing.T) {
	c := local(t)
	w := startWriter(t, c, WriterOptions{})
	publish(t, w, 0, 10)
	w.stored(t)
	w.trouble("a test says so", nil)
	publish(t, w, 10, 20)
	w.stored(t)
	require.Equal(t, uint64(1), w.Stats().Claims)
	r := startReader(t, c, 1)
	expectClaim(t, r)
	expectPictures(t, r, 0, 20)
}

func TestAStreamThatWasDeletedIsMadeAgain(t *testing.T) {
	c := local(t)
	w := startWriter(t, c, WriterOptions{})
	publish(t, w, 0, 10)
	w.stored(t)
	epoch := w.Stats().Epoch
	require.NoError(t, c.js.DeleteStream(limited(t), streamName("lobby")))
	publish(t, w, 10, 20)
	w.stored(t)
	require.Greater(t, w.Stats().Epoch, epoch)
	r := startReader(t, c, 1)
	expectClaim(t, r)
	expectPictures(t, r, 10, 20)
}

func TestPublishRefusesWhatDoesNotFit(t *testing.T) {
	w := startWriter(t, local(t), WriterOptions{})
	large := picture(0)
	large.Bundle.Units[0].Data = make([]byte, maxPayload)
	require.ErrorIs(t, w.Publish(large), ErrTooLarge)
	require.Error(t, w.Publish(pipeline.Record{Claim: true}))
	publish(t, w, 0, 1)
	w.stored(t)
}

func TestTheLargestRecordFits(t *testing.T) {
	c := local(t)
	w := startWriter(t, c, WriterOptions{})
	large := picture(0)
	large.Bundle.Units[0].Data = make([]byte, maxBody-bundleHead-2-unitHead)
	binary.BigEndian.PutUint32(large.Bundle.Units[0].Data, 1)
	require.NoError(t, w.Publish(large))
	w.stored(t)
	r := startReader(t, c, 0)
	require.Equal(t, large.Bundle, next(t, r).Bundle)
}

// An overflow before the claim: the writer has not been run yet.
func TestOverflowDropsTheOldestAndWaitsForRandomAccess(t *testing.T) {
	c := local(t)
	now := time.Unix(1_700_000_000, 0)
	w, err := c.NewWriter(WriterOptions{Feed: "lobby", RingAge: 10 * time.Second, Now: func() time.Time { return now }})
	require.NoError(t, err)
	for n := range 8 { // 0 is a random access picture, and too old when 7 comes
		require.NoError(t, w.Publish(picture(n)))
		now = now.Add(1500 * time.Millisecond)
	}
	sound := pipeline.Record{Bundle: &codecs.Bundle{
		Format: codecs.Format{Codec: codecs.AAC, SampleRate: 48000, Channels: 2},
		Units:  []codecs.AccessUnit{{PTS: 1, RandomAccess: true, Data: []byte{1}}},
	}}
	require.NoError(t, w.Publish(sound))
	w2 := running{w, make(chan error, 1)}
	go func() { w2.done <- w.Run(t.Context()) }()
	w2.stored(t)
	require.ErrorIs(t, w.Publish(picture(9)), ErrOverflow)
	require.NoError(t, w.Publish(picture(10)))
	require.NoError(t, w.Publish(picture(11)))
	w.Close()
	require.NoError(t, w2.wait(t))

	r := startReader(t, c, 1)
	expectClaim(t, r)
	require.Equal(t, codecs.AAC, next(t, r).Bundle.Format.Codec)
	expectPictures(t, r, 10, 12)
	require.Equal(t, uint64(9), w.Stats().Dropped)
}

func TestTwoWritersThatStartTogetherAgree(t *testing.T) {
	e := startEmbedded(t, EmbeddedOptions{})
	var writers [3]running
	for i := range writers {
		writers[i] = startWriter(t, connect(t, Options{URL: e.URL()}), WriterOptions{})
	}
	fenced := func() (n int) {
		for _, w := range writers {
			_ = w.Publish(picture(0)) // fails once it is fenced
			if len(w.done) > 0 {
				n++
			}
		}
		return n
	}
	until(t, "all but one to be fenced", func() bool { return fenced() == len(writers)-1 })
}

func TestEnsureFeedFitsAnExistingStream(t *testing.T) {
	c := local(t)
	require.NoError(t, c.EnsureFeed(limited(t), "lobby", 4_000_000))
	require.NoError(t, c.EnsureFeed(limited(t), "lobby", 6_000_000))
	s, err := c.js.Stream(limited(t), "FEED_lobby")
	require.NoError(t, err)
	require.Equal(t, int64(2*6_000_000/8*120), s.CachedInfo().Config.MaxBytes)
	require.Equal(t, jetstream.DiscardOld, s.CachedInfo().Config.Discard)
	require.ErrorContains(t, c.EnsureFeed(limited(t), "a.b", 0), "not valid")
	require.ErrorContains(t, c.EnsureFeed(limited(t), "big", 1_000_000_000), "MiB left to reserve")
}

func TestAServerWithoutRoomIsSaidOnce(t *testing.T) {
	said := &notes{}
	server := startEmbedded(t, EmbeddedOptions{MaxStoreBytes: minStreamBytes - 1})
	c, err := Connect(limited(t), Options{Embedded: server, Name: "test"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	startWriter(t, c, WriterOptions{Logger: slog.New(slog.NewTextHandler(said, nil))})
	until(t, "the reason", func() bool { return strings.Contains(said.String(), "MiB left to reserve") })
	require.NotContains(t, said.String(), "stream is made")
}
