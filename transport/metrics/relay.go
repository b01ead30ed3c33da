package metrics

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

// Relay is a Gatherer for child processes, one for each feed: it shows the latest snapshot of each child that lives.
//
// Every series has the label feed: where a child's own has none (those of its process and Go runtime), the relay adds it.
// When a child ends, its series end; those of its successor count from 0, which rate and increase understand as a reset.
// Counts of the last interval before a crash are lost. Use it besides a registry: prometheus.Gatherers{registry, relay}.
type Relay struct {
	mu       sync.Mutex        // guards children
	children map[string]*child // by feed
}

type child struct{ families []*dto.MetricFamily } // families is replaced, never changed

// NewRelay returns a relay without children.
func NewRelay() *Relay { return &Relay{children: map[string]*child{}} }

// Read takes a child's snapshots until in ends, which is when the child does, and then forgets them.
// It returns nil at an end between two snapshots. A later Read for the same feed takes the place of an earlier one.
func (r *Relay) Read(feed string, in io.Reader) error {
	c := &child{}
	r.put(feed, c)
	defer r.forget(feed, c)
	for {
		families, err := readSnapshot(in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("metrics of the child for feed %s: %w", feed, err)
		}
		label(families, feed)
		r.mu.Lock()
		c.families = families
		r.mu.Unlock()
	}
}

func (r *Relay) put(feed string, c *child) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.children[feed] = c
}

func (r *Relay) forget(feed string, c *child) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.children[feed] == c { // else a successor has taken the place
		delete(r.children, feed)
	}
}

// Gather returns the latest metrics of all children, merged by name.
func (r *Relay) Gather() ([]*dto.MetricFamily, error) {
	return r.snapshots().Gather()
}

func (r *Relay) snapshots() prometheus.Gatherers {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make(prometheus.Gatherers, 0, len(r.children))
	for _, feed := range slices.Sorted(maps.Keys(r.children)) {
		families := r.children[feed].families
		all = append(all, prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return families, nil }))
	}
	return all
}

// label gives every series its feed. Labels stay sorted, as Gather's callers expect.
func label(families []*dto.MetricFamily, feed string) {
	for _, f := range families {
		for _, m := range f.GetMetric() {
			has := func(l *dto.LabelPair) bool { return l.GetName() == labelFeed }
			if !slices.ContainsFunc(m.GetLabel(), has) {
				m.Label = append(m.Label, &dto.LabelPair{Name: proto.String(labelFeed), Value: proto.String(feed)})
			}
			slices.SortFunc(m.GetLabel(), func(a, b *dto.LabelPair) int { return cmp.Compare(a.GetName(), b.GetName()) })
		}
	}
}
