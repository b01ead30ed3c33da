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
)

// ingest opens the ingest role. Several processes with the same feeds stand by for each other.
func (h *host) ingest(ctx context.Context) ([]pipeline.Stage, error) {
	owners, err := h.feeds.Ingests(ctx)
	if err != nil {
		return nil, err
	}
	c, err := newCameras(h, owners)
	if err != nil {
		return nil, err
	}
	stages := h.fleet(configs.Ingest, owners, c.list, fleetOptions{run: c, release: owners.Retire, retired: c.forget})
	return append(stages, pipeline.Func("cameras", c.tend), pipeline.Func("former feeds", c.findFormer)), nil
}

// Run takes in one feed until the context ends, another ingest has taken over (pipeline.ErrFenced), or the configuration lists it
// no more (fleet.ErrRetired).
func (c *cameras) Run(ctx context.Context, a fleet.Assignment) error {
	for {
		cam := c.camera(a.Feed)
		if cam == nil {
			return fleet.ErrRetired
		}
		if err := c.take(ctx, cam); !errors.Is(err, errReplaced) {
			return err
		}
	}
}

// take takes in a feed as it is described now.
func (c *cameras) take(ctx context.Context, cam *listed) error {
	writer, err := c.host.conn.NewWriter(bus.WriterOptions{Feed: cam.id, Logger: c.host.log})
	if err != nil {
		return fmt.Errorf("opening the writer of feed %s: %w", cam.id, err)
	}
	cam.meter.Bus(func() metrics.BusStats {
		s := writer.Stats()
		return metrics.BusStats{
			Pending: s.Pending, PendingBytes: s.PendingBytes, Stored: s.Stored,
			Dropped: s.Dropped, Recoveries: s.Recoveries, Claims: s.Claims,
		}
	})
	publish := func(ctx context.Context) error { return cam.standby.Publish(ctx, writer) }
	if cam.standby == nil {
		o := cam.options
		o.Bus, o.NotBefore = writer, c.lastPTS(ctx, cam)
		publish = ingest.New(o).Run
	}
	return pipeline.Run(ctx, writer, pipeline.Func("ingest", publish), pipeline.Func("configuration", cam.heed))
}

// lastPTS returns the last PTS that the feed has on the bus. It is 0 when there is none, or when the bus does not say so
// at once: the clocks of this host and of the ingest before then have to agree.
func (c *cameras) lastPTS(ctx context.Context, cam *listed) (last codecs.Ticks) {
	ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	if _, known, err := cam.options.Registry.Feed(ctx, cam.id); err != nil || !known {
		return 0
	}
	reader, err := c.host.conn.NewReader(cam.id, bus.ReaderOptions{Logger: c.host.log})
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
