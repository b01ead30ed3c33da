package metrics

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// NewRegistry returns a registry that has the metrics of every process: build, Go runtime, operating system.
func NewRegistry(version string) *prometheus.Registry {
	reg := prometheus.NewRegistry()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "venuecast_build_info",
		Help:        "1, with the version of venuecast and of the Go that built it.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	})
	build.Set(1)
	reg.MustRegister(build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}

// RegisterLedger shows what a ledger of live native objects returns, by kind. Kinds are few and known when it is built,
// and a leak is found by its kind: so this metric has a label of its own.
func RegisterLedger(reg prometheus.Registerer, ledger func() map[string]int64) {
	reg.MustRegister(&ledgerCollector{
		ledger: ledger,
		desc: prometheus.NewDesc("venuecast_libav_live_objects", "Native objects of libav that were made and not yet freed.",
			[]string{"kind"}, nil),
	})
}

type ledgerCollector struct {
	ledger func() map[string]int64
	desc   *prometheus.Desc
}

func (c *ledgerCollector) Describe(ch chan<- *prometheus.Desc) { ch <- c.desc }

func (c *ledgerCollector) Collect(ch chan<- prometheus.Metric) {
	for kind, n := range c.ledger() {
		ch <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, float64(n), kind)
	}
}
