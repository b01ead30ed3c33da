package origin

import (
	"container/list"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"
)

// made keeps what was made on request: so many bytes of it, those asked for last. Who asks for the same thing at the same
// time shares the work, and no more is made at once than there are processors.
type made struct {
	limit  int64
	logger *slog.Logger
	now    func() time.Time
	logged atomic.Int64 // when a failure was last logged, in nanoseconds since 1970
	counts *prometheus.CounterVec
	size   prometheus.Gauge

	flight singleflight.Group
	slots  chan struct{}

	mu      sync.Mutex // guards all below
	bytes   int64
	entries map[string]*list.Element
	recent  *list.List // of *madeEntry; the one asked for last is first
}

type madeEntry struct {
	key  string
	data []byte
}

// newMade returns an empty cache, with its metrics in reg.
func newMade(opts Options) (*made, error) {
	c := &made{
		limit: opts.MadeBytes, logger: opts.Logger, now: opts.Now,
		entries: map[string]*list.Element{}, recent: list.New(), slots: make(chan struct{}, runtime.GOMAXPROCS(0)),
		counts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "venuecast_origin_ts_segments_total",
			Help: "Requests for segments of MPEG-TS, by result: made, kept (made before), shared (being made for another), failed.",
		}, []string{"result"}),
		size: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "venuecast_origin_ts_cache_bytes", Help: "Segments of MPEG-TS that are kept in memory.",
		}),
	}
	for _, collector := range []prometheus.Collector{c.counts, c.size} {
		if err := opts.Registerer.Register(collector); err != nil {
			return nil, fmt.Errorf("registering the metrics of MPEG-TS: %w", err)
		}
	}
	return c, nil
}

// get returns what is kept under key, or makes it. What was made is shared: it must not be written.
func (c *made) get(key string, create func() ([]byte, error)) ([]byte, error) {
	if data, ok := c.kept(key); ok {
		c.counts.WithLabelValues("kept").Inc()
		return data, nil
	}
	result := "shared"
	v, err, _ := c.flight.Do(key, func() (any, error) {
		c.slots <- struct{}{} // what holds a slot takes milliseconds
		defer func() { <-c.slots }()
		result = "made"
		if data, ok := c.kept(key); ok {
			return data, nil // it was made since we looked
		}
		data, err := create()
		if err == nil {
			c.keep(key, data)
		}
		return data, err
	})
	if err != nil {
		c.counts.WithLabelValues("failed").Inc()
		return nil, err //nolint:wrapcheck // it says what could not be made
	}
	c.counts.WithLabelValues(result).Inc()
	return v.([]byte), nil //nolint:forcetypeassert // the function above returns nothing else
}

func (c *made) kept(key string) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[key]
	if !ok {
		return nil, false
	}
	c.recent.MoveToFront(e)
	return e.Value.(*madeEntry).data, true //nolint:forcetypeassert // the list holds nothing else
}

// keep keeps what fits, and drops what was not asked for longest.
func (c *made) keep(key string, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if int64(len(data)) > c.limit {
		return
	}
	c.entries[key] = c.recent.PushFront(&madeEntry{key, data})
	for c.bytes += int64(len(data)); c.bytes > c.limit; {
		oldest := c.recent.Remove(c.recent.Back()).(*madeEntry) //nolint:forcetypeassert // the list holds nothing else
		delete(c.entries, oldest.key)
		c.bytes -= int64(len(oldest.data))
	}
	c.size.Set(float64(c.bytes))
}
