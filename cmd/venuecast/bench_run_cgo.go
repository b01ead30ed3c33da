//go:build cgo

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuecast/venuecast/cmd/internal/bench"
	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/configs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/live"
	"github.com/venuecast/venuecast/pipeline/transcode"
	"github.com/venuecast/venuecast/transport/bus"
	"github.com/venuecast/venuecast/transport/metrics"
)

// benchCommand is the hidden command that makes one ladder, as fast as it can, in a process tree of its own.
const benchCommand = "bench-run"

// benchJob is what it is told on its standard input.
type benchJob struct {
	Feed  pipeline.Feed `json:"feed"`
	File  string        `json:"file"`
	First int64         `json:"first"` // frame number of the first picture
	End   int64         `json:"end"`   // and after the last
	Dir   string        `json:"dir"`   // the DVR's segments and the child's report are left here
	// Profile is a folder for profiles; empty: none are made.
	Profile string `json:"profile"`
	// Software is the child's.
	Software bool `json:"software,omitempty"`
	// Plan is what is made of the ladder; empty: all of it.
	Plan transcode.Plan `json:"plan,omitempty"`
}

func (j benchJob) report() string { return filepath.Join(j.Dir, "report.json") }

// camera is where the parent leaves what the demuxer took.
func (j benchJob) camera() string { return filepath.Join(j.Dir, "camera.json") }

// cameraReport is what the file that stands in for a camera took of libav, in nanoseconds.
type cameraReport struct {
	Demux int64 `json:"demux"`
}

func newBenchRun() *cobra.Command {
	return &cobra.Command{
		Use: benchCommand, Short: "Make one ladder (started by bench ladder)", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var j benchJob
			if err := json.NewDecoder(io.LimitReader(os.Stdin, 1<<20)).Decode(&j); err != nil {
				return fmt.Errorf("reading the job: %w", err)
			}
			return runBench(cmd.Context(), j)
		},
	}
}

// runBench runs bus, origin and one child in the way serve does; a file stands in for the camera.
func runBench(ctx context.Context, j benchJob) error {
	c := &configs.Config{
		Data: j.Dir, NATS: configs.NATS{Replicas: 1}, Worker: configs.Worker{Name: "bench"},
		Origin: configs.Origin{Listen: "127.0.0.1:0"}, Metrics: configs.Metrics{Listen: "127.0.0.1:0"},
		Log: configs.Log{Level: "warn", Format: "text"},
	}
	h := newHost(c, configs.Serve)
	err := profiled(j.Profile, "parent", func() error {
		return h.run(ctx, h.bus, h.origin, func(ctx context.Context) ([]pipeline.Stage, error) { return h.bench(ctx, j) })
	})
	if errors.Is(err, errEnded) {
		return nil
	}
	return err
}

// bench returns the stages that put the file on the bus and transcode it. The second ends with errEnded.
func (h *host) bench(ctx context.Context, j benchJob) ([]pipeline.Stage, error) {
	if _, _, err := h.feeds.PutFeed(ctx, j.Feed); err != nil {
		return nil, err
	}
	writer, err := h.conn.NewWriter(bus.WriterOptions{Feed: j.Feed.ID, Logger: h.log})
	if err != nil {
		return nil, err
	}
	claimed, err := h.feeds.TakeOver(ctx, j.Feed.ID, "bench", 0)
	if err != nil {
		return nil, err
	}
	pacer := &pacer{writer: writer, window: h.window, job: j}
	children := &children{
		job: job{
			NATS: h.natsURL(), Replicas: 1, Origin: h.originURL(), Token: h.token,
			Level: h.config.Log.Level, Format: h.config.Log.Format, Report: j.report(), Profile: j.Profile,
			Software: j.Software,
		},
		relay: h.relay, worker: metrics.NewWorker(h.registry), log: h.log,
	}
	if err := children.SetPlan(j.Feed.ID, j.Plan); err != nil {
		return nil, err
	}
	return []pipeline.Stage{
		writer,
		pipeline.Func("file", func(ctx context.Context) error {
			work := &bench.Work{}
			player := bench.Player{File: j.File, Grid: j.Feed.Grid, First: j.First, End: j.End, Work: work}
			err := player.Play(func(r pipeline.Record) error { return pacer.publish(ctx, r) })
			return errors.Join(err, writeJSON(j.camera(), cameraReport{work.Demux.Load()}))
		}),
		pipeline.Func("transcode", func(ctx context.Context) error {
			return children.Run(ctx, assignment(j.Feed.ID, claimed))
		}),
	}, nil
}

// pacer keeps close to the child what is put on the bus, as a camera does: a reader that is far behind takes all from the stream,
// which costs more than to listen.
type pacer struct {
	writer *bus.Writer
	window *live.Feeds
	job    benchJob
}

const (
	benchPending = 64              // records that the writer may hold
	benchAhead   = 2 * time.Second // media on the bus that the child has not put out yet; half of it is in its encoders
	benchPause   = 50 * time.Millisecond
)

func (p *pacer) publish(ctx context.Context, r pipeline.Record) error {
	for p.writer.Stats().Pending >= benchPending || p.ahead(r) > benchAhead {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(benchPause):
		}
	}
	return p.writer.Publish(r)
}

// ahead returns how far a record is ahead of what the origin has of all renditions.
func (p *pacer) ahead(r pipeline.Record) time.Duration {
	if r.Bundle == nil {
		return 0
	}
	return (r.Bundle.Units[0].PTS - p.done()).Duration()
}

// done returns up to when the origin has all renditions that are made.
func (p *pacer) done() codecs.Ticks {
	g, feed := p.job.Feed.Grid, p.window.Feed(p.job.Feed.ID)
	if feed == nil {
		return g.FrameTime(p.job.First)
	}
	state, frame := feed.State(), p.job.End
	for _, name := range p.job.Feed.Ladder.Names() {
		at, begun := state[name]
		switch {
		case p.job.Plan[name] != transcode.RateFull:
		case !begun:
			return g.FrameTime(p.job.First)
		default:
			frame = min(frame, g.PartFrame(at.MSN, at.Part))
		}
	}
	return g.FrameTime(max(frame, p.job.First))
}
