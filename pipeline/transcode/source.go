package transcode

import (
	"context"
	"errors"
	"fmt"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
)

// Reader delivers a feed's records in order.
type Reader interface {
	// Next waits for the next record. ErrClosed means that none will come.
	Next(ctx context.Context) (pipeline.Record, error)
}

// source is the stage that reads records, decodes video once, conforms and scales it, and hands the sound on.
// It owns the decoder and the scalers.
type source struct {
	w       *Worker
	reader  Reader
	scalers []Scaler
	rates   []Rate      // of each rendition, in the segment that is shown
	spoken  []subtitles // likewise
	from    []int       // see cascade
	conform *conform
	decoder Decoder
	codec   codecs.Codec
	waiting bool   // for a random access unit
	epoch   uint64 // the highest seen: records of lower ones come from a writer that was replaced
	quiet   int64  // frame up to which time has been taken from our own clock
	end     int64  // the frame not to show any more; 0: none
	units   codedUnits
	left    bool // end is that of the part that was in progress when the worker was told to leave
	begun   bool // a frame was shown

	width, height int // of the newest picture; 0 before the first
}

func (s *source) Name() string { return "source" }

func (s *source) Run(ctx context.Context) (err error) {
	defer s.close()
	if err := s.open(ctx); err != nil {
		return err
	}
	for {
		rec, err := s.next(ctx)
		if errors.Is(err, pipeline.ErrClosed) {
			return s.drain()
		}
		if err != nil {
			return err
		}
		if err := s.take(ctx, rec); err != nil {
			return err
		}
		if s.ends() {
			return nil
		}
	}
}

// ends reports whether all is made that was to be, or the worker leaves and the part in progress is complete.
func (s *source) ends() bool {
	if s.w.leaving.Load() && !s.left {
		if s.conform.next < 0 {
			return true
		}
		g, last := s.w.grid, s.conform.next-1
		if end := g.PartFrame(g.Segment(last), g.Part(last)+1); s.end == 0 || end < s.end {
			s.end = end
		}
		s.left = true
	}
	return s.end != 0 && s.conform.next >= s.end
}

func (s *source) open(ctx context.Context) error {
	w := s.w
	for _, r := range w.renditions {
		sc, err := w.o.Video.NewScaler(r.video)
		if err != nil {
			return fmt.Errorf("opening the scaler of %s: %w", r.video.Name, err)
		}
		s.scalers = append(s.scalers, sc)
		s.rates, s.spoken = append(s.rates, r.rateOf(w.o.Plan)), append(s.spoken, subtitles{})
	}
	s.from, s.end = s.cascade(), w.o.Until
	s.conform = &conform{
		slate: s.drawSlate, slateAfter: w.grid.FrameAt(w.grid.Epoch + codecs.TicksPerSecond),
		count: w.o.Meter.Pictures, next: w.first,
		show: func(frame int64, p *shot) error { return s.show(ctx, frame, p) },
		late: s.rescue,
	}
	return nil
}

func (s *source) drawSlate() (*shot, error) {
	if len(s.w.renditions) == 0 {
		return newShot(nil, 0), nil
	}
	top := s.w.renditions[0].video
	p, err := s.w.o.Video.Slate(top.Width, top.Height, s.w.o.Feed.ID)
	if err != nil {
		return nil, fmt.Errorf("drawing the slate: %w", err)
	}
	return newShot(p, len(s.scalers)), nil
}

// next returns the next record. When the bus has been silent for the time limit, it makes one by the worker's own clock.
func (s *source) next(ctx context.Context) (pipeline.Record, error) {
	limited, cancel := context.WithTimeoutCause(ctx, s.w.o.BusSilence, errSilence)
	defer cancel()
	rec, err := s.reader.Next(limited)
	switch {
	case errors.Is(err, pipeline.ErrGap):
		s.waiting = true
		s.w.o.Meter.Pictures(reasonGap, 1)
		return pipeline.Record{Epoch: s.epoch}, nil
	case err == nil, !errors.Is(context.Cause(limited), errSilence):
		return rec, err
	}
	if s.conform.next < 0 {
		return pipeline.Record{Epoch: s.epoch}, nil
	}
	to := s.w.grid.FrameAt(codecs.TicksAt(s.w.o.Now().Add(-s.w.o.BusSilence)))
	s.w.o.Meter.Pictures(reasonSilence, max(to-max(s.conform.next, s.quiet), 0))
	s.quiet = max(s.quiet, to)
	return pipeline.Record{Epoch: s.epoch, Absence: &pipeline.Absence{From: s.conform.next, To: to}}, nil
}

var errSilence = errors.New("the bus is silent")

const reasonGap = "bus_gap" // records were missing: pictures up to the next random access unit are lost

const reasonSilence = "bus_silent" // a frame that was put out by the worker's own clock

func (s *source) take(ctx context.Context, rec pipeline.Record) error {
	if rec.Epoch < s.epoch {
		return nil
	}
	s.epoch = rec.Epoch
	switch {
	case rec.Claim:
		s.waiting = true
		return nil
	case rec.Absence != nil:
		return s.absence(ctx, *rec.Absence)
	case rec.Bundle == nil:
		return nil
	case rec.Bundle.Format.Codec.Kind() == codecs.Audio:
		return s.w.sound(ctx, rec.Bundle)
	}
	for _, u := range rec.Bundle.Units {
		if err := s.picture(rec, u); err != nil {
			return err
		}
	}
	return nil
}

func (s *source) picture(rec pipeline.Record, u codecs.AccessUnit) error {
	if len(s.scalers) == 0 || s.waiting && !u.RandomAccess {
		return nil
	}
	if u.RandomAccess {
		s.w.progress.randomAccess(rec.Seq, s.w.grid.FrameAt(u.PTS))
	}
	if err := s.ready(rec.Bundle.Format.Codec); err != nil {
		return err
	}
	s.waiting = false
	s.keep(u)
	err := s.decoder.Decode(u, s.decoded)
	if errors.Is(err, codecs.ErrBadUnit) {
		s.units.lose(s.w.grid.FrameAt(u.PTS))
		s.w.o.Meter.Pictures(reasonBad, 1)
		return nil
	}
	return err
}

// What a source may do to its decoder; output goes on.
const (
	reasonBad   = "undecodable"   // an access unit that the decoder refused
	reasonCodec = "codec_changed" // the first picture of another codec
	reasonSize  = "size_changed"  // the first picture of another size
)

// ready sees to it that there is a decoder for c. A camera that changes its codec gets a new one.
func (s *source) ready(c codecs.Codec) error {
	if s.decoder != nil && s.codec == c {
		return nil
	}
	if s.decoder != nil {
		s.w.o.Meter.Pictures(reasonCodec, 1)
		if err := s.decoder.Flush(s.decoded); err != nil {
			return err
		}
		s.decoder.Close()
		s.decoder = nil
	}
	d, err := s.w.o.Video.NewDecoder(c)
	if err != nil {
		return fmt.Errorf("opening a decoder for %v: %w", c, err)
	}
	s.decoder, s.codec = d, c
	return nil
}

func (s *source) decoded(p codecs.Picture, pts codecs.Ticks) error {
	if w, h := p.Size(); w != s.width || h != s.height {
		if s.width != 0 {
			s.w.o.Meter.Pictures(reasonSize, 1)
		}
		s.width, s.height = w, h
	}
	return s.conform.picture(s.w.grid.FrameAt(pts), newShot(p, len(s.scalers)))
}

// absence puts out the frames that have no picture, and tells the sound. The decoder is left as it is: after a stall the
// source goes on in the middle of its GOP.
func (s *source) absence(ctx context.Context, a pipeline.Absence) error {
	if err := s.conform.absent(a.From, a.To); err != nil {
		return err
	}
	return s.w.silence(ctx, a.To)
}

// show hands a frame to every rendition that has it at its frame rate.
func (s *source) show(ctx context.Context, frame int64, p *shot) error {
	if s.end != 0 && frame >= s.end {
		return nil
	}
	if err := s.obey(ctx, frame); err != nil {
		return err
	}
	if err := s.scale(frame, p); err != nil {
		return err
	}
	unit, captions := s.units.take(frame), p.captions()
	for i, r := range s.w.renditions {
		if !s.rates[i].made() {
			s.leaveOut(i, frame, captions)
			if err := s.gap(ctx, i, frame); err != nil {
				return err
			}
			continue
		}
		if !r.wants(frame, r.step(s.rates[i])) {
			s.leaveOut(i, frame, captions)
			continue
		}
		sized, err := p.size(i, s.scalers, s.from)
		if err != nil {
			return fmt.Errorf("scaling to %s: %w", r.video.Name, err)
		}
		ref := sized.Retain()
		s.spoken[i].give(ref, p, captions)
		if err := r.queue.Push(ctx, framed{frame: frame, step: r.step(s.rates[i]), picture: ref, unit: unit}, 1); err != nil {
			ref.Release()
			return err
		}
	}
	s.w.thumbnails.take(frame, p)
	return nil
}

// keep keeps a unit for the rendition that may pass it on. The unit may be of another codec.
func (s *source) keep(u codecs.AccessUnit) {
	if s.w.o.Feed.Passthrough == nil {
		return
	}
	if s.codec != codecs.H264 {
		s.units.lose(-1)
		return
	}
	s.units.add(s.w.grid.FrameAt(u.PTS), u)
}

// gap tells a rendition that is off of the part that ends with frame, if one does.
func (s *source) gap(ctx context.Context, rendition int, frame int64) error {
	if s.rates[rendition] == RateIdle {
		return nil
	}
	r := s.w.renditions[rendition]
	if g := s.w.grid; g.Part(frame+1) == g.Part(frame) && g.Segment(frame+1) == g.Segment(frame) {
		return nil
	}
	return r.queue.Push(ctx, framed{frame: frame, gap: true}, 1)
}

func (s *source) drain() error {
	if s.decoder == nil {
		return nil
	}
	if err := s.decoder.Flush(s.decoded); err != nil && !errors.Is(err, codecs.ErrBadUnit) {
		return err
	}
	return nil
}

// close ends the stage: the renditions and the sound end when they have taken what is in their queues.
func (s *source) close() {
	for _, r := range s.w.renditions {
		r.queue.Close()
	}
	for _, a := range s.w.sounds {
		a.queue.Close()
	}
	s.w.thumbnails.queue.Close()
	if s.decoder != nil {
		s.decoder.Close()
	}
	if s.conform != nil {
		s.conform.close()
	}
	for _, sc := range s.scalers {
		sc.Close()
	}
}
