// Package capacity knows how much a worker can encode, and whether one more feed fits.
//
// The unit is encoded pixels per second, summed over all renditions: at one preset the cost of a ladder follows its
// pixels closely. Pixels of other encoders and presets count as so many of x264 veryfast: see Weight. How many of them a
// processor can do is calibrated at start, and corrected by what the feeds cost.
package capacity

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

// Options is what a Worker needs. Without a word of a default, a field must be set.
type Options struct {
	Rate       float64 // encoded pixels per second of processor time, as calibrated
	Processors float64 // that the worker may use
	Spare      float64 // the share that is kept free, so that a busy scene makes no feed late. It defaults to 0.15.

	Now func() time.Time // It defaults to time.Now.
}

// Worker keeps account of one worker's feeds. Its methods may be called by several goroutines.
type Worker struct {
	o Options

	mu    sync.Mutex         // guards the fields below
	cost  float64            // processor seconds per encoded pixel
	feeds map[string]float64 // pixels per second of each feed that runs
	known map[string]float64 // and of each that was asked for
	trend trend
}

// settle is the time in which a measured cost takes the place of the one before, but for 1/e.
const settle = time.Minute

// New returns the account of a worker without feeds.
func New(o Options) (*Worker, error) {
	if !(o.Rate > 0) || !(o.Processors > 0) || math.IsInf(o.Rate, 0) || math.IsInf(o.Processors, 0) {
		return nil, fmt.Errorf("capacity of %v pixels per second on %v processors: want more than none", o.Rate, o.Processors)
	}
	if o.Spare == 0 {
		o.Spare = 0.15
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Worker{o: o, cost: 1 / o.Rate, feeds: map[string]float64{}, known: map[string]float64{}}, nil
}

// Pixels returns the pixels that a feed's renditions encode per second, weighed. Of those on demand it counts the largest:
// most feeds are watched by nobody, and a watched one mostly at one of them. What is more is overload, which is met when it comes.
func Pixels(f pipeline.Feed) float64 {
	l := f.Ladder
	// What is passed through is encoded only where the source fails, and then mostly as repeats and slate, which cost little.
	l.Video = slices.DeleteFunc(slices.Clone(l.Video), func(v ladder.Video) bool { return f.Passed(v.Name) != nil })
	asked := false // renditions are largest first
	l.Video = slices.DeleteFunc(l.Video, func(v ladder.Video) bool {
		spare := asked && v.Encode == ladder.EncodeOnDemand
		asked = asked || v.Encode == ladder.EncodeOnDemand
		return spare
	})
	return PixelsOf(l, float64(f.Grid.FrameRate.Num)/float64(f.Grid.FrameRate.Den))
}

// PixelsOf returns the pixels that a resolved ladder encodes per second at a frame rate, weighed.
func PixelsOf(l ladder.Ladder, rate float64) (pixels float64) {
	for _, v := range l.Video {
		pixels += Weight(v) * float64(v.Width) * float64(v.Height) * rate / float64(max(v.Divisor, 1))
	}
	return pixels
}

// Admit reports why a feed does not fit besides those that run, nil if it does. A worker without feeds takes any: late
// is better than dark.
func (w *Worker) Admit(f pipeline.Feed) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	need := Pixels(f)
	w.known[f.ID] = need
	free := w.total() - w.used()
	if len(w.feeds) == 0 || need <= free {
		return nil
	}
	return fmt.Errorf("it needs %s, %s of %s are free (%.0f %% are kept back)",
		megapixels(need), megapixels(max(free, 0)), megapixels(w.total()), 100*w.o.Spare)
}

func megapixels(p float64) string { return fmt.Sprintf("%.0f Mpixel/s", p/1e6) }

// Begin notes that a feed runs, End that it does so no more.
func (w *Worker) Begin(f pipeline.Feed) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.feeds[f.ID] = Pixels(f)
	w.known[f.ID] = w.feeds[f.ID]
}

// End notes that a feed runs no more.
func (w *Worker) End(feed string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.feeds, feed)
}

// Forget notes that a feed is not asked for any more: no room is wanted for one of its size.
func (w *Worker) Forget(feed string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.feeds, feed)
	delete(w.known, feed)
}

// Measured corrects the cost of a pixel: in the last interval a feed's process has used that much processor time and encoded
// that many pixels.
func (w *Worker) Measured(interval, processor time.Duration, pixels float64) {
	if interval <= 0 || processor <= 0 || !(pixels > 0) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	share := 1 - math.Exp(-float64(interval)/float64(settle))
	w.cost += (processor.Seconds()/pixels - w.cost) * share
}

// total returns what the worker can encode with the spare left, used what its feeds do. w.mu is held.
func (w *Worker) total() float64 { return w.o.Processors / w.cost * (1 - w.o.Spare) }

func (w *Worker) used() (pixels float64) {
	for _, p := range w.feeds {
		pixels += p
	}
	return pixels
}
