//go:build cgo

package main

import (
	"fmt"
	"math"
	"time"

	"github.com/venuecast/venuecast/cmd/internal/watch"
	"github.com/venuecast/venuecast/cmd/internal/watch/frames"
)

// figures are what one fault did to the output.
type figures struct {
	Fault string    `json:"fault"`
	Run   int       `json:"run"` // from 1
	At    time.Time `json:"at"`

	Segments int `json:"segments"` // watched, in all renditions
	Frames   int `json:"frames"`   // decoded, in all renditions

	// Of the playlists and media, in all renditions. Any but zero is a breach.
	Missing         int   `json:"missing"`         // segments that were never there, or could not be fetched
	Gaps            int64 `json:"gaps"`            // segments and parts that were announced as missing
	Doubled         int   `json:"doubled"`         // segments
	Changed         int   `json:"changed"`         // segments and parts, after they had been served
	Sequence        int   `json:"msn"`             // steps back of the Media Sequence Number
	Discontinuities int64 `json:"discontinuities"` // tags, and steps of the sequence
	HoleTicks       int64 `json:"hole_ticks"`      // between segments
	OverlapTicks    int64 `json:"overlap_ticks"`   // between segments
	Remade          int   `json:"remade"`          // segments that are not what their parts were, which players have had
	OtherFaults     int   `json:"other_faults"`    // breaches of the watcher's other rules, requests aside
	DecodeErrors    int   `json:"decode_errors"`   // lines that ffmpeg says about the recording

	// Of the pictures, in the rendition that fared worst.
	FramesMissing  int     `json:"frames_missing"`  // numbers that never came
	FramesDoubled  int     `json:"frames_doubled"`  // pictures that were shown again
	FramesBackward int     `json:"frames_backward"` // pictures out of order
	Unreadable     int     `json:"unreadable"`      // pictures without a bar: the slate, or damage
	Stale          float64 `json:"stale"`           // the longest time without a new picture, in seconds of media

	// In seconds, of the rendition that fared worst.
	NextPart    float64 `json:"next_part"`    // from the fault to the end of the pause in new parts that followed it
	LongestWait float64 `json:"longest_wait"` // the longest time without a new part
	CaughtUp    float64 `json:"caught_up"`    // from the fault until no part came late any more
	Back        float64 `json:"back"`         // from the camera's return to its first picture; 0 where it was not away

	HostStall float64 `json:"host_stall"` // the longest time for which the machine left this process waiting, in seconds

	Failed []string `json:"failed"` // the bounds that did not hold
}

// take adds the watcher's report.
func (f *figures) take(r watch.Report) {
	f.Missing, f.Doubled = r.Count(watch.Missing), r.Count(watch.Doubled)
	f.Changed, f.Sequence = r.Count(watch.Changed), r.Count(watch.Sequence)
	f.Discontinuities, f.Remade = int64(r.Count(watch.Discontinuity)), r.Count(watch.Parts)
	f.OtherFaults = r.Total() - r.Count(watch.HTTP) - f.Missing - f.Doubled - f.Changed - f.Sequence - int(f.Discontinuities) -
		r.Count(watch.Hole) - r.Count(watch.Overlap) - f.Remade
	for i := range r.Renditions {
		x := &r.Renditions[i]
		f.Segments += int(x.Segments)
		f.Discontinuities += x.Discontinuities
		f.Gaps += x.Gaps
		f.HoleTicks += x.HoleTicks
		f.OverlapTicks += x.OverlapTicks
		f.LongestWait = math.Max(f.LongestWait, round(x.LongestWait))
	}
}

// look adds the pictures of a rendition. Numbers begin again with the camera; the time of capture never goes back.
func (f *figures) look(list []frames.Frame) {
	var missing, doubled, backward, unreadable, run int
	var last *frames.Frame
	for i := range list {
		p := &list[i]
		isNew := false
		switch {
		case !p.Readable:
			unreadable++
		case last == nil:
			isNew = true
		case p.Captured.Before(last.Captured):
			backward++
		case p.Number == last.Number:
			doubled++
		default:
			isNew = true
			missing += int(max(int64(p.Number)-int64(last.Number)-1, 0))
		}
		if isNew {
			last, run = p, -1
		}
		run++
		f.Stale = math.Max(f.Stale, float64(run)/frameRate)
	}
	f.Frames += len(list)
	f.FramesMissing = max(f.FramesMissing, missing)
	f.FramesDoubled = max(f.FramesDoubled, doubled)
	f.FramesBackward = max(f.FramesBackward, backward)
	f.Unreadable = max(f.Unreadable, unreadable)
}

// bound notes a failure unless the condition holds.
func (f *figures) bound(holds bool, format string, args ...any) {
	if !holds {
		f.Failed = append(f.Failed, fmt.Sprintf(format, args...))
	}
}

// continuous checks what must hold for every fault: nothing is missing, doubled, changed or discontinuous.
func (f *figures) continuous() {
	f.bound(f.Segments > 0, "nothing was watched")
	f.bound(f.Missing == 0, "%d segments missing", f.Missing)
	f.bound(f.Gaps == 0, "%d gaps", f.Gaps)
	f.bound(f.Doubled == 0, "%d segments doubled", f.Doubled)
	f.bound(f.Changed == 0, "%d changed", f.Changed)
	f.bound(f.Sequence == 0, "the sequence went back %d times", f.Sequence)
	f.bound(f.Discontinuities == 0, "%d discontinuities", f.Discontinuities)
	f.bound(f.HoleTicks == 0 && f.OverlapTicks == 0, "%d ticks missing, %d doubled", f.HoleTicks, f.OverlapTicks)
	f.bound(f.OtherFaults == 0, "%d other faults", f.OtherFaults)
	f.bound(f.DecodeErrors == 0, "ffmpeg says %d lines", f.DecodeErrors)
	f.bound(f.FramesBackward == 0, "%d pictures out of order", f.FramesBackward)
}

// same checks that no segment was made anew.
func (f *figures) same() {
	f.bound(f.Remade == 0, "%d segments made anew", f.Remade)
}

// everyFrame checks that each picture is there exactly once.
func (f *figures) everyFrame() {
	f.bound(f.FramesMissing == 0, "%d pictures missing", f.FramesMissing)
	f.bound(f.FramesDoubled == 0, "%d pictures doubled", f.FramesDoubled)
	f.bound(f.Unreadable == 0, "%d pictures unreadable", f.Unreadable)
}

func round(seconds float64) float64 { return math.Round(seconds*1000) / 1000 }
