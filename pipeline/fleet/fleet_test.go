package fleet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/fleet"
)

// registry is a bus of compare-and-set records in memory.
type registry struct {
	mu      sync.Mutex
	by      map[string]fleet.Assignment
	retired map[string]bool
	lost    bool // listings lack everything
	away    bool
	missed  int // questions while it was away
	lists   int // questions about many
	asked   int // questions about one
}

var errAway = errors.New("the bus is away")

func newRegistry(feeds ...string) *registry {
	r := &registry{by: map[string]fleet.Assignment{}, retired: map[string]bool{}}
	for _, f := range feeds {
		r.by[f] = fleet.Assignment{Feed: f}
	}
	return r
}

func (r *registry) Feeds(context.Context) (ids, retired []string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id := range r.by {
		switch {
		case r.lost:
		case r.retired[id]:
			retired = append(retired, id)
		default:
			ids = append(ids, id)
		}
	}
	return ids, retired, nil
}

func (r *registry) retire(feed string, is bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.retired[feed] = is
}

func (r *registry) Assignments(_ context.Context, feeds []string) (map[string]fleet.Assignment, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away {
		r.missed++
		return nil, errAway
	}
	r.lists++
	found := map[string]fleet.Assignment{}
	for _, f := range feeds {
		found[f] = r.by[f]
	}
	return found, nil
}

func (r *registry) Assignment(_ context.Context, feed string) (fleet.Assignment, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away {
		r.missed++
		return fleet.Assignment{}, errAway
	}
	r.asked++
	return r.by[feed], nil
}

func (r *registry) set(away bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away = away
}

func (r *registry) TakeOver(_ context.Context, a fleet.Assignment, owner string) (fleet.Assignment, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by[a.Feed].Revision != a.Revision {
		return fleet.Assignment{}, pipeline.ErrFenced
	}
	a.Owner, a.Epoch, a.Revision = owner, a.Epoch+1, a.Revision+1
	r.by[a.Feed] = a
	return a, nil
}

func (r *registry) Release(_ context.Context, a fleet.Assignment) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away {
		return errAway
	}
	present := r.by[a.Feed]
	if present.Owner != a.Owner || present.Epoch != a.Epoch {
		return pipeline.ErrFenced
	}
	present.Owner, present.Revision = "", present.Revision+1
	r.by[a.Feed] = present
	return nil
}

// peers is a set of workers that are heard of as long as they are up.
type peers struct {
	mu   sync.Mutex
	up   map[string]bool
	rank int
}

func (p *peers) Alive(w string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.up[w]
}
func (p *peers) Rank(string) int { return p.rank }
func (p *peers) kill(w string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.up[w] = false
}

// runner notes what runs and returns what it is told.
type runner struct {
	runs chan fleet.Assignment
	end  chan error
}

func newRunner() *runner {
	return &runner{runs: make(chan fleet.Assignment, 1000), end: make(chan error)}
}

func (r *runner) Run(ctx context.Context, a fleet.Assignment) error {
	r.runs <- a
	select {
	case err := <-r.end:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func supervise(t *testing.T, name string, reg *registry, p *peers) *runner {
	t.Helper()
	run := newRunner()
	s := fleet.New(fleet.Options{Worker: name, Registry: reg, Peers: p, Runner: run, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return run
}

func TestEveryFeedHasExactlyOneOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg, p := newRegistry("a", "b", "c"), &peers{up: map[string]bool{"w1": true, "w2": true}}
		one, two := supervise(t, "w1", reg, p), supervise(t, "w2", reg, &peers{up: p.up, rank: 1})
		time.Sleep(10 * time.Second)
		require.Len(t, one.runs, 3)
		require.Empty(t, two.runs)
	})
}

func TestAStandbyAsksOnceASecondHoweverManyFeedsThereAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var feeds []string
		for i := range 300 {
			feeds = append(feeds, fmt.Sprintf("camera-%d", i))
		}
		reg, p := newRegistry(feeds...), &peers{up: map[string]bool{"w1": true, "w2": true}}
		one := supervise(t, "w1", reg, p)
		time.Sleep(2 * time.Second)
		require.Len(t, one.runs, 300)
		reg.mu.Lock()
		lists, asked := reg.lists, reg.asked
		reg.mu.Unlock()

		two := supervise(t, "w2", reg, &peers{up: p.up, rank: 1})
		time.Sleep(10 * time.Second)
		require.Empty(t, two.runs)
		reg.mu.Lock()
		defer reg.mu.Unlock()
		require.InDelta(t, 10, reg.lists-lists, 1)
		require.Equal(t, asked, reg.asked)
	})
}

func TestAStandbyTakesOverWithAHigherEpochWhenTheOwnerFallsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg, p := newRegistry("a"), &peers{up: map[string]bool{"w1": true, "w2": true}}
		first := supervise(t, "w1", reg, p)
		time.Sleep(time.Second)
		before := <-first.runs
		standby := supervise(t, "w2", reg, p)
		time.Sleep(10 * time.Second)
		require.Empty(t, standby.runs, "a living owner keeps its feed")

		p.kill("w1")
		start := time.Now()
		after := <-standby.runs
		require.Less(t, time.Since(start), 300*time.Millisecond)
		require.Greater(t, after.Epoch, before.Epoch)
		require.Equal(t, "w2", after.Owner)
	})
}

func TestAFeedThatKeepsFailingIsRunLessAndLessOftenAndNeverHarmsAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg, p := newRegistry("bad"), &peers{up: map[string]bool{"w1": true}}
		run := supervise(t, "w1", reg, p)
		for range 20 {
			<-run.runs
			run.end <- errors.New("crashed")
		}
		start := time.Now()
		last := <-run.runs
		require.GreaterOrEqual(t, time.Since(start), 9*time.Second)
		require.EqualValues(t, 21, last.Epoch, "each run has an epoch of its own")
	})
}

func TestAFencedWorkerLeavesTheFeedToItsNewOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg, p := newRegistry("a"), &peers{up: map[string]bool{"w1": true, "w2": true}}
		run := supervise(t, "w1", reg, p)
		mine := <-run.runs
		_, err := reg.TakeOver(t.Context(), mine, "w2")
		require.NoError(t, err)
		run.end <- pipeline.ErrFenced
		time.Sleep(10 * time.Second)
		require.Empty(t, run.runs)
	})
}

func TestACheckpointOfTheDeadOwnerDoesNotDelayItsSuccessor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg, p := newRegistry("a"), &peers{up: map[string]bool{"w1": true, "w2": true}}
		first := supervise(t, "w1", reg, p)
		<-first.runs
		standby := supervise(t, "w2", reg, p)
		time.Sleep(2500 * time.Millisecond)
		reg.mu.Lock()
		moved := reg.by["a"]
		moved.MSN, moved.Revision = 7, moved.Revision+1
		reg.by["a"] = moved
		reg.mu.Unlock()
		p.kill("w1")
		start := time.Now()
		after := <-standby.runs
		require.LessOrEqual(t, time.Since(start), 100*time.Millisecond)
		require.EqualValues(t, 7, after.MSN)
	})
}

func TestAnOwnerIsNotForgottenWhileTheBusIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg, p := newRegistry("a"), &peers{up: map[string]bool{"w1": true, "w2": true}}
		first := supervise(t, "w1", reg, p)
		<-first.runs
		standby := supervise(t, "w2", reg, p)
		time.Sleep(2500 * time.Millisecond)
		reg.set(true)
		time.Sleep(5 * time.Second)
		reg.set(false)
		time.Sleep(5 * time.Second)
		require.Empty(t, standby.runs)
		require.LessOrEqual(t, reg.missed, 5, "it reads the list, and claims nothing")
	})
}

func TestABusThatIsAwayIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := newRegistry("a")
		reg.away = true
		var said bytes.Buffer
		s := fleet.New(fleet.Options{
			Worker: "w1", Registry: reg, Peers: &peers{}, Runner: newRunner(), Log: slog.New(slog.NewTextHandler(&said, nil)),
		})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		require.ErrorIs(t, s.Run(ctx), context.DeadlineExceeded)
		require.Greater(t, reg.missed, 5)
		require.Equal(t, 1, strings.Count(said.String(), "list of feeds cannot be read"), said.String())
		require.Equal(t, 1, strings.Count(said.String(), "feed cannot be claimed"), said.String())
	})
}
