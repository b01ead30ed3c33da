package transcode

import (
	"github.com/venuecast/venuecast/pipeline/grid"
)

// rateWindow knows how much a source has sent for the frames of the last segment's length.
type rateWindow struct {
	bytes []int64 // by frame, oldest first
	sum   int64
}

// add notes a frame; u may be nil. The window has n frames.
func (r *rateWindow) add(u *coded, n int64) {
	size := int64(0)
	if u != nil {
		size = int64(len(u.data))
	}
	if int64(len(r.bytes)) == n {
		r.sum -= r.bytes[0]
		r.bytes = append(r.bytes[:0], r.bytes[1:]...)
	}
	r.bytes, r.sum = append(r.bytes, size), r.sum+size
}

// over reports whether the source sends too much for a bitrate: a tenth above it while its pictures are passed, anything above
// it else, so that a source at the limit does not go to and fro. What is not known yet is not too much.
func (r *rateWindow) over(bitrate int64, g grid.Grid, passing bool) bool {
	if int64(len(r.bytes)) < g.StepFrames {
		return false
	}
	if passing {
		bitrate += bitrate / 10
	}
	return float64(8*r.sum) > float64(bitrate)*g.Step().Seconds()
}
