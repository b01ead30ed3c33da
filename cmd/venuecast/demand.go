package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/transport/bus"
	"github.com/venuecast/venuecast/transport/origin"
)

// demands opens what tells workers which renditions on demand viewers ask for: by the bus of this process or, when the
// origin runs alone, by one of its own, if the configuration names NATS and a ladder with such a rendition. Otherwise it returns
// nil, and workers make all renditions always. The stages that it returns are run besides.
func (h *host) demands() (*origin.Demands, []pipeline.Stage, error) {
	d := &demandBus{host: h}
	var stages []pipeline.Stage
	switch {
	case h.conn != nil:
		d.conn.Store(h.conn)
	case h.config.NATS.URL.IsZero() || !h.usesDemand():
		return nil, nil, nil
	default:
		stages = []pipeline.Stage{d}
	}
	demands, err := origin.NewDemands(h.registry, h.log, d.report)
	if err != nil {
		return nil, nil, fmt.Errorf("origin: %w", err)
	}
	return demands, stages, nil
}

func (h *host) usesDemand() bool {
	for _, l := range h.config.Ladders {
		if len(l.Pipeline().OnDemand()) > 0 {
			return true
		}
	}
	return false
}

// demandBus is the connection by which demand is said. As a stage it connects: an origin serves without the bus, too.
type demandBus struct {
	host *host
	conn atomic.Pointer[bus.Conn]
}

var errNoBus = errors.New("NATS is not connected yet")

func (d *demandBus) report(feed string, demand pipeline.Demand) error {
	conn := d.conn.Load()
	if conn == nil {
		return errNoBus
	}
	return conn.Demand(feed, demand)
}

// Name names the stage.
func (d *demandBus) Name() string { return "demand's bus" }

// Run connects, and stays connected until the context ends.
func (d *demandBus) Run(ctx context.Context) error {
	c := d.host.config
	conn, err := bus.Connect(ctx, bus.Options{
		URL: c.NATS.URL.Reveal(), Name: "origin-" + c.Worker.Name, Replicas: c.NATS.Replicas, Logger: d.host.log,
	})
	if err != nil {
		return err
	}
	d.conn.Store(conn)
	<-ctx.Done()
	return errors.Join(context.Cause(ctx), conn.Close())
}
