package grid

import (
	"fmt"
	"time"

	"github.com/venuecast/venuecast/codecs"
)

// ForSource returns the grid for a source that has a random access picture every interval pictures, so that each segment can
// begin with one: like New, but that the segment is a whole number of intervals, and if possible one on which audio and video
// meet. Where the first segment begins is the caller's business: see Shifted.
func ForSource(rate codecs.Rational, segment, part time.Duration, interval int64, now codecs.Ticks) (Grid, error) {
	if err := checkTargets(rate, segment, part); err != nil {
		return Grid{}, err
	}
	if interval < 1 || interval > 10_000 {
		return Grid{}, fmt.Errorf("random access pictures every %d pictures: want 1 to 10000", interval)
	}
	g := Grid{FrameRate: rate}
	unit := meetingFrames(rate)
	both := interval * codecs.NewRational(unit, interval).Num // the least common multiple
	if g.StepFrames = nearestMultiple(rate, both, segment); g.StepFrames == 0 {
		g.StepFrames = nearestMultiple(rate, interval, segment)
	}
	if g.StepFrames == 0 {
		return Grid{}, fmt.Errorf("no segment near %v is a whole number of %d pictures", segment, interval)
	}
	g.PartFrames = g.nearestDivisor(part)
	if length := g.span(g.PartFrames); length > 2*part || 2*length < part {
		return Grid{}, fmt.Errorf("a segment of %d pictures cannot be cut in parts near %v", g.StepFrames, part)
	}
	g.Epoch = epochBefore(now, g.stepSeconds())
	return g, g.Validate()
}

// Shifted returns the grid with its epoch later by a number of frames.
func (g Grid) Shifted(frames int64) Grid {
	g.Epoch = g.FrameTime(frames)
	return g
}

// Following returns the grid with an epoch by which Media Sequence Numbers go on where those of an earlier grid of the same feed
// were: they never go back, and with the same phase of segments they are the same function of time. Segments of other lengths
// have other numbers: then the grid stays as it is.
func (g Grid) Following(before Grid) Grid {
	if g.FrameRate != before.FrameRate || g.StepFrames != before.StepFrames || before.Epoch > g.Epoch {
		return g
	}
	frames := before.FrameAt(g.Epoch)
	phase := frames - before.Segment(frames)*before.StepFrames
	if phase > 0 {
		phase -= before.StepFrames // an earlier epoch: numbers are higher by one, not lower
	}
	if before.FrameTime(phase) < 0 {
		return g
	}
	g.Epoch = before.FrameTime(phase)
	return g
}

// Intervals returns the intervals of random access pictures, in pictures, that a camera is best set to: a quarter and a half of a
// segment where these are whole. When the camera's clock has drifted by some pictures, each segment still has one in its first half.
func (g Grid) Intervals() (intervals []int64) {
	for _, pieces := range []int64{4, 2} {
		if g.StepFrames%pieces == 0 {
			intervals = append(intervals, g.StepFrames/pieces)
		}
	}
	if intervals == nil {
		intervals = append(intervals, g.StepFrames)
	}
	return intervals
}
