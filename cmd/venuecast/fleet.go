package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/venuecast/venuecast/configs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/fleet"
	"github.com/venuecast/venuecast/transport/bus"
)

// fleetOptions is what a role does with its feeds.
type fleetOptions struct {
	run      fleet.Runner
	admit    func(feed string) error // nil: always
	priority func(feed string) int   // nil: all alike
	// release makes a feed nobody's: one that was given up, or retired.
	release func(ctx context.Context, feed, owner string, epoch uint64) error
	retired func(feed string) // called when it is done
}

// lister returns the ids of all feeds, and of those that were retired.
type lister func(ctx context.Context) (ids, retired []string, err error)

// member returns the name of this process among those of a role.
func (h *host) member(role configs.Role) string { return string(role) + "-" + h.config.Worker.Name }

// fleet returns the stages with which this process stands by, with others of its role, for the feeds that list names.
func (h *host) fleet(role configs.Role, r *bus.Registry, list lister, o fleetOptions) []pipeline.Stage {
	name := h.member(role)
	heard := h.conn.NewPeers(time.Now)
	supervisor := fleet.New(fleet.Options{
		Worker: name, Registry: claims{r, list, o.release}, Peers: peers{heard, role, name}, Runner: o.run, Admit: o.admit,
		Priority: o.priority, Retired: o.retired, Log: h.log.With("role", role),
	})
	stand := pipeline.Func("fleet", func(ctx context.Context) error { return h.stand(ctx, name, supervisor) })
	return []pipeline.Stage{heard, stand}
}

// stand runs the supervisor and beats as long as it works. Its last beat lets the others take over at once.
func (h *host) stand(ctx context.Context, name string, supervisor *fleet.Supervisor) error {
	beating, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var ended error
	err := pipeline.Run(beating,
		pipeline.Func("heartbeat", func(ctx context.Context) error { return h.beat(ctx, name) }),
		pipeline.Func("supervisor", func(context.Context) error {
			defer stop()
			ended = supervisor.Run(ctx)
			return nil
		}),
	)
	if !errors.Is(err, context.Canceled) {
		return err
	}
	if err := h.conn.Beat(name, bus.Heartbeat{Boot: h.boot, Leaving: true}); err != nil {
		h.log.Debug("the others were not told", "error", err)
	}
	return ended
}

// beat says that this process lives until the context ends. A bus that is away is its connection's business.
func (h *host) beat(ctx context.Context, name string) error {
	tick := time.NewTicker(bus.BeatInterval)
	defer tick.Stop()
	for {
		if err := h.conn.Beat(name, bus.Heartbeat{Boot: h.boot}); err != nil {
			h.log.Debug("heartbeat was not sent", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// claims is the bus's registry as the supervisor sees it.
type claims struct {
	registry *bus.Registry
	list     lister
	release  func(ctx context.Context, feed, owner string, epoch uint64) error
}

func (c claims) Feeds(ctx context.Context) (ids, retired []string, err error) { return c.list(ctx) }

func (c claims) Assignments(ctx context.Context, feeds []string) (map[string]fleet.Assignment, error) {
	found, err := c.registry.Assignments(ctx, feeds)
	all := make(map[string]fleet.Assignment, len(found))
	for feed, a := range found {
		all[feed] = assignment(feed, a)
	}
	return all, err
}

func (c claims) Assignment(ctx context.Context, feed string) (fleet.Assignment, error) {
	a, err := c.registry.Assignment(ctx, feed)
	return assignment(feed, a), err
}

func (c claims) TakeOver(ctx context.Context, a fleet.Assignment, owner string) (fleet.Assignment, error) {
	taken, err := c.registry.TakeOver(ctx, a.Feed, owner, a.Revision)
	return assignment(a.Feed, taken), err
}

func (c claims) Release(ctx context.Context, a fleet.Assignment) error {
	return c.release(ctx, a.Feed, a.Owner, a.Epoch)
}

func assignment(feed string, a bus.Assignment) fleet.Assignment {
	return fleet.Assignment{Feed: feed, Owner: a.Owner, Epoch: a.Epoch, Seq: a.Seq, MSN: a.MSN, Revision: a.Revision}
}

// peers is the heartbeats of one role as the supervisor sees them.
type peers struct {
	heard *bus.Peers
	role  configs.Role
	me    string
}

// Alive reports whether a worker may still be there: it counts as dead only after silence that would have been heard.
func (p peers) Alive(worker string) bool { return !p.heard.Dead(worker) }

// Rank returns this process's place among those of its role that are heard.
func (p peers) Rank(feed string) int {
	workers := []string{p.me}
	for _, beat := range p.heard.Alive() {
		if strings.HasPrefix(beat.Worker, string(p.role)+"-") && beat.Worker != p.me {
			workers = append(workers, beat.Worker)
		}
	}
	return slices.Index(bus.Rank(feed, workers), p.me)
}

// store is the bus's registry as an ingest sees it.
type store struct {
	registry *bus.Registry
	terms    *atomic.Pointer[terms] // of the one feed that the ingest takes in; they may change
}

// Define stores a feed's description if there is none, or if the ladder it asks for is another than before. Its numbers go on.
func (s store) Define(ctx context.Context, f pipeline.Feed) (pipeline.Feed, error) {
	f = s.terms.Load().of(f)
	stored, created, err := s.registry.PutFeed(ctx, f)
	if err != nil || created {
		return stored, err
	}
	if stored.Asked.Equal(f.Asked) {
		return s.adjust(ctx, stored)
	}
	f.Grid = f.Grid.Following(stored.Grid)
	return f, s.registry.ReplaceFeed(ctx, f)
}

// Feed returns the stored description, false when there is none.
func (s store) Feed(ctx context.Context, id string) (pipeline.Feed, bool, error) {
	f, err := s.registry.Feed(ctx, id)
	if errors.Is(err, bus.ErrNotFound) {
		return pipeline.Feed{}, false, nil
	}
	if err == nil {
		f, err = s.adjust(ctx, f)
	}
	return f, err == nil, err
}

// adjust gives a feed that is there the terms that it has now.
func (s store) adjust(ctx context.Context, f pipeline.Feed) (pipeline.Feed, error) {
	now := s.terms.Load().of(f)
	if now.Priority == f.Priority && now.Ladder.DVR == f.Ladder.DVR {
		return f, nil
	}
	return now, s.registry.ReplaceFeed(ctx, now)
}

// terms are what of a feed's description may change while it goes on.
type terms struct {
	priority int
	dvr      time.Duration // how far back viewers can go
}

// of returns the feed with these terms.
func (t terms) of(f pipeline.Feed) pipeline.Feed {
	f.Priority, f.Asked.DVR, f.Ladder.DVR = t.priority, t.dvr, t.dvr
	return f
}
