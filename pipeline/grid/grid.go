// Package grid places segments and parts on the timeline of a feed.
//
// Everything here is integer arithmetic on frame numbers: frame k of a feed is shown at epoch + k frame durations,
// audio frame j of n samples covers the 48 kHz samples [n j, n (j+1)) since the epoch, and the Media Sequence Number of a
// frame is ⌊k / StepFrames⌋. So any process, on any day, computes the same cuts, numbers and names.
package grid

import (
	"errors"
	"fmt"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/aac"
)

// SampleRate is that of all audio that goes out.
const SampleRate = 48000

// AudioSamples is the length of an AAC frame (ISO/IEC 14496-3 §4.5.2.1.1). The lengths of segments are made for it, also
// where a rendition's frames are of another length.
const AudioSamples = aac.FrameSamples

// Grid is the constant cutting of one feed. It never changes in the life of a feed.
type Grid struct {
	Epoch      codecs.Ticks    `json:"epoch"`       // the zero of the feed's timeline
	FrameRate  codecs.Rational `json:"frame_rate"`  // pictures per second
	StepFrames int64           `json:"step_frames"` // pictures per segment
	PartFrames int64           `json:"part_frames"` // pictures per part; divides StepFrames
}

// New returns the grid whose lengths are nearest to the targets.
//
// Where 48 kHz AAC and whole pictures meet within the segment target, the segment is a multiple of that length, so that
// audio and video segments are equally long; elsewhere (29.97, 59.94) it is whole pictures, and audio segments vary by a frame.
// The part is the divisor of the segment that is nearest to its target.
func New(rate codecs.Rational, segment, part time.Duration, now codecs.Ticks) (Grid, error) {
	if err := checkTargets(rate, segment, part); err != nil {
		return Grid{}, err
	}
	g := Grid{FrameRate: rate}
	unit := meetingFrames(rate)
	if exact := nearestMultiple(rate, unit, segment); exact > 0 {
		g.StepFrames = exact
	} else {
		g.StepFrames = nearestMultiple(rate, 1, segment)
	}
	g.PartFrames = g.nearestDivisor(part)
	g.Epoch = epochBefore(now, g.stepSeconds())
	return g, g.Validate()
}

func checkTargets(rate codecs.Rational, segment, part time.Duration) error {
	switch {
	case !usable(rate):
		return fmt.Errorf("frame rate %v: want 1 to 240 pictures per second, as a fraction of numbers up to 1000000", rate)
	case segment < 500*time.Millisecond || segment > 10*time.Second:
		return fmt.Errorf("segment %v: want 500ms to 10s", segment)
	case part < 100*time.Millisecond || part > segment:
		return fmt.Errorf("part %v: want 100ms up to the segment's %v", part, segment)
	}
	return nil
}

// Validate reports what is wrong with a grid that came from outside.
func (g Grid) Validate() error {
	switch {
	case !usable(g.FrameRate):
		return errors.New("grid: frame rate out of range")
	case g.StepFrames < 1 || g.StepFrames > 10_000:
		return errors.New("grid: pictures per segment out of range")
	case g.PartFrames < 1 || g.StepFrames%g.PartFrames != 0:
		return errors.New("grid: a segment must be a whole number of parts")
	case g.Epoch < 0:
		return errors.New("grid: epoch before 1970")
	}
	return nil
}

// usable reports whether arithmetic with a frame rate stays within 63 bits.
func usable(r codecs.Rational) bool {
	return r.Valid() && r.Num <= 1_000_000 && r.Den <= 1_000_000 && r.Num >= r.Den && r.Num <= 240*r.Den
}

// meetingFrames returns the number of pictures after which a picture and an AAC frame begin at the same time.
func meetingFrames(rate codecs.Rational) int64 {
	// One picture is 48000·Den/Num samples; the meeting is the least k with k·48000·Den divisible by 1024·Num.
	n := codecs.NewRational(AudioSamples*rate.Num, SampleRate*rate.Den)
	return n.Num
}

// nearestMultiple returns the multiple of unit pictures nearest to the target, 0 if that is off by more than a half.
func nearestMultiple(rate codecs.Rational, unit int64, target time.Duration) int64 {
	frames := codecs.MulDivRound(int64(target), rate.Num, rate.Den*int64(time.Second))
	n := (frames + unit/2) / unit * unit
	if n == 0 && unit == 1 {
		n = 1
	}
	if 2*n > 3*frames || 3*n < 2*frames {
		return 0
	}
	return n
}

func (g Grid) nearestDivisor(part time.Duration) int64 {
	best := g.StepFrames
	for d := int64(1); d <= g.StepFrames; d++ {
		if g.StepFrames%d == 0 && (g.span(d)-part).Abs() < (g.span(best)-part).Abs() {
			best = d
		}
	}
	return best
}

// span returns the length of n pictures.
func (g Grid) span(n int64) time.Duration {
	return time.Duration(codecs.MulDiv(n*g.FrameRate.Den, int64(time.Second), g.FrameRate.Num))
}

func (g Grid) stepSeconds() codecs.Rational {
	return codecs.NewRational(g.StepFrames*g.FrameRate.Den, g.FrameRate.Num)
}

// standardUnit is a whole number of steps of each standard grid (1.92, 2.1333, 2.6667 and 2.002 s), in seconds:
// the feeds of a venue share one epoch although their frame rates differ.
const standardUnit = 96096

// epochBefore returns an instant one to two units before now that is a whole number of steps since the Unix epoch.
// The first Media Sequence Number is so above 0, which some players take for "absent".
func epochBefore(now codecs.Ticks, step codecs.Rational) codecs.Ticks {
	// unit / (Num/Den) is whole iff Num divides unit·Den, and Den shares no factor with Num.
	unit := standardUnit * codecs.NewRational(step.Num, standardUnit).Num // the least common multiple
	ticks := unit * codecs.TicksPerSecond
	return codecs.Ticks((codecs.FloorDiv(int64(now), ticks) - 1) * ticks)
}
