package origin

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/venuecast/venuecast/pipeline/live"
)

// storeMetrics shows how full the store is, and how far back each feed reaches for it, when they are asked for.
type storeMetrics struct {
	feeds *live.Feeds
	clips *Clips // nil: there are none

	bytes, limit, free, freeLimit *prometheus.Desc
	clipBytes, clipLimit          *prometheus.Desc
	reach, full                   *prometheus.Desc
}

func newStoreMetrics(feeds *live.Feeds, clips *Clips) *storeMetrics {
	describe := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("venuecast_origin_"+name, help, labels, nil)
	}
	return &storeMetrics{
		feeds: feeds, clips: clips,
		bytes:     describe("store_bytes", "Bytes of the segments and thumbnails of all feeds in the store."),
		limit:     describe("store_limit_bytes", "Bytes that they may have; then the oldest go."),
		free:      describe("store_free_bytes", "Bytes that are free on the store's file system."),
		freeLimit: describe("store_free_limit_bytes", "Bytes that are to be left free there; else the oldest go."),
		clipBytes: describe("clip_bytes", "Bytes of the clips that are kept."),
		clipLimit: describe("clip_limit_bytes", "Bytes that they may have; then none can be made."),
		reach:     describe("dvr_seconds", "How far back the playlists of a feed reach, the shortest of them.", "feed"),
		full:      describe("dvr_limit_seconds", "How far back they reach when nothing is removed before its time.", "feed"),
	}
}

// Describe implements prometheus.Collector.
func (m *storeMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.bytes, m.limit, m.free, m.freeLimit, m.clipBytes, m.clipLimit, m.reach, m.full} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (m *storeMetrics) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	state := m.feeds.StoreState()
	gauge(m.bytes, float64(state.Bytes))
	gauge(m.limit, float64(state.Limit))
	if state.Free >= 0 {
		gauge(m.free, float64(state.Free))
		gauge(m.freeLimit, float64(state.FreeLimit))
	}
	if m.clips != nil {
		gauge(m.clipBytes, float64(m.clips.size()))
		gauge(m.clipLimit, float64(m.clips.opts.MaxBytes))
	}
	for _, f := range m.feeds.All() {
		reach, full := f.DVR()
		gauge(m.reach, reach.Seconds(), f.ID())
		gauge(m.full, full.Seconds(), f.ID())
	}
}

// StoreRemoved returns a counter for live.Options.StoreRemoved: venuecast_origin_removed_segments_total by feed and reason.
func StoreRemoved(reg prometheus.Registerer) (func(feed, reason string, segments int), error) {
	removed := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "venuecast_origin_removed_segments_total",
		Help: "Segments removed from the store: by age, for its bytes or its file system's space, or with their feed.",
	}, []string{"feed", "reason"})
	if err := reg.Register(removed); err != nil {
		return nil, fmt.Errorf("registering the store's metrics: %w", err)
	}
	return func(feed, reason string, segments int) { removed.WithLabelValues(feed, reason).Add(float64(segments)) }, nil
}
