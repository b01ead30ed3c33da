package metrics

import (
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

// Rate says how much of a rendition is encoded: 1 all pictures, 0.5 every second, 0 none.
func (m *Transcode) Rate(feed, rendition string, share float64) {
	m.rate.WithLabelValues(feed, rendition).Set(share)
}

// Fill returns the meter of a worker that fills what was wanted of a rendition before it was on. How late that comes is not
// part of the feed's latency.
func (m *Transcode) Fill(feed, rendition string) *Fill {
	m.fills.WithLabelValues(feed, rendition).Inc()
	return &Fill{m: m, feed: feed}
}

// Fill is a transcode.Meter.
type Fill struct {
	m    *Transcode
	feed string
}

// Pictures counts video frames that did not go their plain way.
func (f *Fill) Pictures(reason string, n int64) {
	f.m.pictures.WithLabelValues(f.feed, reason).Add(float64(n))
}

// Samples counts nothing: sound is never filled.
func (f *Fill) Samples(string, int64) {}

// Segment counts nothing: what becomes of a passed rendition's segments is said by the worker that makes them all.
func (f *Fill) Segment(string, string) {}

// Put counts a part that the origin has taken.
func (f *Fill) Put(p pipeline.Part, _ time.Duration) {
	f.m.parts.WithLabelValues(f.feed, p.Rendition).Inc()
	f.m.bytes.WithLabelValues(f.feed, p.Rendition).Add(float64(len(p.Data)))
	if p.Timescale > 0 {
		f.m.media.WithLabelValues(f.feed, p.Rendition).Add(float64(p.Duration) / float64(p.Timescale))
	}
}
