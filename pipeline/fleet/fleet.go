// Package fleet decides which feeds a worker transcodes.
//
// Every worker beats; a feed without an owner, or whose owner is silent, is claimed by compare-and-set with a growing
// epoch. Candidates wait by rank, so that they rarely race; a lost race is harmless. Nobody trusts its own claim: the
// origin refuses lower epochs.
package fleet

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

// Assignment says who transcodes a feed.
type Assignment struct {
	Feed     string
	Owner    string // empty: nobody yet
	Epoch    uint64 // grows with every claim
	Seq      uint64 // a record from which everything after segment MSN can be decoded; 0 before the first checkpoint
	MSN      int64
	Revision uint64 // for compare-and-set
}

// Registry keeps the assignments.
type Registry interface {
	// Feeds returns the ids of all feeds, and of those that were retired. What is in neither list is left as it is: a bus that
	// has lost its data, or a listing that was cut short, ends no feed.
	Feeds(ctx context.Context) (ids, retired []string, err error)
	// Assignments returns those of these feeds that there are. They may be a moment old.
	Assignments(ctx context.Context, feeds []string) (map[string]Assignment, error)
	// Assignment returns the present one; its Owner is empty when there is none.
	Assignment(ctx context.Context, feed string) (Assignment, error)
	// TakeOver makes owner the owner if a is still the present assignment, with a higher epoch.
	// It returns pipeline.ErrFenced when somebody else was faster.
	TakeOver(ctx context.Context, a Assignment, owner string) (Assignment, error)
	// Release makes a feed nobody's if a, but for its place, is still the present assignment, so that another worker claims it at once.
	Release(ctx context.Context, a Assignment) error
}

var (
	// ErrReleased is what a Runner returns when this worker gives a feed up because it cannot carry it.
	ErrReleased = errors.New("the feed is given up")
	// ErrRetired is why the run of a feed that was retired is ended. A Runner that knows of it first returns it.
	ErrRetired = errors.New("the feed is retired")
)

// Peers knows the workers.
type Peers interface {
	// Alive reports whether a worker has been heard of lately.
	Alive(worker string) bool
	// Rank returns this worker's place, from 0, among the living candidates for a feed.
	Rank(feed string) int
}

// Runner transcodes one feed until it fails, the context ends, or another worker has taken over (pipeline.ErrFenced).
type Runner interface {
	Run(ctx context.Context, a Assignment) error
}

// Options is what a Supervisor needs. Without a word of a default, a field must be set.
type Options struct {
	Worker   string // this worker's name
	Registry Registry
	Peers    Peers
	Runner   Runner
	Log      *slog.Logger
	// Admit says whether the worker has room for one more feed, and why not. It defaults to always.
	Admit func(feed string) error
	// Priority says which feeds are claimed first: those with the highest. It defaults to all alike.
	Priority func(feed string) int
	// Retired is called when a retired feed's run has ended and it is nobody's. It defaults to nothing.
	Retired func(feed string)

	Now      func() time.Time // It defaults to time.Now.
	Tick     time.Duration    // how often owners are looked at. It defaults to 100 ms.
	Refresh  time.Duration    // how often the list of feeds is read. It defaults to 1 s.
	RankWait time.Duration    // how long each candidate waits for those before it. It defaults to 150 ms.
	RetryMax time.Duration    // the longest pause before a feed that keeps failing is run again. It defaults to 10 s.
	Yield    time.Duration    // how long a feed that was given up is left to others, 16 times at most. It defaults to 30 s.
}

// Supervisor is the stage that claims feeds and runs them.
type Supervisor struct {
	o     Options
	group pipeline.Group
	feeds map[string]*feed
	gone  map[string]bool // feeds that are retired, as long as the list says so
	ended chan ended
	read  time.Time // when the list of feeds was read last
	blind bool      // it could not be read
}

// feed is what the supervisor knows of one feed. It is the supervisor's goroutine's alone.
type feed struct {
	id       string
	known    Assignment
	running  bool
	cancel   context.CancelCauseFunc // of the run
	retired  bool
	since    time.Time // when it began to run
	failures int
	notUntil time.Time // a pause after a failure
	orphaned time.Time // since when no living owner is known; zero: there is one
	released int       // how often it was given up in a row

	complaint string // what was logged last of why it is not claimed
}

type ended struct {
	feed string
	err  error
}

// New returns a supervisor. Nothing runs before Run.
func New(o Options) *Supervisor {
	if o.Admit == nil {
		o.Admit = func(string) error { return nil }
	}
	if o.Priority == nil {
		o.Priority = func(string) int { return 0 }
	}
	if o.Retired == nil {
		o.Retired = func(string) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	setDefault(&o.Yield, 30*time.Second)
	setDefault(&o.Tick, 100*time.Millisecond)
	setDefault(&o.Refresh, time.Second)
	setDefault(&o.RankWait, 150*time.Millisecond)
	setDefault(&o.RetryMax, 10*time.Second)
	return &Supervisor{o: o, feeds: map[string]*feed{}, gone: map[string]bool{}, ended: make(chan ended)}
}

func setDefault(d *time.Duration, v time.Duration) {
	if *d == 0 {
		*d = v
	}
}

// Name names the stage.
func (s *Supervisor) Name() string { return "supervisor" }

// Run claims and runs feeds until the context ends, and waits for what it runs.
func (s *Supervisor) Run(ctx context.Context) error {
	tick := time.NewTicker(s.o.Tick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			s.group.Wait()
			return context.Cause(ctx)
		case e := <-s.ended:
			s.stopped(ctx, e)
		case <-tick.C:
			s.look(ctx)
		}
	}
}

// look reads the list of feeds when it is time, and claims those that have no living owner.
func (s *Supervisor) look(ctx context.Context) {
	now := s.o.Now()
	if now.Sub(s.read) >= s.o.Refresh {
		s.read = now
		err := s.list(ctx)
		if err != nil && !s.blind {
			// Whoever transcodes goes on: it is only that nothing new can be claimed.
			s.o.Log.Warn("list of feeds cannot be read, trying again", "error", err)
		}
		s.blind = err != nil
	}
	for _, f := range s.order() {
		if !f.running && !f.retired && s.due(f, now) {
			s.claim(ctx, f)
		}
	}
}

// order returns the feeds, those of the highest priority first.
func (s *Supervisor) order() []*feed {
	return slices.SortedFunc(maps.Values(s.feeds), func(a, b *feed) int {
		return cmp.Or(cmp.Compare(s.o.Priority(b.id), s.o.Priority(a.id)), cmp.Compare(a.id, b.id))
	})
}

func (s *Supervisor) list(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	ids, retired, err := s.o.Registry.Feeds(ctx)
	if err != nil {
		return err
	}
	var idle []string
	for _, id := range ids {
		f := s.feeds[id]
		if f == nil {
			f = &feed{id: id}
			s.feeds[id] = f
		}
		f.retired = false
		if !f.running {
			idle = append(idle, id)
		}
	}
	if err := s.learn(ctx, idle); err != nil {
		return err
	}
	s.retireAll(ctx, retired)
	return nil
}

// learn asks who has these feeds.
func (s *Supervisor) learn(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	present, err := s.o.Registry.Assignments(ctx, ids)
	if err != nil {
		return err // who had the feeds is not forgotten
	}
	for _, id := range ids {
		s.feeds[id].known = present[id]
	}
	return nil
}

// due reports whether this worker should claim f now: nobody alive has it, and those before it had their time.
func (s *Supervisor) due(f *feed, now time.Time) bool {
	mine := f.known.Owner == s.o.Worker
	if !mine && f.known.Owner != "" && s.o.Peers.Alive(f.known.Owner) {
		f.orphaned, f.complaint = time.Time{}, ""
		return false
	}
	if f.orphaned.IsZero() {
		f.orphaned = now
	}
	wait := time.Duration(0)
	if !mine {
		wait = time.Duration(s.o.Peers.Rank(f.id)) * s.o.RankWait
	}
	return now.Sub(f.orphaned) >= wait && !now.Before(f.notUntil)
}

// claim takes f over, unless it has another owner by now, and runs it.
func (s *Supervisor) claim(ctx context.Context, f *feed) {
	if err := s.o.Admit(f.id); err != nil {
		s.complain(f, "no room for the feed", "reason", err)
		f.notUntil = s.o.Now().Add(s.o.RetryMax)
		return
	}
	limited, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	present, err := s.o.Registry.Assignment(limited, f.id)
	if err == nil && (present.Owner != f.known.Owner || present.Epoch != f.known.Epoch) {
		f.known, f.orphaned = present, time.Time{}
		return
	}
	if err == nil {
		present, err = s.o.Registry.TakeOver(limited, present, s.o.Worker)
	}
	if err != nil {
		if !errors.Is(err, pipeline.ErrFenced) {
			s.complain(f, "feed cannot be claimed, trying again", "error", err)
		}
		f.notUntil = s.o.Now().Add(s.o.RankWait)
		return
	}
	s.o.Log.Info("feed is claimed", "feed", f.id, "epoch", present.Epoch, "from", f.known.Owner)
	f.known, f.running, f.since, f.orphaned = present, true, s.o.Now(), time.Time{}
	f.complaint = ""
	run := pipeline.Func("feed "+f.id, func(ctx context.Context) error { return s.o.Runner.Run(ctx, present) })
	running, end := context.WithCancelCause(ctx)
	f.cancel = end
	s.group.Start(running, run, func(err error) {
		select {
		case s.ended <- ended{f.id, err}:
		case <-ctx.Done():
		}
	})
}

// complain logs why f is not claimed: not again until it is, or the reason is another.
func (s *Supervisor) complain(f *feed, what, key string, why error) {
	if f.complaint != what {
		s.o.Log.Warn(what, "feed", f.id, key, why)
	}
	f.complaint = what
}

// stopped notes the end of a feed's run. A feed that fails again and again is run less and less often; others go on.
func (s *Supervisor) stopped(ctx context.Context, e ended) {
	f := s.feeds[e.feed]
	f.running = false
	f.cancel(nil)
	if f.retired || errors.Is(e.err, ErrRetired) {
		f.retired = true
		s.retire(ctx, f.id)
		return
	}
	if errors.Is(e.err, ErrReleased) {
		s.release(ctx, f)
		return
	}
	if errors.Is(e.err, pipeline.ErrFenced) {
		s.o.Log.Info("feed is another worker's now", "feed", f.id)
		f.known.Owner, f.failures = "", 0
		f.notUntil = s.o.Now().Add(s.o.Refresh)
		s.read = time.Time{}
		return
	}
	if s.o.Now().Sub(f.since) > time.Minute {
		f.failures = 0
	}
	pause := min(100*time.Millisecond<<min(f.failures, 10), s.o.RetryMax)
	f.failures++
	f.notUntil = s.o.Now().Add(pause)
	s.o.Log.Warn("feed has stopped, running it again", "feed", f.id, "error", e.err, "pause", pause)
}

// release leaves a feed to others, longer each time that it comes back to be given up again.
func (s *Supervisor) release(ctx context.Context, f *feed) {
	if s.o.Now().Sub(f.since) > 10*s.o.Yield {
		f.released = 0
	}
	pause := s.o.Yield << min(f.released, maxYields)
	f.released++
	f.notUntil = s.o.Now().Add(pause)
	s.o.Log.Warn("feed is given up", "feed", f.id, "pause", pause)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := s.o.Registry.Release(ctx, f.known); err != nil && !errors.Is(err, pipeline.ErrFenced) {
		s.o.Log.Warn("others do not know that the feed is given up", "feed", f.id, "error", err)
	}
	f.known.Owner, f.failures, s.read = "", 0, time.Time{}
}

// maxYields bounds the doubling of Yield: to 8 minutes with the default.
const maxYields = 4
