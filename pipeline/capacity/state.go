package capacity

import (
	"math"
	"time"

	"github.com/venuecast/venuecast/pipeline/ladder"
)

// State is a worker's capacity at one moment, in encoded pixels per second.
type State struct {
	Feeds   int            // that run
	Used    float64        // by them
	Total   float64        // with the spare left
	Largest float64        // of any feed that was asked for; 0: none was
	Fits    map[string]int // further ladders of each class
	// Full is the time until nothing is left at the present trend: that of the last ten minutes. Negative: never.
	Full time.Duration
}

// Class is a common ladder, for people to count in.
type Class struct {
	Name   string
	Pixels float64 // per second
}

// Classes returns the classes, largest first: the renditions of 2160, 1080, 720, 480 and 360 lines from the class's own
// down, at 25 pictures per second.
func Classes() []Class {
	sizes := []ladder.Video{
		{Width: 3840, Height: 2160},
		{Width: 1920, Height: 1080},
		{Width: 1280, Height: 720},
		{Width: 854, Height: 480},
		{Width: 640, Height: 360},
	}
	const rate = 25
	return []Class{
		{"2160p", PixelsOf(ladder.Ladder{Video: sizes}, rate)},
		{"1080p", PixelsOf(ladder.Ladder{Video: sizes[1:]}, rate)},
		{"720p", PixelsOf(ladder.Ladder{Video: sizes[2:]}, rate)},
	}
}

// State returns the present state, and takes it into the trend. It is meant to be called every few seconds.
func (w *Worker) State() State {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := State{Feeds: len(w.feeds), Used: w.used(), Total: w.total(), Fits: map[string]int{}}
	for _, p := range w.known {
		s.Largest = max(s.Largest, p)
	}
	for _, c := range Classes() {
		s.Fits[c.Name] = int(max(s.Total-s.Used, 0) / c.Pixels)
	}
	w.trend.add(w.o.Now(), s.Used/s.Total)
	s.Full = w.trend.until(1)
	return s
}

// trend is a straight line through the samples of the last ten minutes.
type trend struct{ samples []sample }

type sample struct {
	at    time.Time
	value float64
}

const (
	trendSpan   = 10 * time.Minute
	trendGap    = 5 * time.Second // samples closer than this are left out, so that there are 120 at most
	trendLeast  = time.Minute     // of samples, before they say anything
	never       = time.Duration(-1)
	farthestEnd = 30 * 24 * time.Hour
)

func (t *trend) add(at time.Time, value float64) {
	if n := len(t.samples); n > 0 && at.Sub(t.samples[n-1].at) < trendGap {
		return
	}
	for len(t.samples) > 0 && at.Sub(t.samples[0].at) > trendSpan {
		t.samples = append(t.samples[:0], t.samples[1:]...)
	}
	t.samples = append(t.samples, sample{at, value})
}

// until returns the time from the last sample until the line reaches a limit; never, if it does not rise.
func (t *trend) until(limit float64) time.Duration {
	if len(t.samples) == 0 {
		return never
	}
	first, last := t.samples[0], t.samples[len(t.samples)-1]
	if last.value >= limit {
		return 0
	}
	if last.at.Sub(first.at) < trendLeast {
		return never
	}
	slope := t.slope(first.at)
	if seconds := (limit - last.value) / slope; slope > 0 && seconds < farthestEnd.Seconds() {
		return time.Duration(seconds * float64(time.Second))
	}
	return never
}

// slope returns the rise per second by least squares.
func (t *trend) slope(origin time.Time) float64 {
	var n, x, y, xx, xy float64
	for _, s := range t.samples {
		at := s.at.Sub(origin).Seconds()
		n, x, y, xx, xy = n+1, x+at, y+s.value, xx+at*at, xy+at*s.value
	}
	if spread := n*xx - x*x; spread > 0 {
		return (n*xy - x*y) / spread
	}
	return math.NaN()
}
