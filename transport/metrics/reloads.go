package metrics

import "github.com/prometheus/client_golang/prometheus"

// Reloads counts how often a process has read its configuration anew.
type Reloads struct{ applied, refused prometheus.Counter }

// NewReloads registers the metric.
func NewReloads(reg prometheus.Registerer) *Reloads {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "venuecast_config_reloads_total",
		Help: "Times that the configuration was read anew: applied, or refused because it has mistakes.",
	}, []string{"result"})
	reg.MustRegister(v)
	return &Reloads{applied: v.WithLabelValues("applied"), refused: v.WithLabelValues("refused")}
}

// Applied counts a configuration that was applied.
func (r *Reloads) Applied() { r.applied.Inc() }

// Refused counts one that changed nothing.
func (r *Reloads) Refused() { r.refused.Inc() }
