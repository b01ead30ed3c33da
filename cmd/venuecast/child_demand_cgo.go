//go:build cgo

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/transcode"
	"github.com/venuecast/venuecast/transport/bus"
)

// onDemand prepares the options of a session for renditions on demand, and returns their control: nil when there are none,
// or when nobody says what is asked for, so that all are made.
func (c *child) onDemand(o *transcode.Options, reported bool) *transcode.OnDemand {
	if len(o.Feed.Ladder.OnDemand()) == 0 || !reported || c.job.Report != "" {
		c.plan.demand(nil)
		return nil
	}
	inits := &knownInits{Origin: o.Out, inits: map[string][]byte{}}
	o.Out = inits
	feed := o.Feed
	control := transcode.NewOnDemand(transcode.OnDemandOptions{
		Feed: feed, On: resumable(feed, o.Resume), Begun: c.plan.begun, Set: c.plan.demand, Log: c.log,
		Fill: func(ctx context.Context, rendition string, from, to pipeline.Position) error {
			return c.fill(ctx, feed, inits, rendition, from, to)
		},
	})
	c.plan.demand(control.Plan())
	o.Plan = c.plan.now()
	for _, name := range feed.Ladder.OnDemand() {
		c.meter.Rate(feed.ID, name, o.Plan[name].Share())
	}
	return control
}

// resumable takes out of state the renditions on demand that are too far behind the others to be made by the same worker, and
// returns those that are left: the others are filled.
func resumable(feed pipeline.Feed, state pipeline.State) pipeline.State {
	left, oldest := pipeline.State{}, int64(-1)
	for _, name := range feed.Ladder.OnDemand() {
		if at, ok := state[name]; ok {
			left[name] = at
		}
	}
	for name, at := range state {
		if _, is := left[name]; !is && (oldest < 0 || at.MSN < oldest) {
			oldest = at.MSN
		}
	}
	for name, at := range left {
		if at.MSN < oldest-1 {
			delete(left, name)
			delete(state, name)
		}
	}
	return left
}

// fillThreads is how many threads an encoder that catches up may have.
const fillThreads = 4

// fill makes a piece of one rendition, as fast as this machine can, with a worker of its own.
func (c *child) fill(
	ctx context.Context, feed pipeline.Feed, out *knownInits, rendition string, from, to pipeline.Position,
) error {
	// Not the whole assignment: checkpoint changes its revision meanwhile.
	g, epoch := feed.Grid, c.job.Assignment.Epoch
	feed.Ladder.Audio, feed.Ladder.Video = nil, only(feed.Ladder.Video, rendition)
	begin, err := c.conn.RandomAccessAt(ctx, feed.ID, g.FrameTime(g.PartFrame(from.MSN, from.Part)))
	if errors.Is(err, bus.ErrNotFound) {
		begin, err = 1, nil // a source that is away has no pictures on the bus, but its absence is
	}
	if err != nil {
		return fmt.Errorf("finding where to fill from: %w", err)
	}
	reader, err := c.conn.NewReader(feed.ID, bus.ReaderOptions{From: begin, Logger: c.log})
	if err != nil {
		return err
	}
	e := engine{log: c.log, feed: feed.ID, threads: min(runtime.NumCPU(), fillThreads), hardware: c.hardware}
	w, err := transcode.New(transcode.Options{
		Feed: feed, Epoch: epoch, Resume: pipeline.State{rendition: from}, Video: e, Audio: e,
		Open:  func(context.Context) (transcode.Reader, error) { return reader, nil },
		Until: g.PartFrame(to.MSN, to.Part), Out: filling{out, session{c.origin, feed.ID, epoch}},
		Meter: c.meter.Fill(feed.ID, rendition),
	})
	if err == nil {
		err = w.Run(ctx)
	}
	return errors.Join(err, reader.Close())
}

func only(all []ladder.Video, name string) []ladder.Video {
	for _, v := range all {
		if v.Name == name {
			return []ladder.Video{v}
		}
	}
	return nil
}

// knownInits remembers the init sections that a worker puts.
type knownInits struct {
	transcode.Origin

	mu    sync.Mutex // guards inits
	inits map[string][]byte
}

func (k *knownInits) PutInit(ctx context.Context, i pipeline.Init) error {
	k.mu.Lock()
	k.inits[i.Rendition] = bytes.Clone(i.Data)
	k.mu.Unlock()
	return k.Origin.PutInit(ctx, i)
}

// filling is an origin for what is filled: its init sections have to be those that are there.
type filling struct {
	known *knownInits
	parts session
}

func (f filling) PutInit(_ context.Context, i pipeline.Init) error {
	f.known.mu.Lock()
	defer f.known.mu.Unlock()
	if known, ok := f.known.inits[i.Rendition]; ok && !bytes.Equal(known, i.Data) {
		return fmt.Errorf("init section of %s differs from the one that the worker has put", i.Rendition)
	}
	return nil
}

func (f filling) PutPart(ctx context.Context, p pipeline.Part) error { return f.parts.PutPart(ctx, p) }

// obeyDemand runs a worker and its renditions on demand.
func (c *child) obeyDemand(ctx context.Context, w *transcode.Worker, control *transcode.OnDemand) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var ended error
	err := pipeline.Run(ctx,
		pipeline.Func("worker", func(ctx context.Context) error {
			defer cancel()
			ended = w.Run(ctx)
			return ended
		}),
		control,
		pipeline.Func("demand", func(ctx context.Context) error {
			return c.conn.HearDemand(ctx, c.job.Assignment.Feed, func(d pipeline.Demand) error {
				control.Hear(d)
				return nil
			})
		}),
	)
	if ended != nil {
		return ended
	}
	return err
}
