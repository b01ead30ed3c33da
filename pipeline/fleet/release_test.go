package fleet_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline/fleet"
)

func TestAFeedThatIsGivenUpIsAnothersAtOnceAndIsNotTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg, p := newRegistry("a"), &peers{up: map[string]bool{"w1": true, "w2": true}}
		first := supervise(t, "w1", reg, p)
		mine := <-first.runs
		second := supervise(t, "w2", reg, &peers{up: p.up, rank: 1})
		time.Sleep(5 * time.Second)
		start := time.Now()
		first.end <- fleet.ErrReleased
		after := <-second.runs
		require.Less(t, time.Since(start), 1500*time.Millisecond)
		require.Greater(t, after.Epoch, mine.Epoch)
		time.Sleep(10 * time.Minute)
		require.Empty(t, first.runs)
	})
}

func TestAFeedThatNobodyElseTakesComesBackLessAndLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := supervise(t, "w1", newRegistry("a"), &peers{up: map[string]bool{"w1": true}})
		<-run.runs
		for _, pause := range []int{30, 60, 120, 240, 480, 480} {
			start := time.Now()
			run.end <- fleet.ErrReleased
			<-run.runs
			require.InDelta(t, pause, time.Since(start).Seconds(), 0.5)
		}
		time.Sleep(10 * time.Minute)
		start := time.Now()
		run.end <- fleet.ErrReleased
		<-run.runs
		require.InDelta(t, 30, time.Since(start).Seconds(), 0.5, "it was well for long")
	})
}

func TestTheHighestPriorityIsClaimedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := newRunner()
		priority := map[string]int{"a": -1, "c": 5, "d": 5}
		var asked []string
		s := fleet.New(fleet.Options{
			Worker: "w1", Registry: newRegistry("a", "b", "c", "d"), Peers: &peers{up: map[string]bool{"w1": true}}, Runner: run,
			Log: slog.New(slog.DiscardHandler), Priority: func(feed string) int { return priority[feed] },
			Admit: func(feed string) error { asked = append(asked, feed); return nil },
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = s.Run(ctx) }()
		time.Sleep(time.Second)
		cancel()
		<-done
		require.Equal(t, []string{"c", "d", "b", "a"}, asked)
	})
}
