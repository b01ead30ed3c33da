//go:build cgo

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuecast/venuecast/codecs/libav"
	"github.com/venuecast/venuecast/configs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/transcode"
	"github.com/venuecast/venuecast/transport/bus"
	"github.com/venuecast/venuecast/transport/metrics"
	"github.com/venuecast/venuecast/transport/push"
)

func newChild() *cobra.Command {
	return &cobra.Command{
		Use:    childCommand,
		Short:  "Transcode one feed (started by serve and transcode)",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			signal.Ignore(syscall.SIGHUP) // who sends it to all processes of this name means the parent
			var j job
			in := json.NewDecoder(os.Stdin)
			if err := in.Decode(&j); err != nil {
				return fmt.Errorf("reading the job: %w", err)
			}
			err := runChild(cmd.Context(), j, in)
			if errors.Is(err, pipeline.ErrFenced) {
				os.Exit(exitFenced)
			}
			if err != nil && cmd.Context().Err() == nil {
				newLogger(configs.Log{Level: j.Level, Format: j.Format}).Error("worker cannot go on", "feed", j.Assignment.Feed, "error", err)
				os.Exit(1)
			}
			return err
		},
	}
}

// snapshotInterval is how often a child reports its metrics, and so shows that it gets on.
const snapshotInterval = time.Second

func runChild(ctx context.Context, j job, orders *json.Decoder) error {
	runtime.GOMAXPROCS(childProcs)
	log := newLogger(configs.Log{Level: j.Level, Format: j.Format})
	registry := metrics.NewRegistry(version)
	metrics.RegisterLedger(registry, libav.Ledger)
	meter := metrics.NewTranscode(registry)
	conn, err := bus.Connect(ctx, bus.Options{URL: j.NATS, Name: "child-" + j.Assignment.Feed, Replicas: j.Replicas, Logger: log})
	if err != nil {
		return err
	}
	defer conn.Close()
	feeds, err := conn.OpenRegistry(ctx, time.Now)
	if err != nil {
		return err
	}
	client, err := push.New(push.Options{URL: j.Origin, Token: j.Token, Logger: log, Retried: meter.Retried})
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	plan := &planned{}
	card := newHardware(log, registry, j.Software)
	err = pipeline.Run(ctx,
		pipeline.Func("parent", func(ctx context.Context) error { return obey(ctx, orders, plan) }),
		pipeline.Func("libav's log", func(ctx context.Context) error {
			return libav.RunLog(ctx, func(l slog.Level, line string) { log.Log(ctx, l, line, "feed", j.Assignment.Feed) })
		}),
		metrics.Reporter(os.Stdout, registry, snapshotInterval),
		pipeline.Func("worker", func(ctx context.Context) error {
			return (&child{job: j, conn: conn, feeds: feeds, origin: client, meter: meter, plan: plan, log: log, hardware: card}).run(ctx)
		}),
	)
	card.close()
	if left := libav.LedgerTotal(); left != 0 {
		log.Error("native objects are left", "count", left, "kinds", libav.Ledger())
	}
	if errors.Is(err, errEnded) {
		return nil
	}
	return err
}

// child transcodes its feed, again from the origin's state whenever the origin has lost the session.
type child struct {
	job    job
	conn   *bus.Conn
	feeds  *bus.Registry
	origin *push.Client
	meter  *metrics.Transcode
	plan   *planned
	log    *slog.Logger
	sent   *transcode.Resender // what the origin was given; nil before the first session

	hardware *hardware
}

func (c *child) run(ctx context.Context) error {
	for {
		err := c.session(ctx)
		switch {
		case errors.Is(err, push.ErrNoSession):
			c.log.Warn("origin was started anew, resuming from what it has", "feed", c.job.Assignment.Feed)
		case c.hardware.stepDown(c.job.Assignment.Feed, err):
		default:
			return err
		}
	}
}

// session claims the feed at the origin, and goes on after what the origin has.
func (c *child) session(ctx context.Context) error {
	a := c.job.Assignment
	feed, err := c.feeds.Feed(ctx, a.Feed)
	if err != nil {
		return err
	}
	claimed, err := c.origin.Open(ctx, pipeline.Session{Feed: feed, Epoch: a.Epoch})
	state := claimed.State
	if err != nil {
		return fmt.Errorf("claiming the feed at the origin: %w", err)
	}
	if c.sent == nil {
		c.sent = transcode.NewResender(session{c.origin, a.Feed, a.Epoch}, 2*feed.Grid.Parts())
	}
	if state, err = c.sent.Resend(ctx, state, feed.Grid.Parts()); err != nil {
		return err
	}
	e := engine{log: c.log, feed: a.Feed, hardware: c.hardware}
	meter := c.meter.Feed(a.Feed)
	o := transcode.Options{
		Feed: feed, Epoch: a.Epoch, Resume: state, Video: e, Audio: e,
		Out: c.sent, Meter: &passages{TranscodeFeed: meter, log: c.log.With("feed", a.Feed)}, Done: c.checkpoint,
		Plan: c.plan.now(), Switched: c.switched,
		Thumbnails: c.thumbnails(feed, meter),
	}
	control := c.onDemand(&o, claimed.Demand)
	from := uint64(1) // all of it, when it is measured
	if c.job.Report == "" {
		if from, err = c.from(ctx, &o); err != nil {
			return err
		}
	}
	reader, err := c.conn.NewReader(a.Feed, bus.ReaderOptions{From: from, Logger: c.log})
	if err != nil {
		return err
	}
	o.Open = func(context.Context) (transcode.Reader, error) { return measured{reader, meter}, nil }
	if c.job.Report != "" {
		err = profiled(c.job.Profile, "child", func() error { return runMeasured(ctx, o, c.job.Report, c.hardware) })
	} else {
		err = c.transcode(ctx, o, control)
	}
	return errors.Join(err, reader.Close())
}

func (c *child) transcode(ctx context.Context, o transcode.Options, control *transcode.OnDemand) error {
	w, err := transcode.New(o)
	if err != nil {
		return err
	}
	c.plan.use(w)
	defer c.plan.use(nil)
	if control != nil {
		return c.obeyDemand(ctx, w, control)
	}
	return w.Run(ctx)
}

func (c *child) switched(rendition string, msn int64, rate transcode.Rate) {
	c.log.Info("rendition changes its rate", "feed", c.job.Assignment.Feed, "rendition", rendition, "from", msn, "rate", rate)
	c.meter.Rate(c.job.Assignment.Feed, rendition, rate.Share())
}

// measured shows how far a reader is behind the bus, and how much of the time it waits for it.
type measured struct {
	*bus.Reader
	meter *metrics.TranscodeFeed
}

func (m measured) Next(ctx context.Context) (pipeline.Record, error) {
	from := time.Now()
	r, err := m.Reader.Next(ctx)
	m.meter.Waited(time.Since(from))
	if r.Bundle != nil {
		m.meter.Behind(m.Lag(), time.Since(r.Bundle.Units[0].PTS.Time()))
	}
	return r, err
}

// passages logs when a rendition begins or ceases to be the source's own pictures.
type passages struct {
	*metrics.TranscodeFeed
	log  *slog.Logger
	last string // of the one rendition that can be
}

func (p *passages) Segment(rendition, outcome string) {
	p.TranscodeFeed.Segment(rendition, outcome)
	if outcome == p.last {
		return
	}
	p.last = outcome
	if outcome == transcode.SegmentPassed {
		p.log.Info("rendition is passed through", "rendition", rendition)
		return
	}
	p.log.Warn("segments are encoded, at least a piece of each, instead of passed through", "rendition", rendition, "reason", outcome)
}

// childProcs is how many processors the Go scheduler has in a child. What takes long runs on libav's own threads, as many as
// the kernel lets; what is left for Go is some percent of one processor, and more of them look for work from each other.
const childProcs = 1

// session is the worker's way to the origin.
type session struct {
	client *push.Client
	feed   string
	epoch  uint64
}

func (s session) PutInit(ctx context.Context, i pipeline.Init) error {
	return s.client.PutInit(ctx, s.feed, s.epoch, i)
}

func (s session) PutPart(ctx context.Context, p pipeline.Part) error {
	return s.client.PutPart(ctx, s.feed, s.epoch, p)
}

// forgotten is after how long what the origin wants next is not resumed when the bus has it no more: making minutes of slate
// would only be late. The origin lists the gap.
const forgotten = 2 * time.Minute

// from returns the record with which the worker's first frame can be decoded; 0: the newest random access picture will do.
// When all that is needed is long gone, it lets the worker begin anew.
func (c *child) from(ctx context.Context, o *transcode.Options) (uint64, error) {
	first, ok := transcode.First(o.Feed, o.Resume)
	if !ok {
		return 0, nil
	}
	seq, err := c.conn.RandomAccessAt(ctx, o.Feed.ID, first)
	switch {
	case errors.Is(err, bus.ErrNotFound) && time.Since(first.Time()) > forgotten:
		c.log.Warn("what the origin wants next has expired, beginning anew", "feed", o.Feed.ID, "wanted", first.Time())
		o.Resume = nil
		return 0, nil
	case errors.Is(err, bus.ErrNotFound):
		return 1, nil // a source that is away has no pictures on the bus, but its absence is
	case err != nil:
		return 0, fmt.Errorf("finding where to resume: %w", err)
	}
	// Sound for the same time may stand before the picture.
	return max(seq, soundAhead+1) - soundAhead, nil
}

// soundAhead is how many records before a random access picture may hold sound of its time: half a second of bundles and pictures.
const soundAhead = 40

// checkpoint notes on the bus from where a successor could go on. It only spares the successor a search.
func (c *child) checkpoint(ctx context.Context, seq uint64, msn int64) error {
	a := &c.job.Assignment
	next, err := c.feeds.Checkpoint(ctx, a.Feed, bus.Assignment{
		Owner: a.Owner, Epoch: a.Epoch, Seq: seq, MSN: msn + 1, Revision: a.Revision,
	})
	if errors.Is(err, pipeline.ErrFenced) {
		return err
	}
	if err != nil {
		c.log.Warn("checkpoint was not written", "feed", a.Feed, "error", err)
		return nil
	}
	a.Revision = next.Revision
	return nil
}
