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
	Container Container       `json:"container,omitempty"` // left out as it was before there was a choice: it names what is stored
	Video     []Video         `json:"video"`               // largest first
	Audio     []Audio         `json:"audio"`
	// Passthrough asks that the source's own pictures are the largest rendition where they fit, and that the grid is one that
	// they can hit.
	Passthrough bool     `json:"passthrough,omitempty"`
	Captions    Captions `json:"captions,omitzero"`
}

// Latency trades bits for delay in the encoder.
type Latency string

// The latencies.
const (
	LatencyNormal Latency = "normal" // lookahead and B-pictures as the preset has them, bounded for live
	LatencyLow    Latency = "low"    // no lookahead, no B-pictures
)

// Container is what segments come in.
type Container string

// The containers. CMAF is always there.
const (
	CMAF   Container = ""
	MPEGTS Container = "ts" // MPEG-TS besides, for old players
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
	// SetID is the id of the encoder's parameter sets: another than those that stand beside them in the init section.
	SetID  int    `json:"set_id,omitempty"`
	Encode Encode `json:"encode,omitempty"`

	// What follows from the source, see For.
	Depth  int           `json:"depth,omitempty"` // bits per sample: 8 or 10; 0: 8
	Colour codecs.Colour `json:"colour,omitzero"` // as the stream says it; zero: it says nothing
}

// Source is what a ladder is resolved for.
type Source struct {
	Width, Height int           // in square pixels
	Depth         int           // bits per sample; 0 if unknown
	Colour        codecs.Colour // zero if not said
}

// For returns the ladder resolved for a source, and the names of the renditions that were left out because they are larger
// than the source. If all are larger, the smallest stays, at the source's size.
func (l Ladder) For(s Source) (Ladder, []string) {
	width, height := s.Width, s.Height
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
	resolved.keepSmallest()
	for i := range resolved.Video {
		v := &resolved.Video[i]
		v.Depth, v.Colour = s.depth(v.Codec), s.colour(v.Codec)
	}
	return resolved, leftOut
}

// depth returns the bits per sample of a rendition: ten pass through where players decode them. H.264's do not.
func (s Source) depth(c codecs.Codec) int {
	if s.Depth > 8 && c != codecs.H264 {
		return 10
	}
	return 8
}

// hdLines is from which height on players take pictures that do not say their colour for BT.709.
const hdLines = 720

// colour returns what a rendition says of its colour. A small rendition of an HD source says BT.709 even if the source says
// nothing: players would take it for BT.601, and colours would change with the rendition. HDR that does not pass through
// becomes BT.709 (tone mapping).
func (s Source) colour(c codecs.Codec) codecs.Colour {
	switch {
	case s.Colour.HDR() && s.depth(c) == 8:
		return codecs.BT709
	case !s.Colour.Known() && s.Height >= hdLines:
		return codecs.BT709
	case !s.Colour.Known():
		return codecs.Colour{}
	}
	out := s.Colour
	out.FullRange = false // the scaler makes limited range of it
	return out
}

// even rounds to the nearest even number, at least 2: 4:2:0 pictures have no other sizes.
func even(n int) int { return max((n+1)/2*2, 2) }

// Equal reports whether l and m ask for the same renditions on the same grid. How far back viewers can go may differ.
func (l Ladder) Equal(m Ladder) bool {
	return l.Segment == m.Segment && l.Part == m.Part && l.FrameRate == m.FrameRate && l.Latency == m.Latency &&
		l.Passthrough == m.Passthrough && l.Container == m.Container && slices.Equal(l.Video, m.Video) && slices.Equal(l.Audio, m.Audio) &&
		l.Captions.equal(m.Captions)
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
