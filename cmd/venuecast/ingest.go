package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/configs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/fleet"
	"github.com/venuecast/venuecast/pipeline/ingest"
	"github.com/venuecast/venuecast/transport/bus"
	"github.com/venuecast/venuecast/transport/metrics"
	"github.com/venuecast/venuecast/transport/rtsp"
)

// ingest opens the ingest role. Several processes with the same feeds stand by for each other.
func (h *host) ingest(ctx context.Context) ([]pipeline.Stage, error) {
	owners, err := h.feeds.Ingests(ctx)
	if err != nil {
		return nil, err
	}
	c := &cameras{
		host: h, meter: metrics.NewIngest(h.registry), feeds: map[string]configs.Feed{}, standbys: map[string]*ingest.Standby{},
	}
	ids := make([]string, len(h.config.Feeds))
	var stages []pipeline.Stage
	for i, f := range h.config.Feeds {
		o, err := c.options(f)
		if err != nil {
			return nil, err
		}
		c.feeds[f.ID], ids[i] = f, f.ID
		if f.Standby == "warm" {
			c.standbys[f.ID] = ingest.NewStandby(o)
			stages = append(stages, c.standbys[f.ID])
		}
	}
	list := func(context.Context) ([]string, error) { return ids, nil }
	return append(stages, h.fleet(configs.Ingest, owners, list, fleetOptions{run: c})...), nil
}

// cameras takes in feeds. It is a fleet.Runner.
type cameras struct {
	host  *host
	meter *metrics.Ingest
	feeds map[string]configs.Feed
	// standbys are those that stay connected to their cameras, by feed.
	standbys map[string]*ingest.Standby
}

// options returns what an ingest of the feed needs, but for the bus.
func (c *cameras) options(f configs.Feed) (ingest.Options, error) {
	source, err := rtsp.NewSource(rtsp.SourceOptions{Name: f.ID, URL: f.Source.Reveal(), Transport: f.Transport, Logger: c.host.log})
	return ingest.Options{
		ID: f.ID, Ladder: c.host.config.Ladders[f.Ladder].Pipeline(), Source: source,
		Registry: store{c.host.feeds, f.Priority}, Meter: c.meter.Feed(f.ID), Log: c.host.log,
	}, err
}

// Run takes in one feed until the context ends or another ingest has taken over (pipeline.ErrFenced).
func (c *cameras) Run(ctx context.Context, a fleet.Assignment) error {
	f := c.feeds[a.Feed]
	writer, err := c.host.conn.NewWriter(bus.WriterOptions{Feed: f.ID, Logger: c.host.log})
	if err != nil {
		return fmt.Errorf("opening the writer of feed %s: %w", f.ID, err)
	}
	c.meter.Feed(f.ID).Bus(func() metrics.BusStats {
		s := writer.Stats()
		return metrics.BusStats{
			Pending: s.Pending, PendingBytes: s.PendingBytes, Stored: s.Stored,
			Dropped: s.Dropped, Recoveries: s.Recoveries, Claims: s.Claims,
		}
	})
	if standby := c.standbys[f.ID]; standby != nil {
		publish := func(ctx context.Context) error { return standby.Publish(ctx, writer) }
		return pipeline.Run(ctx, writer, pipeline.Func("ingest", publish))
	}
	o, err := c.options(f)
	if err != nil {
		return err
	}
	o.Bus, o.NotBefore = writer, c.lastPTS(ctx, f.ID)
	return pipeline.Run(ctx, writer, pipeline.Func("ingest", ingest.New(o).Run))
}

// lastPTS returns the last PTS that the feed has on the bus. It is 0 when there is none, or when the bus does not say so
// at once: the clocks of this host and of the ingest before then have to agree.
func (c *cameras) lastPTS(ctx context.Context, feed string) (last codecs.Ticks) {
	ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	if _, known, err := (store{c.host.feeds, c.feeds[feed].Priority}).Feed(ctx, feed); err != nil || !known {
		return 0
	}
	reader, err := c.host.conn.NewReader(feed, bus.ReaderOptions{Logger: c.host.log})
	if err != nil {
		return 0
	}
	defer reader.Close()
	for {
		r, err := reader.Next(ctx)
		if err != nil && !errors.Is(err, pipeline.ErrGap) {
			return last
		}
		if r.Bundle != nil {
			for _, u := range r.Bundle.Units {
				last = max(last, u.PTS)
			}
		}
		if err == nil && reader.Lag() == 0 {
			return last
		}
	}
}
