package watch

import (
	"github.com/venuecast/venuecast/codecs/cmaf"
)

// clock follows the decoding times of a track: each fragment begins where the one before ended, in exact ticks
// (ISO/IEC 23000-19 §7.3.2.2). The zero value takes any beginning.
type clock struct {
	next  uint64
	known bool
	last  place // where it stands
}

// moveTo goes on to a place. Unless that follows the last one, any beginning is right there.
func (c *clock) moveTo(p place, follows bool) {
	c.known = c.known && follows
	c.last = p
}

// advance moves over a fragment and returns how many ticks it begins late (positive) or early (negative).
func (c *clock) advance(f *cmaf.FragmentInfo) int64 {
	off := int64(0)
	if c.known {
		off = int64(f.BaseTime - c.next)
	}
	c.next, c.known = f.BaseTime+ticks(f.Samples), true
	return off
}

// ticks returns the duration of samples.
func ticks(samples []cmaf.Sample) uint64 {
	var n uint64
	for i := range samples {
		n += uint64(samples[i].Duration)
	}
	return n
}

// run is the samples of consecutive fragments.
type run struct {
	base    uint64
	samples []cmaf.Sample
}

func (r run) ticks() uint64 { return ticks(r.samples) }
