package ingest

import (
	"context"
	"errors"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
)

// Standby is connected to a source while another ingest publishes it, and remembers what came since a random access
// unit. When it publishes in its turn, it begins with that: no picture is lost between the two.
//
// The PTS of both are by their hosts' clocks, which must agree to a frame; where they do not, as many frames are
// doubled or left out. It costs one more connection to the camera.
type Standby struct {
	o     Options
	queue *pipeline.Queue[event]
	turn  chan struct{} // holds one token; who has it takes events
	kept  kept          // of who has the turn
}

// reach is how far back what is remembered goes, at least: more than it takes to notice that an ingest is dead.
const reach = 3 * time.Second

// NewStandby returns a standby for one feed. Options.Bus is not used.
func NewStandby(o Options) *Standby {
	in := New(o)
	s := &Standby{o: in.o, queue: in.queue, turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	return s
}

// Name names the stage.
func (s *Standby) Name() string { return "standby of " + s.o.ID }

// Run keeps the connection to the source until the context ends.
func (s *Standby) Run(ctx context.Context) error {
	return pipeline.Run(ctx, &camera{o: s.o, queue: s.queue}, pipeline.Func("memory", s.remember))
}

// remember takes events as long as nobody publishes them.
func (s *Standby) remember(ctx context.Context) error {
	for {
		if err := s.take(ctx); err != nil {
			return err
		}
		limited, cancel := context.WithTimeoutCause(ctx, 100*time.Millisecond, errTick)
		_, err := s.pop(limited)
		cancel()
		s.turn <- struct{}{}
		switch {
		case errors.Is(err, pipeline.ErrClosed):
			return nil // the camera's stage has ended, and says why
		case err != nil && !errors.Is(err, errTick):
			return err
		}
	}
}

func (s *Standby) take(ctx context.Context) error {
	select {
	case <-s.turn:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// pop takes the next event of the source, and remembers it. Only who has the turn may call it.
func (s *Standby) pop(ctx context.Context) (event, error) {
	e, err := s.queue.Pop(ctx)
	if err == nil {
		s.kept.add(e)
	}
	return e, err
}

// Publish publishes what is remembered and what comes, until the context ends or another ingest takes over
// (pipeline.ErrFenced). Run must be running.
func (s *Standby) Publish(ctx context.Context, bus Bus) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	defer func() { s.turn <- struct{}{} }()
	o := s.o
	o.Bus = bus
	return newPublisher(o, &handover{s, s.kept.list()}).Run(ctx)
}

// handover gives the publisher first what was remembered, then what comes.
type handover struct {
	standby *Standby
	first   []event
}

func (h *handover) Pop(ctx context.Context) (event, error) {
	if len(h.first) > 0 {
		e := h.first[0]
		h.first = h.first[1:]
		return e, nil
	}
	return h.standby.pop(ctx)
}

// Discard does nothing: the standby goes on.
func (h *handover) Discard() {}

// kept is a session's latest events from a random access unit on. It is bounded.
type kept struct {
	begin  *event
	events []event
	starts []int // where the random access units are
	bytes  int
}

// The bounds of what is kept. When they are reached all is forgotten up to the next random access unit.
const (
	keptUnits = 4096
	keptBytes = 32 << 20
)

func (k *kept) add(e event) {
	switch {
	case e.begin != nil:
		*k = kept{begin: &e}
		return
	case e.ended:
		*k = kept{}
		return
	case k.begin == nil:
		return
	case e.unit != nil:
		k.unit(e.unit)
	}
	if len(k.starts) > 0 {
		k.events = append(k.events, e)
	}
}

// unit makes room for a unit.
func (k *kept) unit(u *Unit) {
	k.bytes += len(u.Data)
	if len(k.events) >= keptUnits || k.bytes > keptBytes {
		k.events, k.starts, k.bytes = nil, nil, len(u.Data)
	}
	if !u.RandomAccess || k.begin.begin[u.Track].Format.Codec.Kind() != codecs.Video {
		return
	}
	k.starts = append(k.starts, len(k.events))
	// The one that is being added does not count: what is before it may still be needed.
	for len(k.starts) > 2 && u.Arrival.Sub(k.events[k.starts[1]].unit.Arrival) >= reach {
		k.forget(k.starts[1])
	}
}

// forget drops the first n events, and so the first random access unit.
func (k *kept) forget(n int) {
	for _, e := range k.events[:n] {
		if e.unit != nil {
			k.bytes -= len(e.unit.Data)
		}
	}
	k.events = append([]event(nil), k.events[n:]...)
	k.starts = k.starts[1:]
	for i := range k.starts {
		k.starts[i] -= n
	}
}

// list returns the session's beginning and what is kept of it.
func (k *kept) list() []event {
	if k.begin == nil {
		return nil
	}
	return append([]event{*k.begin}, k.events...)
}
