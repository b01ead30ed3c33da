package ingest

import (
	"context"
	"fmt"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/timeline"
)

// learner finds out size and frame rate of a source that the venue sees for the first time, and keeps its units meanwhile.
type learner struct {
	o       Options
	tracks  []Track
	seen    observation // with passthrough
	held    []event
	bytes   int
	picture Picture
	last    uint32 // RTP time of the picture before
	elapsed int64  // since the first, in units of the RTP clock
	times   []codecs.Ticks
}

// pictures is how many are measured before the frame rate is believed: about 1 s.
const pictures = 25

// take keeps an event and reports whether enough is known.
func (l *learner) take(e event) bool {
	if e.unit != nil && l.bytes+len(e.unit.Data) > queueBytes {
		l.o.Meter.Dropped(dropLearn, len(l.held))
		l.held, l.bytes = nil, 0
	}
	l.held = append(l.held, e)
	if e.unit == nil {
		return false
	}
	l.bytes += len(e.unit.Data)
	if !l.video(e.unit.Track) {
		return false
	}
	track := l.tracks[e.unit.Track]
	if e.unit.Picture.Width > 0 {
		l.picture = e.unit.Picture
	}
	if len(l.times) > 0 {
		l.elapsed += int64(int32(e.unit.RTP - l.last)) // RTP times wrap (RFC 3550 §5.1)
	}
	l.last = e.unit.RTP
	l.times = append(l.times, codecs.Ticks(codecs.MulDiv(l.elapsed, codecs.TicksPerSecond, int64(track.ClockRate))))
	if l.o.Ladder.Passthrough {
		l.seen.take(track.Format.Codec, e.unit, l.times[len(l.times)-1])
		if !l.seen.done() {
			return false
		}
	}
	return l.picture.Width > 0 && (l.o.Ladder.FrameRate.Valid() || len(l.times) >= pictures)
}

// frameRate returns the ladder's, else the measured one, else what the parameter sets say.
// Measuring comes first: parameter sets of cameras are often left at the factory's rate.
func (l *learner) frameRate() (codecs.Rational, error) {
	if l.o.Ladder.FrameRate.Valid() {
		return l.o.Ladder.FrameRate, nil
	}
	if r, ok := timeline.EstimateRate(l.times); ok {
		return r, nil
	}
	if l.picture.FrameRate.Valid() {
		return l.picture.FrameRate, nil
	}
	return codecs.Rational{}, fmt.Errorf("the camera's frame rate is not a usual one: set fps in the ladder of feed %s", l.o.ID)
}

// define makes the feed's description and stores it, once.
func (l *learner) define(ctx context.Context) (pipeline.Feed, error) {
	rate, err := l.frameRate()
	if err != nil {
		return pipeline.Feed{}, err
	}
	g, err := grid.New(rate, l.o.Ladder.Segment, l.o.Ladder.Part, codecs.TicksAt(l.o.Now()))
	if err != nil {
		return pipeline.Feed{}, err
	}
	resolved, leftOut := l.o.Ladder.For(ladder.Source{
		Width: l.picture.Width, Height: l.picture.Height, Depth: l.picture.Depth, Colour: l.picture.Colour,
	})
	for _, name := range leftOut {
		l.o.Log.Info("rendition is larger than the source and left out", "feed", l.o.ID, "rendition", name,
			"source", fmt.Sprintf("%dx%d", l.picture.Width, l.picture.Height))
	}
	asked := pipeline.Feed{ID: l.o.ID, Grid: g, Ladder: resolved, Asked: l.o.Ladder}
	if l.o.Ladder.Passthrough {
		asked = l.passOn(asked)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	f, err := l.o.Registry.Define(ctx, asked)
	if err != nil {
		return pipeline.Feed{}, fmt.Errorf("storing the description of feed %s: %w", l.o.ID, err)
	}
	l.o.Log.Info("feed is defined", "feed", f.ID, "frame_rate", f.Grid.FrameRate, "segment", f.Grid.Step(),
		"parts", f.Grid.Parts(), "renditions", len(f.Ladder.Video)+len(f.Ladder.Audio), "passthrough", f.Passthrough != nil)
	return f, nil
}

// passOn makes a feed one that passes the camera's pictures on, if that is possible, and says what would be better.
func (l *learner) passOn(f pipeline.Feed) pipeline.Feed {
	advice := "I-frame interval " + choice(f.Grid.Intervals())
	passed, err := l.passthrough(f)
	if err != nil {
		l.o.Log.Warn("camera cannot be passed through, all renditions are encoded", "feed", l.o.ID, "reason", err,
			"advice", "set the camera to H.264 without B-frames, constant frame rate, "+advice)
		return f
	}
	if interval, _ := l.seen.interval(f.Grid.FrameRate); 2*interval > passed.Grid.StepFrames {
		l.o.Log.Warn("camera is passed through only until its clock drifts by a picture, or it restarts", "feed", l.o.ID,
			"reason", fmt.Sprintf("its I-frame interval is %d pictures of a segment's %d", interval, passed.Grid.StepFrames),
			"advice", "set the camera to "+advice)
	}
	return passed
}

func choice(numbers []int64) string {
	text := fmt.Sprint(numbers[0])
	for _, n := range numbers[1:] {
		text += fmt.Sprint(" or ", n)
	}
	return text
}
