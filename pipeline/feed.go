package pipeline

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

// Feed is the constant description of one source and its outputs. Ingest writes it to the bus once,
// when it has learnt the source's frame rate and size; workers and origin take every constant from it.
type Feed struct {
	ID     string        `json:"id"`
	Grid   grid.Grid     `json:"grid"`
	Ladder ladder.Ladder `json:"ladder"` // with widths and heights resolved for this source
	// Asked is the ladder as configured, before it was resolved: when it changes, the feed is made anew.
	Asked ladder.Ladder `json:"asked"`
	// Priority says which feeds an overloaded worker keeps whole: the highest. It may change while the feed lives.
	Priority int `json:"priority,omitempty"`
	// Passthrough says which rendition is the source's own pictures where they fit; nil: none is.
	Passthrough *Passthrough `json:"passthrough,omitempty"`
}

// Passthrough is what a worker must know to pass a source's own pictures on as a rendition. The grid's segments begin where the
// source had its random access pictures when the feed was defined.
type Passthrough struct {
	Rendition     string `json:"rendition"`
	ParameterSets []byte `json:"parameter_sets"` // of the source, Annex B: they stand in the init section
}

// Passed returns the passthrough of a rendition, nil if it is only encoded.
func (f Feed) Passed(rendition string) *Passthrough {
	if f.Passthrough == nil || f.Passthrough.Rendition != rendition {
		return nil
	}
	return f.Passthrough
}

// Alike reports whether two descriptions have the same constants: they may differ in priority. Both came from JSON.
func (f Feed) Alike(g Feed) bool {
	f.Priority = g.Priority
	return reflect.DeepEqual(f, g)
}

// PartTarget returns PART-TARGET (RFC 8216bis §4.4.3.7) of all renditions.
func (f Feed) PartTarget() time.Duration { return f.Grid.PartTarget(f.Ladder.FrameSamples()...) }

// TargetDuration returns EXT-X-TARGETDURATION of all renditions, in seconds.
func (f Feed) TargetDuration() int { return f.Grid.TargetDuration(f.Ladder.FrameSamples()...) }

// Validate reports what is wrong with a feed that came from outside.
func (f Feed) Validate() error {
	if !ValidID(f.ID) {
		return fmt.Errorf("feed id %q: want 1 to 64 of a-z, A-Z, 0-9, - and _", f.ID)
	}
	if len(f.Ladder.Video) == 0 && len(f.Ladder.Audio) == 0 {
		return errors.New("feed has no renditions")
	}
	for _, name := range f.Ladder.Names() {
		if !ValidID(name) {
			return fmt.Errorf("rendition name %q: want 1 to 64 of a-z, A-Z, 0-9, - and _", name)
		}
	}
	if p := f.Passthrough; p != nil {
		i := slices.IndexFunc(f.Ladder.Video, func(v ladder.Video) bool { return v.Name == p.Rendition })
		if i < 0 || f.Ladder.Video[i].Codec != codecs.H264 || len(p.ParameterSets) == 0 || len(p.ParameterSets) > maxParameterSets {
			return fmt.Errorf("passthrough of rendition %q with %d bytes of parameter sets: want an H.264 rendition and 1 to %d bytes",
				p.Rendition, len(p.ParameterSets), maxParameterSets)
		}
	}
	return f.Grid.Validate()
}

const maxParameterSets = 1 << 16

// ValidID reports whether s can name a feed or rendition: it becomes a bus subject, a path and a metric label.
func ValidID(s string) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
