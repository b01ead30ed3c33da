package transcode

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/packager"
)

// framed is a picture with its place on the grid. Whoever takes it from a queue releases the picture.
type framed struct {
	frame   int64
	step    int64          // frames that it is shown for
	picture codecs.Picture // nil: the rendition is off
	gap     bool           // and with this frame a part ends that is not made
	unit    *coded         // as the source coded it; nil when there is none, or when no rendition passes it
}

func (f framed) release() {
	if f.picture != nil {
		f.picture.Release()
	}
}

// rendition is the stage that encodes one size and packs its parts. It owns the encoder.
type rendition struct {
	w     *Worker
	video ladder.Video
	queue *pipeline.Queue[framed]
	parts *pipeline.Queue[output]
	first int64 // the frame to begin with; negative: the first segment start that comes

	encoder Encoder // nil while the rendition is off
	sets    []byte  // its parameter sets: every encoder of the rendition has the same, or the init section would not hold
	pack    *packager.Video
	started bool // the encoder has a picture
}

// output is what goes to the origin: an initialization section or a part.
type output struct {
	init *pipeline.Init
	part *pipeline.Part
}

func (r *rendition) Name() string { return "rendition " + r.video.Name }

// wants reports whether the rendition shows this frame when each picture is shown for step frames.
func (r *rendition) wants(frame, step int64) bool {
	if frame%step != 0 {
		return false
	}
	return r.first < 0 || frame >= r.first
}

func (r *rendition) Run(ctx context.Context) (err error) {
	defer r.queue.Discard()
	defer r.parts.Close()
	defer r.close()
	if s := r.w.o.Feed.Passed(r.video.Name); s != nil {
		return (&passage{r: r}).run(ctx, s.ParameterSets)
	}
	if err := r.open(); err != nil {
		return err
	}
	if r.pack, err = packager.NewVideo(r.w.grid, r.video, r.sets); err != nil {
		return err
	}
	if err := r.parts.Push(ctx, output{init: r.pack.Init()}, 0); err != nil {
		return err
	}
	if !r.rateOf(r.w.o.Plan).made() {
		r.close() // it was opened for its parameter sets
	}
	return r.encode(ctx)
}

// open opens the encoder if there is none.
func (r *rendition) open() error {
	if r.encoder != nil {
		return nil
	}
	enc, err := r.w.o.Video.NewEncoder(r.video, r.w.grid, r.latency())
	if err != nil {
		return fmt.Errorf("opening the encoder: %w", err)
	}
	r.encoder, r.started = enc, false
	sets := enc.ParameterSets()
	if r.sets != nil && !bytes.Equal(r.sets, sets) {
		return errors.New("opening the encoder again: its parameter sets are others than before")
	}
	r.sets = bytes.Clone(sets)
	return nil
}

// latency returns what the encoder is opened for. One that stands in for the source's own pictures must not hold any back: parts
// would stop for as long when it begins.
func (r *rendition) latency() ladder.Latency {
	if r.w.o.Feed.Passed(r.video.Name) != nil {
		return ladder.LatencyLow
	}
	return r.w.o.Feed.Ladder.Latency
}

func (r *rendition) close() {
	if r.encoder != nil {
		r.encoder.Close()
		r.encoder = nil
	}
}

func (r *rendition) encode(ctx context.Context) error {
	packed := func(p codecs.Packet) error {
		return r.pack.Add(p, func(part *pipeline.Part) error {
			return r.parts.Push(ctx, output{part: part}, int64(len(part.Data)))
		})
	}
	for {
		f, err := r.queue.Pop(ctx)
		if errors.Is(err, pipeline.ErrClosed) {
			return r.flush(ctx, packed)
		}
		if err != nil {
			return err
		}
		if f.picture == nil {
			if err := r.flush(ctx, packed); err != nil {
				return err
			}
			r.close()
			if err := r.skip(ctx, f); err != nil {
				return err
			}
			continue
		}
		err = r.take(f, packed)
		f.release()
		if err != nil {
			return fmt.Errorf("frame %d: %w", f.frame, err)
		}
	}
}

// skip tells the origin of a part that is not made: players must not wait for it.
func (r *rendition) skip(ctx context.Context, f framed) error {
	if !f.gap {
		return nil
	}
	return r.parts.Push(ctx, output{part: r.pack.Gap(f.frame)}, 0)
}

func (r *rendition) take(f framed, packed func(codecs.Packet) error) error {
	if err := r.open(); err != nil {
		return err
	}
	if !r.started && !r.begins(f.frame) {
		return nil
	}
	first := !r.started
	r.started = true
	r.pack.Step(r.w.grid.Segment(f.frame), f.step)
	return r.submit(f, first, packed)
}

// submit gives the encoder a picture. It waits for what comes of it only when that may complete a part: so no part is later than
// if it always did.
func (r *rendition) submit(f framed, first bool, packed func(codecs.Packet) error) error {
	pending, err := r.encoder.Submit(f.picture, f.frame, r.pictureType(f, first), packed)
	if err != nil || int64(pending) < r.pack.Missing() {
		return err
	}
	return r.encoder.Collect(packed)
}

// flush puts out what the encoder holds back; when the worker is to stop, those pictures are its successor's.
func (r *rendition) flush(ctx context.Context, packed func(codecs.Packet) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if r.encoder == nil {
		return nil
	}
	return r.encoder.Flush(packed)
}

// begins reports whether the rendition can begin with this frame: where it is to resume, else at a segment start.
// When the frame to resume at is not on the bus any more, the next segment start will do: the origin lists the gap.
func (r *rendition) begins(frame int64) bool {
	return frame == r.first || frame == r.w.grid.PartFrame(r.w.grid.Segment(frame), 0)
}

// pictureType forces an IDR at each segment start and where the rendition begins, and a P-picture at the end of each part:
// so the pictures of a part are exactly those of its time, and a takeover can begin at any part.
func (r *rendition) pictureType(f framed, first bool) codecs.PictureType {
	g := r.w.grid
	switch {
	case first || f.frame == g.PartFrame(g.Segment(f.frame), 0):
		return codecs.TypeIDR
	case g.Part(f.frame+f.step) != g.Part(f.frame):
		return codecs.TypeP
	}
	return codecs.TypeAuto
}
