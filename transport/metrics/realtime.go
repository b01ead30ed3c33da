package metrics

import (
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// factorSpan is how much media the real-time factor looks back on.
const factorSpan = 5.0 // seconds

// realTime works out how fast a process could make its feed: media made per processor time spent, times the processors.
// It is exact where the work spreads over all processors evenly, and an upper bound elsewhere.
type realTime struct {
	cpu   func() time.Duration // processor time of this process so far
	gauge *prometheus.GaugeVec

	mu    sync.Mutex         // guards the fields below
	media map[string]float64 // seconds that each rendition has made since from
	from  time.Duration      // processor time then
}

func newRealTime(gauge *prometheus.GaugeVec, cpu func() time.Duration) *realTime {
	return &realTime{cpu: cpu, gauge: gauge, media: map[string]float64{}, from: cpu()}
}

// add says that a rendition has made so many seconds of media. The rendition that is ahead counts.
func (r *realTime) add(feed, rendition string, seconds float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.media[rendition] += seconds
	if r.media[rendition] < factorSpan {
		return
	}
	now := r.cpu()
	if spent := (now - r.from).Seconds(); spent > 0 {
		r.gauge.WithLabelValues(feed).Set(r.media[rendition] / spent * float64(runtime.NumCPU()))
	}
	clear(r.media)
	r.from = now
}
