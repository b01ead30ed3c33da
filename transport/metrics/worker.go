package metrics

import (
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Worker holds the metrics of a worker's supervisor.
type Worker struct {
	set
	feeds, used, free, freeFeeds, full prometheus.Gauge
	ladders                            *prometheus.GaugeVec
	restarts                           *prometheus.CounterVec
}

var restartReasons = []string{"crash", "stuck", "error"}

// NewWorker registers the metrics of a worker's supervisor.
func NewWorker(reg prometheus.Registerer) *Worker {
	gauge := func(name, help string) prometheus.Gauge {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
		g.Set(math.NaN()) // not known yet: no alert compares with it
		reg.MustRegister(g)
		return g
	}
	m := &Worker{
		feeds: gauge("venuecast_worker_feeds", "Feeds that this worker transcodes."),
		used: gauge("venuecast_capacity_used_pixels_per_second",
			"Pixels per second that this worker's renditions encode."),
		free: gauge("venuecast_capacity_free_pixels_per_second",
			"Pixels per second that this worker could encode besides."),
		freeFeeds: gauge("venuecast_capacity_free_feeds",
			"Further feeds, as large as the largest that is known, for which this worker has room."),
		full: gauge("venuecast_capacity_seconds_until_full",
			"Time until this worker has no room left, at the trend of the last ten minutes; infinite: never."),
	}
	m.ladders = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "venuecast_capacity_free_ladders", Help: "Further ladders of a class at 25 pictures per second for which this worker has room.",
	}, []string{"class"})
	reg.MustRegister(m.ladders)
	m.restarts = counters(reg, &m.set, "venuecast_worker_restarts_total", "Child processes started again.", labelFeed, labelReason)
	return m
}

// Feed makes the series of a feed, at 0.
func (m *Worker) Feed(id string) { touch(m.restarts, id, restartReasons) }

// Restarted counts that the child process of a feed is started again. Reasons: crash, stuck, error.
func (m *Worker) Restarted(feed, reason string) { m.restarts.WithLabelValues(feed, reason).Inc() }

// Capacity is the work of a worker. Its unit is encoded pixels per second, summed over all renditions.
type Capacity struct {
	Feeds   int     // that run
	Used    float64 // by the feeds that run
	Total   float64 // that the worker can encode
	Largest float64 // of any feed that is known; 0: none is

	Fits map[string]int // further ladders, by class
	Full time.Duration  // until nothing is left at the present trend; negative: never
}

// SetCapacity shows c.
func (m *Worker) SetCapacity(c Capacity) {
	free := max(c.Total-c.Used, 0)
	m.feeds.Set(float64(c.Feeds))
	m.used.Set(c.Used)
	m.free.Set(free)
	if c.Largest > 0 {
		m.freeFeeds.Set(math.Floor(free / c.Largest))
	}
	for class, n := range c.Fits {
		m.ladders.WithLabelValues(class).Set(float64(n))
	}
	m.full.Set(math.Inf(1))
	if c.Full >= 0 {
		m.full.Set(c.Full.Seconds())
	}
}
