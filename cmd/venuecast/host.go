package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/venuecast/venuecast/configs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/live"
	"github.com/venuecast/venuecast/transport/bus"
	"github.com/venuecast/venuecast/transport/metrics"
)

// host is one process and the roles in it.
type host struct {
	config   *configs.Config
	role     configs.Role
	log      *slog.Logger
	registry *prometheus.Registry
	relay    *metrics.Relay
	token    string // what workers show to the origin
	hangups  chan os.Signal
	boot     string // differs from start to start

	embedded    *bus.Embedded // nil unless the bus runs in this process
	conn        *bus.Conn     // nil for the origin role
	feeds       *bus.Registry // likewise
	metricsAddr string
	originAddr  string      // empty unless the origin runs in this process
	window      *live.Feeds // likewise nil
	workersAddr string      // where workers of this process reach it, if that is elsewhere
	closers     []func() error
}

// opening opens a role and returns its stages.
type opening func(ctx context.Context) ([]pipeline.Stage, error)

// roleCommand returns the command that runs one role, or all.
func roleCommand(role configs.Role, short string, run func(context.Context, *host) error) *cobra.Command {
	cmd := &cobra.Command{
		Use:     string(role) + " -c FILE",
		Short:   short,
		Example: "  venuecast " + string(role) + " -c venue.yaml",
		Args:    cobra.NoArgs,
	}
	file := configFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := load(*file, role)
		if err != nil {
			return err
		}
		h := newHost(c, role)
		defer h.hearHangups()()
		return run(cmd.Context(), h)
	}
	return cmd
}

func newHost(c *configs.Config, role configs.Role) *host {
	token := c.Origin.PushToken.Reveal()
	if token == "" {
		token = rand.Text()
	}
	return &host{
		config: c, role: role, log: newLogger(c.Log), registry: metrics.NewRegistry(version), relay: metrics.NewRelay(), token: token,
		hangups: make(chan os.Signal, 1), boot: rand.Text(),
	}
}

// run opens the roles in their order, runs them until the context ends or one fails, and closes what they left open.
// They end in the opposite order (see runRoles).
func (h *host) run(ctx context.Context, roles ...opening) (err error) {
	defer func() {
		slices.Reverse(h.closers)
		for _, c := range h.closers {
			err = errors.Join(err, c())
		}
	}()
	server, err := metrics.NewServer(metrics.Options{
		Listen: h.config.Metrics.Listen, Gatherer: prometheus.Gatherers{h.registry, h.relay},
	})
	if err != nil {
		return fmt.Errorf("%w; stop what uses the port, or set metrics.listen", err)
	}
	h.metricsAddr = server.Addr().String()
	stages := [][]pipeline.Stage{{server}}
	for _, open := range roles {
		opened, err := open(ctx)
		if err != nil {
			return errors.Join(err, server.Close())
		}
		stages = append(stages, opened)
	}
	h.log.Info("venuecast is ready", h.readiness()...)
	if err := runRoles(ctx, stages); ctx.Err() == nil {
		return err
	}
	h.log.Info("venuecast has stopped")
	return nil
}

func (h *host) readiness() []any {
	out := []any{"role", h.role, "version", version, "metrics", "http://" + h.metricsAddr + "/metrics"}
	if h.originAddr != "" {
		out = append(out, "url", h.pageURL())
	}
	return out
}

// bus connects to NATS, and starts the server first when the configuration names none.
func (h *host) bus(ctx context.Context) ([]pipeline.Stage, error) {
	o := bus.Options{
		URL: h.config.NATS.URL.Reveal(), Name: string(h.role) + "-" + h.config.Worker.Name,
		Replicas: h.config.NATS.Replicas, Logger: h.log,
	}
	if o.URL == "" {
		server, err := bus.StartEmbedded(bus.EmbeddedOptions{Dir: filepath.Join(h.config.Data, "nats"), Logger: h.log})
		if err != nil {
			return nil, err
		}
		h.embedded, o.Embedded = server, server
		h.closers = append(h.closers, server.Close)
	}
	conn, err := bus.Connect(ctx, o)
	if err != nil {
		return nil, err
	}
	h.conn = conn
	h.closers = append(h.closers, conn.Close)
	h.feeds, err = conn.OpenRegistry(ctx, time.Now)
	return nil, err
}

// natsURL returns the address of the bus for a child process.
func (h *host) natsURL() string {
	if h.embedded != nil {
		return h.embedded.URL()
	}
	return h.config.NATS.URL.Reveal()
}

// originURL returns where workers put their parts.
func (h *host) originURL() string {
	if !h.config.Origin.URL.IsZero() {
		return h.config.Origin.URL.Reveal()
	}
	return "http://" + cmp.Or(h.workersAddr, h.originAddr)
}

// pageURL returns where a browser finds the origin of this process.
func (h *host) pageURL() string {
	if h.config.Origin.TLS.IsZero() {
		return "http://" + h.originAddr + "/"
	}
	return "https://" + h.originAddr + "/"
}
