// Package ladder describes what a feed becomes: its renditions, and how they fit a source.
package ladder

import (
	"slices"
	"time"

	"github.com/venuecast/venuecast/codecs"
)

// Ladder is a set of renditions on one grid.
type Ladder struct {
	Segment   time.Duration   `json:"segment"`    // target length of a segment
	Part      time.Duration   `json:"part"`       // target length of a part
	DVR       time.Duration   `json:"dvr"`        // how far back a viewer can go
	FrameRate codecs.Rational `json:"frame_rate"` // zero: that of the source
	Latency   Latency         `json:"latency"`
	Video     []Video         `json:"video"` // largest first
	Audio     []Audio         `json:"audio"`
}

// Latency trades bits for delay in the encoder.
type Latency string

// The latencies.
const (
	LatencyNormal Latency = "normal" // lookahead and B-pictures as the preset has them, bounded for live
	LatencyLow    Latency = "low"    // no lookahead, no B-pictures
)

// Video is one video rendition.
type Video struct {
	Name    string       `json:"name"`
	Width   int          `json:"width"`         // 0 until resolved: follows from the source's aspect ratio
	Height  int          `json:"height"`        // in lines; even
	Bitrate int64        `json:"bitrate"`       // in bit/s; the average, or with CRF the most
	CRF     float64      `json:"crf,omitempty"` // constant rate factor under a cap of Bitrate, 1 to 51; 0: an average of Bitrate
	Codec   codecs.Codec `json:"codec"`
	Preset  string       `json:"preset"`  // of the encoder
	Encoder string       `json:"encoder"` // libav's name; empty: the first that opens
	Divisor int64        `json:"divisor"` // 1: the feed's frame rate; 2: every second picture
}

// Audio is one audio rendition. All are 48 kHz stereo AAC.
type Audio struct {
	Name     string `json:"name"`
	Bitrate  int64  `json:"bitrate"`  // in bit/s
	Language string `json:"language"` // BCP 47; empty: not said
}

// For returns the ladder resolved for a source of the given size in square pixels, and the names of the renditions
// that were left out because they are larger than the source. If all are larger, the smallest stays, at the source's size.
func (l Ladder) For(width, height int) (Ladder, []string) {
	resolved, leftOut := l, []string(nil)
	resolved.Video = nil
	largestFirst := slices.Clone(l.Video)
	slices.SortStableFunc(largestFirst, func(a, b Video) int { return b.Height - a.Height })
	for _, v := range largestFirst {
		if v.Height > height {
			leftOut = append(leftOut, v.Name)
			continue
		}
		v.Width = even(width * v.Height / height)
		resolved.Video = append(resolved.Video, v)
	}
	if len(resolved.Video) == 0 && len(largestFirst) > 0 {
		v := largestFirst[len(largestFirst)-1]
		v.Width, v.Height = even(width), even(height)
		resolved.Video, leftOut = []Video{v}, leftOut[:len(leftOut)-1]
	}
	return resolved, leftOut
}

// even rounds to the nearest even number, at least 2: 4:2:0 pictures have no other sizes.
func even(n int) int { return max((n+1)/2*2, 2) }

// Equal reports whether l and m ask for the same renditions on the same grid.
func (l Ladder) Equal(m Ladder) bool {
	return l.Segment == m.Segment && l.Part == m.Part && l.FrameRate == m.FrameRate && l.Latency == m.Latency &&
		slices.Equal(l.Video, m.Video) && slices.Equal(l.Audio, m.Audio)
}

// Names returns the names of all renditions, video first.
func (l Ladder) Names() (names []string) {
	for _, v := range l.Video {
		names = append(names, v.Name)
	}
	for _, a := range l.Audio {
		names = append(names, a.Name)
	}
	return names
}
