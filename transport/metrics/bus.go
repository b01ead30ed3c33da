package metrics

import (
	"maps"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// BusStats is what a feed's writer has done so far, and what it has not done yet.
type BusStats struct {
	Pending      int    // messages that the bus has not acknowledged
	PendingBytes int64  // and their size
	Stored       uint64 // messages that it has
	Dropped      uint64 // messages lost because the bus was away for longer than the ring holds
	Recoveries   uint64 // errors after which the writer had to find out what is stored
	Claims       uint64 // one at the start, and one after each gap
}

// busCollector asks writers for their numbers when metrics are gathered.
type busCollector struct {
	pending, ring, stored, dropped, recoveries, claims *prometheus.Desc

	mu    sync.Mutex                 // guards stats
	stats map[string]func() BusStats // by feed
}

func newBusCollector() *busCollector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, []string{labelFeed}, nil)
	}
	return &busCollector{
		pending:    desc("venuecast_bus_pending_messages", "Messages that the bus has not acknowledged yet."),
		ring:       desc("venuecast_bus_ring_bytes", "Bytes kept until the bus has acknowledged them."),
		stored:     desc("venuecast_bus_stored_messages_total", "Messages that the bus has acknowledged."),
		dropped:    desc("venuecast_bus_dropped_messages_total", "Messages lost because the bus was away for too long."),
		recoveries: desc("venuecast_bus_recoveries_total", "Errors after which a writer had to find out what is stored."),
		claims:     desc("venuecast_bus_claims_total", "Claims of a stream: one at the start, and one after each gap."),
		stats:      map[string]func() BusStats{},
	}
}

func (c *busCollector) put(feed string, stats func() BusStats) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats[feed] = stats
}

// DeletePartialMatch forgets a feed, as the vectors do.
func (c *busCollector) DeletePartialMatch(labels prometheus.Labels) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.stats, labels[labelFeed])
	return 0
}

// Describe implements prometheus.Collector.
func (c *busCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.pending, c.ring, c.stored, c.dropped, c.recoveries, c.claims} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *busCollector) Collect(ch chan<- prometheus.Metric) {
	c.mu.Lock()
	stats := maps.Clone(c.stats) // a writer may take its time, and take a lock of its own
	c.mu.Unlock()
	for feed, of := range stats {
		s := of()
		gauge := func(d *prometheus.Desc, v float64) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, feed)
		}
		count := func(d *prometheus.Desc, v uint64) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), feed)
		}
		gauge(c.pending, float64(s.Pending))
		gauge(c.ring, float64(s.PendingBytes))
		count(c.stored, s.Stored)
		count(c.dropped, s.Dropped)
		count(c.recoveries, s.Recoveries)
		count(c.claims, s.Claims)
	}
}
