package frames

import (
	"fmt"
	"slices"
	"time"

	"github.com/venuecast/venuecast/codecs/testcard"
)

// Frame is one decoded picture of a rendition.
type Frame struct {
	Shown    time.Time // EXT-X-PROGRAM-DATE-TIME of its segment and its offset in it
	Readable bool      // it has a bar; else the next fields are zero
	Number   uint32    // of the frame, as the camera counts
	Captured time.Time // when the camera took it, to the millisecond
	Flash    bool      // the card flashes
}

// Summary is what Check found.
type Summary struct {
	Frames     int `json:"frames"`
	Unreadable int `json:"unreadable"` // without a bar, or with a damaged one
	Missing    int `json:"missing"`    // numbers that were passed over
	Doubled    int `json:"doubled"`    // the number of the frame before once more
	Backward   int `json:"backward"`   // a lower number than the frame before

	// Shown less captured, in seconds: how far EXT-X-PROGRAM-DATE-TIME is off the camera's own clock.
	DateMedian float64 `json:"date_median"`
	DateMax    float64 `json:"date_max"` // the largest difference, in either direction

	Beeps int `json:"beeps"`
	// Sound less picture, in seconds, each measured against the second of capture it belongs to. Positive: sound is late.
	SoundMedian float64 `json:"sound_median"`
	SoundMax    float64 `json:"sound_max"` // the largest difference, in either direction
}

// InOrder reports whether every frame was readable and came once and in order.
func (s Summary) InOrder() bool {
	return s.Frames > 0 && s.Unreadable+s.Missing+s.Doubled+s.Backward == 0
}

// String returns the summary in one line.
func (s Summary) String() string {
	return fmt.Sprintf("%d frames: %d unreadable, %d missing, %d doubled, %d backward; "+
		"date off by %.0f ms, at most %.0f ms; %d beeps, late by %.1f ms, at most %.1f ms",
		s.Frames, s.Unreadable, s.Missing, s.Doubled, s.Backward,
		1e3*s.DateMedian, 1e3*s.DateMax, s.Beeps, 1e3*s.SoundMedian, 1e3*s.SoundMax)
}

// CheckOptions says what to expect.
type CheckOptions struct {
	// Step is by how much the numbers of neighbours differ: 2 in a rendition of half the frame rate. It defaults to 1.
	Step uint32
}

// Check goes through the pictures of a rendition, in order of presentation, and the times at which its beeps begin.
func Check(frames []Frame, beeps []time.Time, o CheckOptions) Summary {
	s := count(frames, max(o.Step, 1))
	offsets := dateOffsets(frames)
	s.DateMedian, s.DateMax = spread(offsets)
	picture := time.Duration(s.DateMedian * float64(time.Second))
	var late []time.Duration
	for _, b := range beeps {
		if flashed(frames, b) {
			late = append(late, b.Sub(second(b, picture))-picture)
		}
	}
	s.Beeps = len(late)
	s.SoundMedian, s.SoundMax = spread(late)
	return s
}

// count goes through the numbers.
func count(frames []Frame, step uint32) Summary {
	s := Summary{Frames: len(frames)}
	var last *Frame
	for i := range frames {
		f := &frames[i]
		switch {
		case !f.Readable:
			s.Unreadable++
			continue
		case last == nil:
		case f.Number == last.Number:
			s.Doubled++
		case f.Number < last.Number:
			s.Backward++
		default:
			s.Missing += int((f.Number - last.Number - 1) / step)
		}
		last = f
	}
	return s
}

func dateOffsets(frames []Frame) []time.Duration {
	var offsets []time.Duration
	for i := range frames {
		if frames[i].Readable {
			offsets = append(offsets, frames[i].Shown.Sub(frames[i].Captured))
		}
	}
	return offsets
}

// second returns the whole second of capture whose beep is heard at b, where pictures are shown late by this much.
func second(b time.Time, late time.Duration) time.Time {
	return b.Add(-late).Round(time.Second)
}

// flashed reports whether a picture that is shown within a flash's time of b is lit: a beep at the edge of a recording
// may have lost its pictures.
func flashed(frames []Frame, b time.Time) bool {
	for i := range frames {
		if off := frames[i].Shown.Sub(b); frames[i].Flash && off.Abs() <= testcard.FlashTime {
			return true
		}
	}
	return false
}

// spread returns the median and the largest magnitude, in seconds.
func spread(d []time.Duration) (median, largest float64) {
	if len(d) == 0 {
		return 0, 0
	}
	d = slices.Clone(d)
	slices.Sort(d)
	return d[len(d)/2].Seconds(), max(d[len(d)-1].Abs(), d[0].Abs()).Seconds()
}
