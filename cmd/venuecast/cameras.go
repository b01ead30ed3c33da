package main

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/venuecast/venuecast/configs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/ingest"
	"github.com/venuecast/venuecast/transport/bus"
	"github.com/venuecast/venuecast/transport/metrics"
	"github.com/venuecast/venuecast/transport/rtsp"
)

// cameras takes in the feeds of the configuration, which may be read anew meanwhile. It is a fleet.Runner.
type cameras struct {
	host    *host
	owners  *bus.Registry // who takes which feed in
	meter   *metrics.Ingest
	reloads *metrics.Reloads

	// What follows is tend's alone.
	config   *configs.Config // as it is applied
	standing pipeline.Group  // warm standbys
	failed   chan error      // why one has ended that should not

	mu      sync.Mutex // guards the fields below
	feeds   map[string]*listed
	retired map[string]bool // feeds that the configuration lists no more
}

func newCameras(h *host, owners *bus.Registry) (*cameras, error) {
	c := &cameras{
		host: h, owners: owners, meter: metrics.NewIngest(h.registry), reloads: metrics.NewReloads(h.registry), config: h.config,
		failed: make(chan error, 1), feeds: map[string]*listed{}, retired: map[string]bool{},
	}
	for _, f := range h.config.Feeds {
		cam, err := c.open(h.config, f)
		if err != nil {
			return nil, err
		}
		c.install(cam)
	}
	return c, nil
}

// list returns the ids of the feeds that the configuration lists, and of those that it lists no more.
func (c *cameras) list(context.Context) (ids, retired []string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.feeds)), slices.Sorted(maps.Keys(c.retired)), nil
}

// camera returns a feed as the configuration describes it, nil if it does not.
func (c *cameras) camera(id string) *listed {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.feeds[id]
}

// install makes a camera the one of its feed.
func (c *cameras) install(cam *listed) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cam.meter = c.meter.Feed(cam.id)
	cam.options.Meter = cam.meter
	if cam.warm {
		cam.standby = ingest.NewStandby(cam.options)
	}
	if before := c.feeds[cam.id]; before != nil {
		close(before.replaced)
	}
	c.feeds[cam.id] = cam
	delete(c.retired, cam.id)
}

// remove leaves a feed without a camera.
func (c *cameras) remove(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.feeds[id].replaced)
	delete(c.feeds, id)
	c.retired[id] = true
}

// forget takes a retired feed out of the metrics, unless it is back.
func (c *cameras) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.feeds[id] == nil {
		c.meter.Forget(id)
	}
}

// findFormer retires the feeds that this ingest had before its start and that its configuration lists no more.
func (c *cameras) findFormer(ctx context.Context) error {
	said := false
	for {
		ids, err := c.former(ctx)
		if err == nil {
			c.retireFormer(ids)
			return nil
		}
		if !said && ctx.Err() == nil {
			c.host.log.Warn("feeds of this ingest cannot be listed, trying again", "error", err)
			said = true
		}
		if err := pipeline.Sleep(ctx, time.Second); err != nil {
			return err
		}
	}
}

// former returns the feeds that are this ingest's by name and that its configuration does not list. Where another process has that
// name, too, they may be that one's, which is alive: then there are none.
func (c *cameras) former(ctx context.Context) ([]string, error) {
	name := c.host.member(configs.Ingest)
	ids, err := c.owners.Assigned(ctx, name)
	ids = slices.DeleteFunc(ids, func(id string) bool { return c.camera(id) != nil })
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	other, err := c.host.conn.Namesake(ctx, name, c.host.boot)
	if other {
		c.host.log.Error("another ingest has this one's name: give each a worker.name of its own; no feed is retired", "name", name)
		return nil, nil
	}
	return ids, err
}

func (c *cameras) retireFormer(ids []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range ids {
		if c.feeds[id] == nil {
			c.retired[id] = true
		}
	}
}

// stand keeps a warm standby connected until its camera is replaced.
func (c *cameras) stand(ctx context.Context, cam *listed) {
	if cam.standby == nil {
		return
	}
	both := pipeline.Func(cam.standby.Name(), func(ctx context.Context) error {
		return pipeline.Run(ctx, cam.standby, pipeline.Func("configuration", cam.await))
	})
	c.standing.Start(ctx, both, func(err error) {
		if ctx.Err() != nil || errors.Is(err, errReplaced) {
			return
		}
		select {
		case c.failed <- err:
		default: // one is enough to end the role
		}
	})
}

// listed is a feed as the configuration describes it. Where more than its terms change, another takes its place.
type listed struct {
	id      string
	warm    bool
	options ingest.Options // but for the bus
	meter   *metrics.IngestFeed
	standby *ingest.Standby // stays connected; nil when it is cold
	log     *slog.Logger

	terms    *atomic.Pointer[terms]
	adjusted chan struct{} // holds one
	replaced chan struct{} // closed when another camera, or none, has taken the place
}

// errReplaced means that the configuration describes the feed otherwise, or no more.
var errReplaced = errors.New("the configuration has changed")

// open returns the camera of a feed. It is not installed.
func (c *cameras) open(config *configs.Config, f configs.Feed) (*listed, error) {
	source, err := rtsp.NewSource(rtsp.SourceOptions{Name: f.ID, URL: f.Source.Reveal(), Transport: f.Transport, Logger: c.host.log})
	if err != nil {
		return nil, err
	}
	cam := &listed{
		id: f.ID, warm: f.Standby == "warm", log: c.host.log,
		terms: new(atomic.Pointer[terms]), adjusted: make(chan struct{}, 1), replaced: make(chan struct{}),
	}
	cam.terms.Store(termsOf(config, f))
	cam.options = ingest.Options{
		ID: f.ID, Ladder: config.Ladders[f.Ladder].Pipeline(), Source: source, Registry: store{c.host.feeds, cam.terms}, Log: c.host.log,
	}
	return cam, nil
}

func termsOf(config *configs.Config, f configs.Feed) *terms {
	return &terms{priority: f.Priority, dvr: config.Ladders[f.Ladder].Renditions.DVR}
}

// adjust gives the feed other terms, without a new session to its source.
func (c *listed) adjust(to *terms) {
	c.terms.Store(to)
	select {
	case c.adjusted <- struct{}{}:
	default: // it is about to be looked at
	}
}

// heed writes new terms to the bus until the camera is replaced.
func (c *listed) heed(ctx context.Context) error {
	again := make(<-chan time.Time)
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-c.replaced:
			return errReplaced
		case <-c.adjusted:
		case <-again:
		}
		if _, _, err := c.options.Registry.Feed(ctx, c.id); err != nil {
			c.log.Warn("priority and dvr cannot be written, trying again", "feed", c.id, "error", err)
			again = time.After(time.Second)
		}
	}
}

// await waits until the camera is replaced.
func (c *listed) await(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-c.replaced:
		return errReplaced
	}
}
