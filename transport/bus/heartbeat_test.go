package bus

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// clock is a clock that a test moves.
type clock struct{ t atomic.Int64 }

func (c *clock) now() time.Time          { return time.UnixMilli(1_700_000_000_000 + c.t.Load()) }
func (c *clock) advance(d time.Duration) { c.t.Add(d.Milliseconds()) }

func startPeers(t *testing.T, c *Conn, now func() time.Time) *Peers {
	t.Helper()
	p := c.NewPeers(now)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	t.Cleanup(func() { cancel(); require.ErrorIs(t, <-done, context.Canceled) })
	until(t, "the subscription", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return !p.since.IsZero()
	})
	return p
}

func TestAWorkerThatIsSilentForASecondIsDead(t *testing.T) {
	c, k := local(t), &clock{}
	p := startPeers(t, c, k.now)
	beat := Heartbeat{Boot: "x", Feeds: []FeedBeat{{ID: "lobby", Epoch: 3, MSN: 4}}}
	require.NoError(t, c.Beat("w1", beat))
	until(t, "the beat", func() bool { return len(p.Alive()) == 1 })
	beat.Worker = "w1"
	require.Equal(t, []Heartbeat{beat}, p.Alive())
	k.advance(silence - time.Millisecond)
	require.Len(t, p.Alive(), 1)
	require.False(t, p.Dead("w1"))
	k.advance(time.Millisecond)
	require.Empty(t, p.Alive())
	require.True(t, p.Dead("w1"))
}

func TestAWorkerThatLeavesIsDeadAtOnceUntilItBeatsAgain(t *testing.T) {
	c, k := local(t), &clock{}
	p := startPeers(t, c, k.now)
	require.NoError(t, c.Beat("w1", Heartbeat{Boot: "x"}))
	until(t, "the beat", func() bool { return len(p.Alive()) == 1 })
	require.NoError(t, c.Beat("w1", Heartbeat{Boot: "x", Leaving: true}))
	until(t, "the last beat", func() bool { return p.Dead("w1") })
	require.Empty(t, p.Alive())
	require.NoError(t, c.Beat("w1", Heartbeat{Boot: "y"}))
	until(t, "its next start", func() bool { return !p.Dead("w1") })
	require.Len(t, p.Alive(), 1)
}

func TestNobodyIsDeadBeforeASecondOfListening(t *testing.T) {
	c, k := local(t), &clock{}
	p := startPeers(t, c, k.now)
	require.False(t, p.Dead("unknown"))
	k.advance(999 * time.Millisecond)
	require.False(t, p.Dead("unknown"))
	k.advance(time.Millisecond)
	require.True(t, p.Dead("unknown"))
}

func TestNobodyDiesOfOurOwnLostConnection(t *testing.T) {
	server := startServerProcess(t)
	k := &clock{}
	p := startPeers(t, connect(t, Options{URL: server.url}), k.now)
	server.kill()
	k.advance(time.Hour)
	until(t, "the loss to be noticed", func() bool { return !p.Dead("w1") })
	k.advance(time.Hour)
	require.False(t, p.Dead("w1"))
	server.start()
	until(t, "the connection", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return !p.since.IsZero()
	})
	require.False(t, p.Dead("w1"))
	k.advance(time.Second)
	require.True(t, p.Dead("w1"))
}

func TestPeersAreBounded(t *testing.T) {
	k := &clock{}
	p := (&Conn{}).NewPeers(k.now)
	for i := range 2 * maxPeers {
		p.hear(fmt.Sprintf("w%d", i), []byte(`{}`))
	}
	require.Len(t, p.Alive(), maxPeers)
	k.advance(forgetAfter + time.Millisecond)
	p.hear("new", []byte(`{}`))
	require.Len(t, p.peers, 1)
	p.hear("broken", []byte(`{`))
	p.hear("a.b", []byte(`{}`))
	require.Len(t, p.peers, 1)
}

func TestRankIsTheSameForEveryOrderAndMovesLittle(t *testing.T) {
	workers := []string{"w1", "w2", "w3", "w4"}
	first := map[string]int{}
	for i := range 4000 {
		feed := fmt.Sprintf("feed-%d", i)
		ranked := Rank(feed, workers)
		require.ElementsMatch(t, workers, ranked)
		require.Equal(t, ranked, Rank(feed, []string{"w3", "w1", "w4", "w2", "w1"}))
		first[ranked[0]]++
		without := Rank(feed, []string{"w1", "w2", "w3"})
		if ranked[0] != "w4" {
			require.Equal(t, ranked[0], without[0], "only the feeds of w4 move")
		}
	}
	for w, n := range first {
		require.InDelta(t, 1000, n, 150, w)
	}
	require.Equal(t, []string{"w1", "w2", "w3", "w4"}, workers, "the argument stays as it was")
}
