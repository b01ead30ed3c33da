package metrics

import dto "github.com/prometheus/client_model/go"

// Value returns the sum over a child's series of a counter or gauge, as of its latest snapshot.
func (r *Relay) Value(feed, name string) (sum float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.children[feed]
	if c == nil {
		return 0
	}
	for _, f := range c.families {
		if f.GetName() == name {
			sum += total(f)
		}
	}
	return sum
}

func total(f *dto.MetricFamily) (sum float64) {
	for _, m := range f.GetMetric() {
		sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	return sum
}
