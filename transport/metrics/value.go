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

// Renditions returns a counter or gauge of a child by rendition, as of its latest snapshot.
func (r *Relay) Renditions(feed, name string) map[string]float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	by := map[string]float64{}
	c := r.children[feed]
	if c == nil {
		return by
	}
	for _, f := range c.families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == labelRendition {
					by[l.GetValue()] += m.GetCounter().GetValue() + m.GetGauge().GetValue()
				}
			}
		}
	}
	return by
}

func total(f *dto.MetricFamily) (sum float64) {
	for _, m := range f.GetMetric() {
		sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	return sum
}
