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

// ending is a runner that says why its runs ended.
type ending struct {
	runs   chan fleet.Assignment
	causes chan error
}

func (e ending) Run(ctx context.Context, a fleet.Assignment) error {
	e.runs <- a
	<-ctx.Done()
	e.causes <- context.Cause(ctx)
	return context.Cause(ctx)
}

// superviseRetired runs a supervisor until the end of the test, and returns the feeds whose retirement it has said.
func superviseRetired(t *testing.T, name string, reg *registry, p *peers, run fleet.Runner) chan string {
	t.Helper()
	retired := make(chan string, 100)
	s := fleet.New(fleet.Options{
		Worker: name, Registry: reg, Peers: p, Runner: run, Log: slog.New(slog.DiscardHandler), Retired: func(id string) { retired <- id },
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return retired
}

func newEnding() ending {
	return ending{runs: make(chan fleet.Assignment, 100), causes: make(chan error, 100)}
}

func (r *registry) owner(feed string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.by[feed].Owner
}

func TestARetiredFeedIsEndedAndNobodysAndClaimedAgainWhenItReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg, run := newRegistry("a", "b"), newEnding()
		retired := superviseRetired(t, "w1", reg, &peers{up: map[string]bool{"w1": true}}, run)
		time.Sleep(3 * time.Second)
		require.Len(t, run.runs, 2)
		first := max((<-run.runs).Epoch, (<-run.runs).Epoch)

		reg.retire("a", true)
		time.Sleep(1100 * time.Millisecond)
		require.NotEmpty(t, run.causes)
		require.ErrorIs(t, <-run.causes, fleet.ErrRetired)
		require.Equal(t, "a", <-retired)
		require.Empty(t, reg.owner("a"))
		require.Equal(t, "w1", reg.owner("b"), "another feed does not notice")
		time.Sleep(10 * time.Minute)
		require.Empty(t, run.runs)
		require.Empty(t, run.causes)
		require.Empty(t, retired, "it is said once")

		reg.retire("a", false)
		time.Sleep(1100 * time.Millisecond)
		again := <-run.runs
		require.Equal(t, "a", again.Feed)
		require.Greater(t, again.Epoch, first)
	})
}

func TestAFeedThatAListingLacksGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg, run := newRegistry("a"), newEnding()
		retired := superviseRetired(t, "w1", reg, &peers{up: map[string]bool{"w1": true}}, run)
		<-run.runs
		reg.mu.Lock()
		reg.lost = true
		reg.mu.Unlock()
		time.Sleep(10 * time.Minute)
		require.Empty(t, run.causes)
		require.Empty(t, retired)
		require.Equal(t, "w1", reg.owner("a"))
	})
}

func TestARetirementThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg, run := newRegistry("a"), newEnding()
		retired := superviseRetired(t, "w1", reg, &peers{up: map[string]bool{"w1": true}}, run)
		<-run.runs
		reg.retire("a", true)
		reg.set(true)
		time.Sleep(10 * time.Second)
		require.NotEmpty(t, run.causes)
		require.ErrorIs(t, <-run.causes, fleet.ErrRetired, "the run ends all the same")
		require.Empty(t, retired)
		reg.set(false)
		time.Sleep(1100 * time.Millisecond)
		require.Equal(t, "a", <-retired)
		require.Empty(t, reg.owner("a"))
		require.Empty(t, run.runs)
	})
}

func TestAFeedThatWasRetiredWhileItsWorkerWasDownIsFreed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg, run := newRegistry("mine", "theirs"), newEnding()
		reg.by["mine"] = fleet.Assignment{Feed: "mine", Owner: "w1", Epoch: 7}
		reg.by["theirs"] = fleet.Assignment{Feed: "theirs", Owner: "w2", Epoch: 7}
		reg.retire("mine", true)
		reg.retire("theirs", true)
		retired := superviseRetired(t, "w1", reg, &peers{up: map[string]bool{"w1": true}}, run)
		time.Sleep(10 * time.Second)
		require.Len(t, retired, 2)
		require.Empty(t, reg.owner("mine"))
		require.Equal(t, "w2", reg.owner("theirs"), "it is w2's to free")
		require.Empty(t, run.runs)
	})
}

// An ingest's runner learns of it first: the configuration is its own.
func TestARunnerMaySayThatItsFeedIsRetired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg, run := newRegistry("a"), newRunner()
		retired := superviseRetired(t, "w1", reg, &peers{up: map[string]bool{"w1": true}}, run)
		<-run.runs
		reg.retire("a", true)
		run.end <- fleet.ErrRetired
		synctest.Wait()
		require.Equal(t, "a", <-retired)
		require.Empty(t, reg.owner("a"))
		time.Sleep(10 * time.Second)
		require.Empty(t, run.runs)
		require.Empty(t, retired)
	})
}
