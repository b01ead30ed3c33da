package transcode

import (
	"fmt"
	"slices"

	"github.com/venuecast/venuecast/codecs"
)

// Cascader is a VideoEngine that can make several sizes of a picture at once, which costs less than one after the other.
type Cascader interface {
	// Cascade returns what each scaler makes of the picture of the one before it that from names, of p if that is negative;
	// nil if it cannot do so at once. Each is its own to Release; p stays the caller's.
	Cascade(p codecs.Picture, scalers []Scaler, from []int) ([]codecs.Picture, error)
}

// scale makes all sizes at once that the frame is wanted in, if none is made yet and the engine can. What is missing then
// shot.size makes.
func (s *source) scale(frame int64, p *shot) error {
	engine, ok := s.w.o.Video.(Cascader)
	if !ok || slices.ContainsFunc(p.sizes[1:], func(made codecs.Picture) bool { return made != nil }) {
		return nil
	}
	sizes := s.sizes(frame)
	if len(sizes) < 2 {
		return nil
	}
	scalers, from := make([]Scaler, len(sizes)), make([]int, len(sizes))
	for k, i := range sizes {
		scalers[k], from[k] = s.scalers[i], slices.Index(sizes, s.from[i])
	}
	made, err := engine.Cascade(p.sizes[0], scalers, from)
	if err != nil {
		return fmt.Errorf("scaling: %w", err)
	}
	for k := range made {
		p.sizes[sizes[k]+1] = made[k]
	}
	return nil
}

// sizes returns the renditions, in order, that want a frame, and those that they are scaled from.
func (s *source) sizes(frame int64) (sizes []int) {
	for i, r := range s.w.renditions {
		if !s.rates[i].made() || !r.wants(frame, r.step(s.rates[i])) {
			continue
		}
		for j := i; j >= 0 && !slices.Contains(sizes, j); j = s.from[j] {
			sizes = append(sizes, j)
		}
	}
	slices.Sort(sizes)
	return sizes
}
