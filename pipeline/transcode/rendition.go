package transcode

import (
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
	picture codecs.Picture
}

// rendition is the stage that encodes one size and packs its parts. It owns the encoder.
type rendition struct {
	w     *Worker
	video ladder.Video
	queue *pipeline.Queue[framed]
	parts *pipeline.Queue[output]
	first int64 // the frame to begin with; negative: the first segment start that comes
}

// output is what goes to the origin: an initialization section or a part.
type output struct {
	init *pipeline.Init
	part *pipeline.Part
}

func (r *rendition) Name() string { return "rendition " + r.video.Name }

// wants reports whether the rendition shows this frame: one of half the rate has every second one.
func (r *rendition) wants(frame int64) bool {
	if frame%r.video.Divisor != 0 {
		return false
	}
	return r.first < 0 || frame >= r.first
}

func (r *rendition) Run(ctx context.Context) error {
	defer r.queue.Discard()
	defer r.parts.Close()
	enc, err := r.w.o.Video.NewEncoder(r.video, r.w.grid, r.w.o.Feed.Ladder.Latency)
	if err != nil {
		return fmt.Errorf("opening the encoder: %w", err)
	}
	defer enc.Close()
	pack, err := packager.NewVideo(r.w.grid, r.video, enc.ParameterSets())
	if err != nil {
		return err
	}
	if err := r.parts.Push(ctx, output{init: pack.Init()}, 0); err != nil {
		return err
	}
	return r.encode(ctx, enc, pack)
}

func (r *rendition) encode(ctx context.Context, enc Encoder, pack *packager.Video) error {
	started := false
	packed := func(p codecs.Packet) error {
		return pack.Add(p, func(part *pipeline.Part) error {
			return r.parts.Push(ctx, output{part: part}, int64(len(part.Data)))
		})
	}
	for {
		f, err := r.queue.Pop(ctx)
		if errors.Is(err, pipeline.ErrClosed) {
			return r.flush(ctx, enc, packed)
		}
		if err != nil {
			return err
		}
		if started || r.begins(f.frame) {
			err = enc.Encode(f.picture, f.frame, r.pictureType(f.frame, !started), packed)
			started = true
		}
		f.picture.Release()
		if err != nil {
			return fmt.Errorf("frame %d: %w", f.frame, err)
		}
	}
}

// flush puts out the last pictures of a feed that has ended; when the worker is to stop, they are its successor's.
func (r *rendition) flush(ctx context.Context, enc Encoder, packed func(codecs.Packet) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return enc.Flush(packed)
}

// begins reports whether the rendition can begin with this frame: where it is to resume, else at a segment start.
// When the frame to resume at is not on the bus any more, the next segment start will do: the origin lists the gap.
func (r *rendition) begins(frame int64) bool {
	return frame == r.first || frame == r.w.grid.PartFrame(r.w.grid.Segment(frame), 0)
}

// pictureType forces an IDR at each segment start and where the rendition begins, and a P-picture at the end of each part:
// so the pictures of a part are exactly those of its time, and a takeover can begin at any part.
func (r *rendition) pictureType(frame int64, first bool) codecs.PictureType {
	g := r.w.grid
	next := frame + r.video.Divisor
	switch {
	case first || frame == g.PartFrame(g.Segment(frame), 0):
		return codecs.TypeIDR
	case g.Part(next) != g.Part(frame):
		return codecs.TypeP
	}
	return codecs.TypeAuto
}
