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

// heard is a bundle of coded sound, or the news that time has come to sample silentTo without any.
type heard struct {
	bundle   *codecs.Bundle
	silentTo int64
}

// sound is the stage that decodes, places, encodes and packs one audio rendition. It owns both codecs.
type sound struct {
	w       *Worker
	audio   ladder.Audio
	samples int64 // of a coded frame
	queue   *pipeline.Queue[heard]
	parts   *pipeline.Queue[output]
	first   int64 // the frame to begin with; negative: the first segment start that comes

	decoder AudioDecoder
	format  codecs.Format
	encoder AudioEncoder
	pack    *packager.Audio
	placer  *placer
	lead    int64 // by how many samples blocks are later than frames, so that packets are where frames are
	block   int64 // number of the block that is encoded next; negative before the first
}

func (s *sound) Name() string { return "rendition " + s.audio.Name }

func (s *sound) Run(ctx context.Context) error {
	defer s.queue.Discard()
	defer s.parts.Close()
	enc, err := s.w.o.Audio.NewAudioEncoder(s.audio)
	if err != nil {
		return fmt.Errorf("opening the encoder: %w", err)
	}
	defer enc.Close()
	s.encoder, s.lead = enc, enc.Delay()%s.samples
	defer s.closeDecoder()
	if s.pack, err = packager.NewAudio(s.w.grid, s.audio, enc.Config()); err != nil {
		return err
	}
	if err := s.parts.Push(ctx, output{init: s.pack.Init()}, 0); err != nil {
		return err
	}
	s.placer, s.block = newPlacer(s.w.o.Meter.Samples), -1
	return s.encode(ctx)
}

func (s *sound) encode(ctx context.Context) error {
	for {
		h, err := s.queue.Pop(ctx)
		if errors.Is(err, pipeline.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.take(h); err != nil {
			return err
		}
		if err := s.put(ctx); err != nil {
			return err
		}
	}
}

func (s *sound) take(h heard) error {
	if h.bundle == nil {
		s.placer.silence(h.silentTo)
		return nil
	}
	if err := s.ready(h.bundle.Format); err != nil {
		return err
	}
	for _, u := range h.bundle.Units {
		at := s.w.grid.SampleAt(u.PTS)
		err := s.decoder.Decode(u, func(pcm codecs.PCM) error {
			s.placer.add(at, pcm)
			at += int64(pcm.Len())
			return nil
		})
		if errors.Is(err, codecs.ErrBadUnit) {
			s.w.o.Meter.Samples(reasonBad, s.samples)
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *sound) ready(f codecs.Format) error {
	if s.decoder != nil && s.format.Equal(f) {
		return nil
	}
	s.closeDecoder()
	d, err := s.w.o.Audio.NewAudioDecoder(f)
	if err != nil {
		return fmt.Errorf("opening a decoder for %v: %w", f.Codec, err)
	}
	s.decoder, s.format = d, f
	return nil
}

func (s *sound) closeDecoder() {
	if s.decoder != nil {
		s.decoder.Close()
		s.decoder = nil
	}
}

// put encodes the whole frames that are there.
func (s *sound) put(ctx context.Context) error {
	if s.block < 0 && !s.begin() {
		return nil
	}
	for {
		at := s.block*s.samples + s.lead
		pcm, ok := s.placer.take(at, int(s.samples))
		if !ok {
			return nil
		}
		err := s.encoder.Encode(pcm, at, func(p codecs.Packet) error {
			return s.packed(ctx, p)
		})
		if err != nil {
			return fmt.Errorf("audio frame %d: %w", s.block, err)
		}
		s.block++
	}
}

// begin chooses the first frame: where the rendition is to resume if that sound is still there, else the first segment
// start that comes. The encoder gets the pre-roll before it, so that its first frame is not faded in, and goes on where
// another encoder left off.
func (s *sound) begin() bool {
	start, ok := s.placer.start()
	if !ok {
		return false
	}
	g := s.w.grid
	if s.first < 0 || s.first*s.samples < start {
		msn, _ := g.AudioPlace(s.samples, codecs.CeilDiv(start, s.samples))
		s.first = g.AudioFrame(s.samples, msn+1, 0)
	}
	s.block = s.first - s.audio.PreRoll()
	return true
}

func (s *sound) packed(ctx context.Context, p codecs.Packet) error {
	j := codecs.FloorDiv(p.PTS, s.samples)
	if j < s.first {
		return nil // priming
	}
	return s.pack.Add(j, p.Data, func(part *pipeline.Part) error {
		return s.parts.Push(ctx, output{part: part}, int64(len(part.Data)))
	})
}
