package main

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/configs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/fleet"
	"github.com/venuecast/venuecast/transport/bus"
	"github.com/venuecast/venuecast/transport/metrics"
)

// openTestBus returns a bus of the test's own, and what is known there about feeds.
func openTestBus(t *testing.T) (*bus.Conn, *bus.Registry) {
	t.Helper()
	server, err := bus.StartEmbedded(bus.EmbeddedOptions{Dir: t.TempDir(), MaxStoreBytes: 1 << 30})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	return connectTo(t, server)
}

func connectTo(t *testing.T, server *bus.Embedded) (*bus.Conn, *bus.Registry) {
	t.Helper()
	conn, err := bus.Connect(t.Context(), bus.Options{Embedded: server, Name: "test"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	registry, err := conn.OpenRegistry(t.Context(), time.Now)
	require.NoError(t, err)
	return conn, registry
}

// newTestCameras returns the cameras of an ingest called here, on a bus of their own.
func newTestCameras(t *testing.T, feeds string) *cameras {
	t.Helper()
	conn, registry := openTestBus(t)
	owners, err := registry.Ingests(t.Context())
	require.NoError(t, err)
	h := newHost(venue(t, feeds), configs.Ingest)
	h.conn, h.feeds, h.log = conn, registry, slog.New(slog.DiscardHandler)
	c, err := newCameras(h, owners)
	require.NoError(t, err)
	return c
}

// venue returns a configuration of the ingest called here.
func venue(t *testing.T, feeds string) *configs.Config {
	t.Helper()
	c, err := configs.Parse("venue.yaml", []byte("worker: {name: here}\nfeeds: ["+feeds+"]\n"), func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	return c
}

func TestAnIngestRetiresWhatItHadBeforeItsStartAndNobodyElses(t *testing.T) {
	c := newTestCameras(t, `{id: a, source: "rtsp://127.0.0.1:1/a"}`)
	for id, owner := range map[string]string{"a": "ingest-here", "b": "ingest-here", "c": "ingest-there", "d": "ingest-here-2"} {
		_, err := c.owners.TakeOver(t.Context(), id, owner, 0)
		require.NoError(t, err)
	}
	_, retired, err := c.list(t.Context())
	require.NoError(t, err)
	require.Empty(t, retired)
	require.NoError(t, c.findFormer(t.Context()))
	ids, retired, err := c.list(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, ids)
	require.Equal(t, []string{"b"}, retired)
}

// Two ingests of one machine, each with cameras of its own, may have been left with the machine's name.
func TestAnIngestRetiresNothingWhereAnotherHasItsName(t *testing.T) {
	c := newTestCameras(t, `{id: a, source: "rtsp://127.0.0.1:1/a"}`)
	_, err := c.owners.TakeOver(t.Context(), "b", "ingest-here", 0)
	require.NoError(t, err)
	namesake := &host{conn: c.host.conn, boot: "another"}
	ctx, cancel := context.WithCancel(t.Context())
	var beating pipeline.Group
	defer beating.Wait()
	defer cancel()
	beating.Start(ctx, pipeline.Func("beats", func(ctx context.Context) error { return namesake.beat(ctx, "ingest-here") }), func(error) {})
	require.NoError(t, c.findFormer(t.Context()))
	_, retired, err := c.list(t.Context())
	require.NoError(t, err)
	require.Empty(t, retired)
}

func TestAFeedThatIsListedNoMoreIsRetiredUntilItIsBack(t *testing.T) {
	const a, b = `{id: a, source: "rtsp://127.0.0.1:1/a"}`, `{id: b, source: "rtsp://127.0.0.1:1/b"}`
	c := newTestCameras(t, a+", "+b)
	first := c.camera("a")
	for range 2 {
		_, err := c.apply(t.Context(), venue(t, a))
		require.NoError(t, err)
		ids, retired, err := c.list(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{"a"}, ids)
		require.Equal(t, []string{"b"}, retired)
		require.ErrorIs(t, c.Run(t.Context(), fleet.Assignment{Feed: "b"}), fleet.ErrRetired)

		changes, err := c.apply(t.Context(), venue(t, a+", "+b))
		require.NoError(t, err)
		require.Equal(t, configs.Changes{Added: []string{"b"}, Unchanged: 1}, changes)
		ids, retired, err = c.list(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{"a", "b"}, ids)
		require.Empty(t, retired)
		before, err := c.host.registry.Gather()
		require.NoError(t, err)
		c.forget("b") // late: it is back
		after, err := c.host.registry.Gather()
		require.NoError(t, err)
		require.Len(t, after, len(before))
	}
	require.Same(t, first, c.camera("a"), "another feed does not notice")
}

func TestAChangedFeedBeginsAnewAndTermsAreOnlyWritten(t *testing.T) {
	c := newTestCameras(t, `{id: a, source: "rtsp://127.0.0.1:1/a"}`)
	first := c.camera("a")
	changes, err := c.apply(t.Context(), venue(t, `{id: a, source: "rtsp://127.0.0.1:1/a", priority: 7}`))
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, changes.Adjusted)
	require.Same(t, first, c.camera("a"))
	require.Equal(t, 7, first.terms.Load().priority)
	require.Len(t, first.adjusted, 1)
	longer := venue(t, `{id: a, source: "rtsp://127.0.0.1:1/a", priority: 7}`)
	hd := longer.Ladders["hd"]
	hd.Renditions.DVR = 5 * time.Hour
	longer.Ladders["hd"] = hd
	changes, err = c.apply(t.Context(), longer)
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, changes.Adjusted)
	require.Same(t, first, c.camera("a"))
	require.Equal(t, 5*time.Hour, first.terms.Load().dvr)
	_, err = c.apply(t.Context(), venue(t, `{id: a, source: "rtsp://127.0.0.1:1/other", priority: 7}`))
	require.NoError(t, err)
	require.NotSame(t, first, c.camera("a"))
	require.ErrorIs(t, first.await(t.Context()), errReplaced)
}

func TestTheWarmStandbyOfAFeedEndsWithIt(t *testing.T) {
	const a, b = `{id: a, source: "rtsp://127.0.0.1:1/a", standby: warm}`, `{id: b, source: "rtsp://127.0.0.1:1/b", standby: warm}`
	c := newTestCameras(t, a)
	require.NotNil(t, c.camera("a").standby)
	c.stand(t.Context(), c.camera("a"))
	_, err := c.apply(t.Context(), venue(t, b))
	require.NoError(t, err)
	require.NotNil(t, c.camera("b").standby)
	_, err = c.apply(t.Context(), venue(t, `{id: b, source: "rtsp://127.0.0.1:1/b"}`))
	require.NoError(t, err)
	require.Nil(t, c.camera("b").standby, "it is cold now")
	c.standing.Wait()
	require.Empty(t, c.failed)
}

func TestAForgottenFeedIsNoMoreInAWorkersMetricsNorAccounts(t *testing.T) {
	reg := prometheus.NewRegistry()
	g := newGuarded(map[string]int{})
	g.worker = metrics.NewWorker(reg)
	for _, id := range []string{"a", "b"} {
		g.worker.Guard(id)
	}
	g.running["b"] = func(error) {}
	g.look(t.Context(), g.now.Add(time.Second))
	require.Equal(t, 2, series(t, reg, "venuecast_overload_degraded_renditions"))
	g.retire("a")
	g.retire("b") // and is back already
	g.look(t.Context(), g.now.Add(2*time.Second))
	require.Equal(t, 1, series(t, reg, "venuecast_overload_degraded_renditions"))
}

func series(t *testing.T, reg *prometheus.Registry, name string) int {
	t.Helper()
	families, err := reg.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == name {
			return len(f.GetMetric())
		}
	}
	return 0
}
