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
	restarts, steps, released          *prometheus.CounterVec
	degraded                           *prometheus.GaugeVec
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
	m.degraded = gauges(reg, &m.set, "venuecast_overload_degraded_renditions",
		"Renditions of a feed of which this worker makes less than the ladder asks for, because it is overloaded.", labelFeed)
	m.steps = counters(reg, &m.set, "venuecast_overload_steps_total",
		"Renditions of which this worker has begun to make less (late: it could not keep up) or more again (room).", labelFeed, labelReason)
	m.released = counters(reg, &m.set, "venuecast_overload_released_total",
		"Times that this overloaded worker has given a feed up.", labelFeed)
	return m
}

// Guard makes the series of a feed's overload, at 0.
func (m *Worker) Guard(feed string) {
	touch(m.steps, feed, []string{"late", "room"})
	m.released.WithLabelValues(feed)
	m.degraded.WithLabelValues(feed)
}

// Stepped counts a rendition of which less is made, or more again. Reasons: late, room.
func (m *Worker) Stepped(feed, reason string) { m.steps.WithLabelValues(feed, reason).Inc() }

// Released counts that a feed is given up.
func (m *Worker) Released(feed string) { m.released.WithLabelValues(feed).Inc() }

// Degraded shows of how many renditions of a feed less is made.
func (m *Worker) Degraded(feed string, renditions int) {
	m.degraded.WithLabelValues(feed).Set(float64(renditions))
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
