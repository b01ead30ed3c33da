package main

import (
	"context"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/venuecast/venuecast/configs"
	"github.com/venuecast/venuecast/pipeline"
)

// hearHangups has SIGHUP heard instead of ending the process, until stop is called. One that comes while another waits is the same.
func (h *host) hearHangups() (stop func()) {
	signal.Notify(h.hangups, syscall.SIGHUP)
	return func() { signal.Stop(h.hangups) }
}

// ignoreHangups opens what roles do with SIGHUP that know no feeds: nothing.
func (h *host) ignoreHangups(context.Context) ([]pipeline.Stage, error) {
	return []pipeline.Stage{pipeline.Func("hangups", func(ctx context.Context) error {
		for {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-h.hangups:
				h.log.Info("SIGHUP is ignored: this role takes no feeds from the configuration", "role", h.role)
			}
		}
	})}, nil
}

// tend keeps the warm standbys, and reads the configuration anew at each SIGHUP, until the context ends.
func (c *cameras) tend(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer c.standing.Wait()
	defer cancel()
	ids, _, _ := c.list(ctx) // never fails
	for _, id := range ids {
		c.stand(ctx, c.camera(id))
	}
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case err := <-c.failed:
			return err
		case <-c.host.hangups:
			c.reload(ctx)
		}
	}
}

// reload reads the configuration anew and applies what it says of feeds. One with mistakes changes nothing.
func (c *cameras) reload(ctx context.Context) {
	log := c.host.log
	next, err := load(c.host.config.File, c.host.role)
	var changes configs.Changes
	if err == nil {
		changes, err = c.apply(ctx, next)
	}
	if err != nil {
		c.reloads.Refused()
		for line := range strings.Lines(err.Error()) {
			log.Error("configuration is refused, nothing is changed", "mistake", strings.TrimSpace(line))
		}
		return
	}
	c.reloads.Applied()
	if len(changes.Restart) > 0 {
		log.Warn("configuration differs in keys that take effect at a restart only", "keys", changes.Restart)
	}
	changed := slices.Sorted(slices.Values(slices.Concat(changes.Changed, changes.Adjusted)))
	log.Info("configuration is applied",
		"added", changes.Added, "removed", changes.Removed, "changed", changed, "unchanged", changes.Unchanged)
}

// apply makes the feeds those of next. It changes nothing when it fails.
func (c *cameras) apply(ctx context.Context, next *configs.Config) (configs.Changes, error) {
	changes := configs.Compare(c.config, next)
	var begun []*listed
	for _, f := range next.Feeds {
		if !slices.Contains(changes.Added, f.ID) && !slices.Contains(changes.Changed, f.ID) {
			continue
		}
		cam, err := c.open(next, f)
		if err != nil {
			return changes, err
		}
		begun = append(begun, cam)
	}
	for _, cam := range begun {
		c.install(cam)
		c.stand(ctx, cam)
	}
	for _, f := range next.Feeds {
		if slices.Contains(changes.Adjusted, f.ID) {
			c.camera(f.ID).adjust(termsOf(next, f))
		}
	}
	for _, id := range changes.Removed {
		c.remove(id)
	}
	c.config = c.config.With(next)
	return changes, nil
}
