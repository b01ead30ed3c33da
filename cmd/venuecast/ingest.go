package main

import (
	"context"
	"fmt"

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
	c := &cameras{host: h, meter: metrics.NewIngest(h.registry), feeds: map[string]configs.Feed{}}
	ids := make([]string, len(h.config.Feeds))
	for i, f := range h.config.Feeds {
		if _, err := c.source(f); err != nil {
			return nil, err
		}
		c.feeds[f.ID], ids[i] = f, f.ID
	}
	list := func(context.Context) ([]string, error) { return ids, nil }
	return h.fleet(configs.Ingest, owners, list, c, nil), nil
}

// cameras takes in feeds. It is a fleet.Runner.
type cameras struct {
	host  *host
	meter *metrics.Ingest
	feeds map[string]configs.Feed
}

func (c *cameras) source(f configs.Feed) (*rtsp.Source, error) {
	return rtsp.NewSource(rtsp.SourceOptions{Name: f.ID, URL: f.Source.Reveal(), Transport: f.Transport, Logger: c.host.log})
}

// Run takes in one feed until the context ends or another ingest has taken over (pipeline.ErrFenced).
func (c *cameras) Run(ctx context.Context, a fleet.Assignment) error {
	f := c.feeds[a.Feed]
	source, err := c.source(f)
	if err != nil {
		return err
	}
	writer, err := c.host.conn.NewWriter(bus.WriterOptions{Feed: f.ID, Logger: c.host.log})
	if err != nil {
		return fmt.Errorf("opening the writer of feed %s: %w", f.ID, err)
	}
	meter := c.meter.Feed(f.ID)
	meter.Bus(func() metrics.BusStats {
		s := writer.Stats()
		return metrics.BusStats{
			Pending: s.Pending, PendingBytes: s.PendingBytes, Stored: s.Stored,
			Dropped: s.Dropped, Recoveries: s.Recoveries, Claims: s.Claims,
		}
	})
	in := ingest.New(ingest.Options{
		ID: f.ID, Ladder: c.host.config.Ladders[f.Ladder].Pipeline(), Source: source, Bus: writer,
		Registry: store{c.host.feeds}, Meter: meter, Log: c.host.log,
	})
	return pipeline.Run(ctx, writer, pipeline.Func("ingest", in.Run))
}
