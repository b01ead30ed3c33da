package transcode

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/h264"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/packager"
)

// passage makes a rendition of the source's own coded pictures, and encodes where these do not fit.
//
// It passes from a random access unit that begins a segment, or comes in its first half, up to the first frame that does not
// fit; from there on it encodes the decoded pictures, beginning with an IDR. The init section holds both parameter sets, so
// players see one rendition without a discontinuity, and a successor may begin at any part as with any rendition.
type passage struct {
	r      *rendition         // whose encoder is open only while it is needed: its pictures take tens of megabytes
	source h264.ParameterSets // the source's, as they stand in the init section
	put    func(*pipeline.Part) error
	rate   rateWindow

	started bool
	passing bool
	held    int64  // frames without a picture since the last that was passed
	why     string // the first reason in this segment to encode; empty: all of it was passed
}

// What becomes of a segment of a rendition that the source's pictures may be.
const (
	SegmentPassed    = "passed"         // all of it is the source's own
	segmentNoPicture = "no_picture"     // the source was away, or its pictures cannot be decoded
	segmentNoAccess  = "no_idr"         // the segment does not begin with a random access picture of the source
	segmentResumed   = "resumed"        // the worker began in the middle of it
	segmentSets      = "parameter_sets" // the source has others than when the feed was defined
	segmentReordered = "b_pictures"
	segmentBitrate   = "bitrate" // the source sends more than the rendition may have
)

// maxHeld is how long a passed picture may last at most, in seconds: then repeats are encoded.
const maxHeld = 1

// run makes the rendition until its queue ends.
func (p *passage) run(ctx context.Context, sets []byte) (err error) {
	r := p.r
	p.source.Update(h264.NALUs(sets))
	if err := r.open(); err != nil {
		return err
	}
	if r.pack, err = packager.NewVideo(r.w.grid, r.video, slices.Concat(sets, r.sets)); err != nil {
		return err
	}
	if err := r.parts.Push(ctx, output{init: r.pack.Init()}, 0); err != nil {
		return err
	}
	r.close() // it was opened for its parameter sets
	p.put = func(part *pipeline.Part) error {
		return r.parts.Push(ctx, output{part: part}, int64(len(part.Data)))
	}
	for {
		f, err := r.queue.Pop(ctx)
		if errors.Is(err, pipeline.ErrClosed) {
			return r.flush(ctx, p.packed)
		}
		if err != nil {
			return err
		}
		if f.picture == nil {
			err = p.off(ctx, f)
		} else {
			err = p.take(f)
		}
		f.release()
		if err != nil {
			return fmt.Errorf("frame %d: %w", f.frame, err)
		}
	}
}

// off ends the rendition for a while. A segment has ended.
func (p *passage) off(ctx context.Context, f framed) error {
	if err := p.r.flush(ctx, p.packed); err != nil {
		return err
	}
	p.r.close()
	p.started, p.passing = false, false
	return p.r.skip(ctx, f)
}

func (p *passage) packed(pkt codecs.Packet) error { return p.r.pack.Add(pkt, p.put) }

// take puts out a frame: passed, held or encoded.
func (p *passage) take(f framed) error {
	if !p.started && !p.r.begins(f.frame) {
		return nil
	}
	g := p.r.w.grid
	at := f.frame - g.PartFrame(g.Segment(f.frame), 0)
	p.rate.add(f.unit, g.StepFrames)
	reason := p.reason(f, at)
	if at == 0 {
		p.why = ""
	}
	if reason != "" && !p.started && at > 0 {
		reason = segmentResumed
	}
	if reason != "" && p.why == "" {
		p.why = reason
	}
	err := p.frame(f, reason)
	p.started = true
	if at == g.StepFrames-1 {
		p.report()
	}
	return err
}

func (p *passage) frame(f framed, reason string) error {
	if reason != "" {
		return p.encode(f)
	}
	if err := p.pass(); err != nil {
		return err
	}
	if f.unit == nil {
		p.held++
		return p.r.pack.Hold(p.put)
	}
	p.held = 0
	return p.packed(codecs.Packet{PTS: f.frame, Key: f.unit.randomAccess, Data: f.unit.data})
}

// pass ends encoding. What the encoder still holds is before the unit to pass.
func (p *passage) pass() error {
	p.passing = true
	if p.r.encoder == nil {
		return nil
	}
	err := p.r.encoder.Flush(p.packed)
	p.r.close()
	return err
}

func (p *passage) encode(f framed) error {
	first := p.passing || !p.started
	p.passing = false
	if err := p.r.open(); err != nil {
		return err
	}
	return p.r.submit(f, first, p.packed)
}

// reason returns why a frame, the at-th of its segment, cannot be passed, "" if it can.
func (p *passage) reason(f framed, at int64) string {
	if f.unit == nil {
		return p.withoutUnit(f.frame)
	}
	if at == 0 || !p.passing {
		switch {
		case !f.unit.randomAccess:
			return segmentNoAccess
		case p.rate.over(p.r.video.Bitrate, p.r.w.grid, p.passing || !p.started):
			return segmentBitrate
		case at > p.r.w.grid.StepFrames/2: // not worth the bits of one more random access picture
			return segmentNoAccess
		}
	}
	switch err := p.source.CheckUnit(f.unit.data); {
	case errors.Is(err, h264.ErrReordered):
		return segmentReordered
	case err != nil:
		return segmentSets
	}
	return ""
}

// withoutUnit decides on a frame that has no picture of its own. While pictures are passed the one before lasts longer, but
// not into the next part, which would begin without a picture.
func (p *passage) withoutUnit(frame int64) string {
	g := p.r.w.grid
	beginsPart := frame == g.PartFrame(g.Segment(frame), g.Part(frame))
	if !p.passing || beginsPart || p.held >= g.FrameAt(g.Epoch+maxHeld*codecs.TicksPerSecond) {
		return segmentNoPicture
	}
	return ""
}

func (p *passage) report() {
	outcome := p.why
	if outcome == "" {
		outcome = SegmentPassed
	}
	p.r.w.o.Meter.Segment(p.r.video.Name, outcome)
}
