package transcode

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
)

// Options is what a Worker needs. Without a word of a default, a field must be set.
type Options struct {
	Feed   pipeline.Feed
	Epoch  uint64         // of this worker's claim on the feed
	Resume pipeline.State // what the origin wants next; empty: begin at the next segment

	Video VideoEngine
	Audio AudioEngine
	Open  func(ctx context.Context) (Reader, error) // the reader, at a place from which Resume can be decoded
	Out   Origin
	Meter Meter
	// Thumbnails, if not nil, are made besides.
	Thumbnails *Thumbnails
	// Done is called once per segment, when the origin has it in every rendition: from the record seq on, everything after
	// segment msn can be decoded. It may be nil. While it works, newer calls replace each other.
	Done func(ctx context.Context, seq uint64, msn int64) error
	// Plan is how much of each rendition is encoded at first: see SetPlan.
	Plan Plan
	// Until is the frame before which the worker ends; 0: it goes on.
	Until int64
	// Switched is called when a video rendition goes over to another rate with segment msn. It may be nil. It must not block.
	Switched func(rendition string, msn int64, rate Rate)

	Now        func() time.Time // It defaults to time.Now.
	Pictures   int              // how many pictures wait for each encoder, besides those that it has taken. It defaults to 1.
	BusSilence time.Duration    // after it the worker goes on by its own clock. It defaults to 3 s.
	Drain      time.Duration    // how long the part in progress may take to be finished at the end. It defaults to 2 s.
}

// Origin takes what the worker makes. Its methods retry by themselves; pipeline.ErrFenced means that another has taken over.
type Origin interface {
	PutInit(ctx context.Context, i pipeline.Init) error
	PutPart(ctx context.Context, p pipeline.Part) error
}

// Meter takes measurements. Its methods are called from several goroutines and must not block.
type Meter interface {
	// Pictures counts video frames that did not go their plain way.
	Pictures(reason string, n int64)
	// Samples counts audio samples that did not go their plain way.
	Samples(reason string, n int64)
	// Segment says what became of a segment of a rendition that the source's own pictures may be: SegmentPassed, or the
	// reason for which at least a piece of it was encoded.
	Segment(rendition, outcome string)
	// Put says that the origin has taken a part, or knows of a gap, and how long after the last of its pictures was due.
	Put(p pipeline.Part, late time.Duration)
}

// Worker transcodes one feed.
type Worker struct {
	o          Options
	grid       grid.Grid
	first      int64 // the frame that any rendition needs first; negative: none in particular
	renditions []*rendition
	sounds     []*sound
	pushers    []*pusher
	thumbnails *thumbnails
	progress   *progress
	planned    planned
	leaving    atomic.Bool // the part in progress is the last
}

// partsQueued is how many parts wait for the origin, per rendition: two segments' worth.
func partsQueued(g grid.Grid) int { return 2 * g.Parts() }

// New returns a worker for a feed. Nothing runs before Run.
func New(o Options) (*Worker, error) {
	if err := o.Feed.Validate(); err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Pictures == 0 {
		o.Pictures = 1
	}
	if o.BusSilence == 0 {
		o.BusSilence = 3 * time.Second
	}
	if o.Drain == 0 {
		o.Drain = 2 * time.Second
	}
	if o.Switched == nil {
		o.Switched = func(string, int64, Rate) {}
	}
	w := &Worker{o: o, grid: o.Feed.Grid, first: -1, planned: planned{plan: o.Plan, begun: -1}}
	w.addVideo()
	w.addAudio()
	w.thumbnails = newThumbnails(w, o.Thumbnails)
	w.progress = newProgress(w.grid, o.Feed.Ladder.Names(), o.Done)
	for _, r := range w.renditions {
		if !r.rateOf(o.Plan).made() {
			w.progress.switched(r.video.Name, 0, false)
		}
	}
	return w, nil
}

func (w *Worker) addVideo() {
	for _, v := range w.o.Feed.Ladder.Video {
		if v.Divisor < 1 || w.grid.PartFrames%v.Divisor != 0 {
			v.Divisor = 1 // parts of this rendition would not end where the others' do
		}
		r := &rendition{w: w, video: v, first: -1, queue: pipeline.NewQueue(w.o.Pictures, 0, framed.release), parts: w.pusher(v.Name)}
		if p, ok := w.o.Resume[v.Name]; ok && r.rateOf(w.o.Plan).made() {
			r.first = w.grid.PartFrame(p.MSN, p.Part)
			w.needs(r.first)
		}
		w.renditions = append(w.renditions, r)
	}
}

func (w *Worker) addAudio() {
	for _, a := range w.o.Feed.Ladder.Audio {
		s := &sound{
			w: w, audio: a, samples: a.FrameSamples(), first: -1,
			queue: pipeline.NewQueue[heard](64, 0, nil), parts: w.pusher(a.Name),
		}
		if p, ok := w.o.Resume[a.Name]; ok {
			s.first = w.grid.AudioFrame(s.samples, p.MSN, p.Part)
		}
		w.sounds = append(w.sounds, s)
	}
}

func (w *Worker) pusher(name string) *pipeline.Queue[output] {
	q := pipeline.NewQueue[output](partsQueued(w.grid), 0, nil)
	w.pushers = append(w.pushers, &pusher{w: w, name: name, parts: q})
	return q
}

func (w *Worker) needs(frame int64) {
	if w.first < 0 || frame < w.first {
		w.first = frame
	}
}

// First returns the time from which a worker that resumes must be able to decode, false if any place will do.
func First(f pipeline.Feed, resume pipeline.State) (first codecs.Ticks, ok bool) {
	for _, v := range f.Ladder.Video {
		if p, there := resume[v.Name]; there {
			if t := f.Grid.FrameTime(f.Grid.PartFrame(p.MSN, p.Part)); !ok || t < first {
				first, ok = t, true
			}
		}
	}
	return first, ok
}

// Run transcodes until the context ends, the bus closes, or another worker takes over (pipeline.ErrFenced).
// When the context ends it finishes the part in progress, so that a successor begins with the next.
// No native object is left when it returns.
func (w *Worker) Run(ctx context.Context) error {
	reader, err := w.o.Open(ctx)
	if err != nil {
		return fmt.Errorf("opening the feed's records: %w", err)
	}
	stages := []pipeline.Stage{&source{w: w, reader: reader, waiting: true}, w.thumbnails}
	for _, r := range w.renditions {
		stages = append(stages, r)
	}
	for _, s := range w.sounds {
		stages = append(stages, s)
	}
	for _, p := range w.pushers {
		stages = append(stages, p)
	}
	ended := make(chan struct{})
	media := pipeline.Func("media", func(ctx context.Context) error {
		defer close(ended)
		defer close(w.progress.checkpoint)
		return pipeline.Run(ctx, stages...)
	})
	leave := pipeline.Func("leaving", func(context.Context) error { return w.leave(ctx, ended) })
	if err := pipeline.Run(context.WithoutCancel(ctx), media, w.progress, leave); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// leave lets the worker finish its part when ctx ends, and ends it when that takes too long.
func (w *Worker) leave(ctx context.Context, ended <-chan struct{}) error {
	select {
	case <-ctx.Done():
	case <-ended:
		return nil
	}
	w.leaving.Store(true)
	limit := time.NewTimer(w.o.Drain)
	defer limit.Stop()
	select {
	case <-limit.C:
		return context.Cause(ctx)
	case <-ended:
		return nil
	}
}

// sound hands coded sound to every audio rendition.
func (w *Worker) sound(ctx context.Context, b *codecs.Bundle) error {
	for _, s := range w.sounds {
		if err := s.queue.Push(ctx, heard{bundle: b}, 1); err != nil {
			return err
		}
	}
	return nil
}

// silence tells every audio rendition that time has come to a frame without sound.
func (w *Worker) silence(ctx context.Context, to int64) error {
	for _, s := range w.sounds {
		if err := s.queue.Push(ctx, heard{silentTo: w.grid.SampleAt(w.grid.FrameTime(to))}, 1); err != nil {
			return err
		}
	}
	return nil
}
