// Package metrics says in numbers how venuecast does: metrics for each role, and the HTTP server that shows them.
//
// Metrics are made with an injected prometheus.Registerer; nothing is global. Names begin with venuecast_ and end with
// their unit. Labels are feed, rendition and reason, and some few whose values are known when it is built, so the number of
// series is bounded by the configuration; series of known reasons are there from the start, so that a first event is seen as an
// increase from 0.
//
// Workers run one child process per feed. A child sends its metrics through a pipe as snapshots (Reporter); its parent
// shows the latest of each child besides its own (Relay).
package metrics

import "github.com/prometheus/client_golang/prometheus"

// The labels.
const (
	labelFeed      = "feed"
	labelRendition = "rendition"
	labelReason    = "reason"
)

// vector is the part of a metric with labels that forgetting a feed needs.
type vector interface {
	DeletePartialMatch(labels prometheus.Labels) int
}

// set is what the metrics of a role have in common.
type set struct{ vectors []vector }

// Forget removes the series of a feed that is no longer run here.
func (s *set) Forget(feed string) {
	for _, v := range s.vectors {
		v.DeletePartialMatch(prometheus.Labels{labelFeed: feed})
	}
}

func counters(reg prometheus.Registerer, s *set, name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	reg.MustRegister(v)
	s.vectors = append(s.vectors, v)
	return v
}

func gauges(reg prometheus.Registerer, s *set, name, help string, labels ...string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	reg.MustRegister(v)
	s.vectors = append(s.vectors, v)
	return v
}

func histograms(reg prometheus.Registerer, s *set, name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	reg.MustRegister(v)
	s.vectors = append(s.vectors, v)
	return v
}

// touch makes the series of known reasons, at 0.
func touch(v *prometheus.CounterVec, feed string, reasons []string) {
	for _, r := range reasons {
		v.WithLabelValues(feed, r)
	}
}
