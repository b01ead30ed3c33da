package bus

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
)

func streamSize(t *testing.T, c *Conn, feed string) int64 {
	t.Helper()
	_, size, err := c.streamState(limited(t), streamName(feed))
	require.NoError(t, err)
	return size
}

func TestHundredsOfFeedsFitOnASmallDisk(t *testing.T) {
	const feeds = 60
	c := connect(t, Options{Embedded: startEmbedded(t, EmbeddedOptions{MaxStoreBytes: feeds * (minStreamBytes + 1<<20)})})
	writers := make([]pipeline.Stage, feeds)
	claimed := make([]*Writer, feeds)
	for i := range writers {
		w, err := c.NewWriter(WriterOptions{Feed: fmt.Sprintf("camera-%d", i)})
		require.NoError(t, err)
		writers[i], claimed[i] = w, w
	}
	ctx, cancel := context.WithCancel(limited(t))
	done := make(chan error, 1)
	go func() { done <- pipeline.Run(ctx, writers...) }()
	for _, w := range claimed {
		until(t, "the claim of "+w.feed, func() bool { return w.Stats().Claims > 0 })
	}
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
}

func TestAStreamGrowsWithItsSource(t *testing.T) {
	c := local(t)
	now := time.Now()
	w := startWriter(t, c, WriterOptions{Now: func() time.Time { return now }})
	w.claimed(t)
	require.Equal(t, int64(minStreamBytes), streamSize(t, c, "lobby"))

	sent := func(bitrate int64) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.load = load{bytes: bitrate / 8 * 10, since: now.Add(-10 * time.Second)}
	}
	sent(1_000_000) // 30 MB in 240 s
	require.NoError(t, w.fitOnce(limited(t)))
	require.Equal(t, int64(minStreamBytes), streamSize(t, c, "lobby"))

	sent(8_000_000) // 240 MB
	require.NoError(t, w.fitOnce(limited(t)))
	require.Equal(t, int64(15*fitStep), streamSize(t, c, "lobby"))

	sent(1_000_000)
	require.NoError(t, w.fitOnce(limited(t)))
	require.Equal(t, int64(15*fitStep), streamSize(t, c, "lobby"), "what was reserved stays")
}

func TestASuccessorKnowsHowLargeItsStreamIs(t *testing.T) {
	c := local(t)
	require.NoError(t, c.EnsureFeed(limited(t), "lobby", 8_000_000))
	w := startWriter(t, c, WriterOptions{})
	w.claimed(t)
	w.mu.Lock()
	defer w.mu.Unlock()
	require.Equal(t, int64(240_000_000), w.size)
}

func TestAStreamThatCannotGrowGoesOnAndSaysWhy(t *testing.T) {
	c := connect(t, Options{Embedded: startEmbedded(t, EmbeddedOptions{MaxStoreBytes: 2 * minStreamBytes})})
	w := startWriter(t, c, WriterOptions{})
	w.claimed(t)
	w.mu.Lock()
	w.load = load{bytes: 1 << 30, since: w.now().Add(-10 * time.Second)}
	w.mu.Unlock()

	require.ErrorContains(t, w.fitOnce(limited(t)), "MiB left to reserve")
	publish(t, w, 0, 10)
	w.stored(t)
}

func TestAServerThatIsSlowAndGetsOnIsLetAlone(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	w, err := local(t).NewWriter(WriterOptions{Feed: "lobby", Now: func() time.Time { return now }})
	require.NoError(t, err)
	w.claimed, w.troubled, w.first = true, false, 1
	for range 3 {
		w.ring.push(entry{suffix: suffixDelta, taken: now})
		w.ring.next(now)
	}
	pass := func(d time.Duration) bool {
		now = now.Add(d)
		w.checkAcks()
		return w.troubled
	}
	stored := func(seq int) {
		w.acknowledge(&nats.Msg{Subject: w.reply(), Data: fmt.Appendf(nil, `{"stream":"FEED_lobby","seq":%d}`, seq)})
	}

	require.False(t, pass(400*time.Millisecond))
	stored(1)
	require.False(t, pass(400*time.Millisecond), "the second was sent 800 ms ago, but the first was stored since")
	require.True(t, pass(200*time.Millisecond), "nothing was stored for 600 ms")
}
