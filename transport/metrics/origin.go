package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/venuecast/venuecast/pipeline"
)

// Origin holds the metrics of the origin role. Its methods may be called from any goroutine.
type Origin struct {
	set
	parts, bytes, refusals, storeFailures *prometheus.CounterVec
	newest                                *prometheus.GaugeVec
	waiting                               prometheus.Gauge
}

var (
	refusalReasons = []string{"fenced", "token", "invalid", "order"}
	storeReasons   = []string{"full", "write", "remove", "read"}
)

// NewOrigin registers the metrics of the origin role.
func NewOrigin(reg prometheus.Registerer) *Origin {
	m := &Origin{}
	s := &m.set
	m.parts = counters(reg, s, "venuecast_origin_parts_total", "Parts received.", labelFeed, labelRendition)
	m.bytes = counters(reg, s, "venuecast_origin_bytes_total", "Bytes of parts received.", labelFeed, labelRendition)
	m.refusals = counters(reg, s, "venuecast_origin_refusals_total", "Requests of workers that were refused.", labelFeed, labelReason)
	m.storeFailures = counters(reg, s, "venuecast_origin_store_failures_total",
		"Segments that could not be stored, read back or removed.", labelFeed, labelReason)
	m.newest = gauges(reg, s, "venuecast_origin_newest_part_timestamp_seconds",
		"When the latest part of a feed came, in seconds since the Unix epoch.", labelFeed)
	m.waiting = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "venuecast_origin_waiting_requests",
		Help: "Requests of players that wait for a part or playlist to come.",
	})
	reg.MustRegister(m.waiting)
	return m
}

// Feed makes the series of a feed, at 0.
func (m *Origin) Feed(f pipeline.Feed) {
	for _, v := range f.Ladder.Video {
		m.parts.WithLabelValues(f.ID, v.Name)
		m.bytes.WithLabelValues(f.ID, v.Name)
	}
	for _, a := range f.Ladder.Audio {
		m.parts.WithLabelValues(f.ID, a.Name)
		m.bytes.WithLabelValues(f.ID, a.Name)
	}
	touch(m.refusals, f.ID, refusalReasons)
	touch(m.storeFailures, f.ID, storeReasons)
}

// Received counts a part that came at the time now.
func (m *Origin) Received(feed, rendition string, bytes int, now time.Time) {
	m.parts.WithLabelValues(feed, rendition).Inc()
	m.bytes.WithLabelValues(feed, rendition).Add(float64(bytes))
	m.newest.WithLabelValues(feed).Set(float64(now.UnixMilli()) / 1000)
}

// Refused counts a request of a worker that was refused. Reasons: fenced, token, invalid, order.
func (m *Origin) Refused(feed, reason string) { m.refusals.WithLabelValues(feed, reason).Inc() }

// StoreFailed counts a segment that could not be stored, read back or removed. It fits live.Options.
func (m *Origin) StoreFailed(feed, reason string) {
	m.storeFailures.WithLabelValues(feed, reason).Inc()
}

// Waiting adds to the requests that wait: 1 when one begins to, -1 when it has ended.
func (m *Origin) Waiting(change int) { m.waiting.Add(float64(change)) }
