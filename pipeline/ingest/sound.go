package ingest

import (
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

// sound bundles audio frames, because the bus costs per message, and makes the silence of a camera without sound:
// so a worker never has to guess whether sound will come.
type sound struct {
	grid    grid.Grid
	span    codecs.Ticks // the length from which a bundle is published; 0: each frame goes by itself
	pending codecs.Bundle
	heard   bool         // the source has sent sound
	covered codecs.Ticks // the time up to which sound or silence was published or is pending
}

const (
	// bundleSpan is the length from which a bundle is published, unless the feed's latency is low: with video that has no
	// lookahead, sound would come 0.1 s after it.
	bundleSpan = codecs.TicksPerSecond / 10
	// patience is how far sound that has been heard may stay behind the picture before silence takes its place.
	patience = codecs.TicksPerSecond
	// silenceUnit is the length of one frame of silence: 20 ms of G.711.
	silenceUnit = codecs.TicksPerSecond / 50
)

// silent is the format of made silence: 8 kHz G.711 µ-law, in which 0xFF is zero (ITU-T G.711 table 2a).
var silent = codecs.Format{Codec: codecs.PCMU, SampleRate: 8000, Channels: 1}

var silentFrame = func() []byte {
	b := make([]byte, 8000/50)
	for i := range b {
		b[i] = 0xFF
	}
	return b
}()

func newSound(f *pipeline.Feed) sound {
	s := sound{grid: f.Grid, span: bundleSpan}
	if f.Ladder.Latency == ladder.LatencyLow {
		s.span = 0
	}
	return s
}

// add takes a frame and returns the bundles that are complete.
func (s *sound) add(f codecs.Format, u codecs.AccessUnit) (out []codecs.Bundle) {
	s.heard = true
	if len(s.pending.Units) > 0 && !s.pending.Format.Equal(f) {
		out = s.flush()
	}
	s.pending.Format = f
	s.pending.Units = append(s.pending.Units, u)
	s.covered = max(s.covered, u.PTS)
	if u.PTS-s.pending.Units[0].PTS >= s.span {
		out = append(out, s.flush()...)
	}
	return out
}

// until returns silence for a picture at pts, if sound is missing there.
func (s *sound) until(pts codecs.Ticks) (out []codecs.Bundle) {
	limit := pts
	if s.heard {
		limit -= patience
	}
	if s.covered == 0 {
		s.covered = pts
		return nil
	}
	if limit-s.covered < bundleSpan {
		return nil
	}
	out = s.flush()
	b := codecs.Bundle{Format: silent}
	for ; s.covered+silenceUnit <= limit && len(b.Units) < int(time.Second/(20*time.Millisecond)); s.covered += silenceUnit {
		b.Units = append(b.Units, codecs.AccessUnit{PTS: s.covered, RandomAccess: true, Data: silentFrame})
	}
	return append(out, b)
}

// absent says that an absence up to t was published: it stands for silence, too.
func (s *sound) absent(t codecs.Ticks) { s.covered = max(s.covered, t) }

// flush returns what is pending.
func (s *sound) flush() []codecs.Bundle {
	if len(s.pending.Units) == 0 {
		return nil
	}
	b := s.pending
	s.pending = codecs.Bundle{}
	return []codecs.Bundle{b}
}
