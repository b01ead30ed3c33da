package transcode

import (
	"context"
	"errors"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
)

// pusher is the stage that sends one rendition's parts to the origin, in order.
type pusher struct {
	w     *Worker
	name  string
	parts *pipeline.Queue[output]
}

func (p *pusher) Name() string { return "pushing " + p.name }

func (p *pusher) Run(ctx context.Context) error {
	defer p.parts.Discard()
	for {
		out, err := p.parts.Pop(ctx)
		if errors.Is(err, pipeline.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := p.put(ctx, out); err != nil {
			return err
		}
	}
}

func (p *pusher) put(ctx context.Context, out output) error {
	if out.init != nil {
		return p.w.o.Out.PutInit(ctx, *out.init)
	}
	if err := p.w.o.Out.PutPart(ctx, *out.part); err != nil {
		return err
	}
	g := p.w.grid
	due := g.FrameTime(g.PartFrame(out.part.MSN, out.part.Index+1))
	p.w.o.Meter.Put(*out.part, (codecs.TicksAt(p.w.o.Now()) - due).Duration())
	if out.part.Index+1 < g.Parts() {
		return nil
	}
	p.w.progress.stored(p.name, out.part.MSN)
	return nil
}
