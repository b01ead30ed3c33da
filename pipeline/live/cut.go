package live

import (
	"fmt"
	"io"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/clip"
)

// Cut returns what a clip of the piece is made of: the named rendition, and sound if that is video.
// Without a name it is the largest video that is there, or sound. Begin and end are those of whole frames.
// It fails with ErrGone when nothing of it is there.
func (p *Past) Cut(rendition string) (clip.Cut, error) {
	g := p.view.feed.Grid
	end := min(p.view.frameBefore(p.to)+1, g.PartFrame(p.last+1, 0))
	cut := clip.Cut{
		From: g.FrameTime(p.view.frameAt(p.from)) - g.Epoch, To: g.FrameTime(end) - g.Epoch, Created: p.from,
	}
	main := p.find(func(r *Rendition) bool { return rendition == "" || r.name == rendition })
	if main == nil {
		return clip.Cut{}, fmt.Errorf("rendition %q: %w", rendition, ErrGone)
	}
	cut.Sources = append(cut.Sources, p.source(main))
	if main.kind == codecs.Video {
		if sound := p.find(func(r *Rendition) bool { return r.kind == codecs.Audio }); sound != nil {
			cut.Sources = append(cut.Sources, p.source(sound))
		}
	}
	return cut, nil
}

// find returns the first rendition of which something is there: video before audio, largest first.
func (p *Past) find(is func(*Rendition) bool) *Rendition {
	for _, r := range p.view.renditions {
		if is(r) && len(p.source(r).Segments) > 0 {
			return r
		}
	}
	return nil
}

func (p *Past) source(r *Rendition) clip.Source {
	piece := *p
	if r.kind == codecs.Audio {
		piece.first-- // what primes the decoder
	}
	snap := p.snapshots[r]
	var source clip.Source
	for _, s := range piece.of(snap) {
		if s.missing() {
			continue
		}
		open := func() (io.ReadCloser, error) { return snap.Segment(s.msn) }
		source.Segments = append(source.Segments, clip.Segment{Init: snap.inits[s.init].data, Open: open})
	}
	return source
}
