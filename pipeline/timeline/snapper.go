package timeline

import (
	"math/bits"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/grid"
)

const (
	// lockIn is the number of units in which the snapper follows a change of the source's phase.
	lockIn = 16
	// youth is the number of units after which a phase is relied on: a new session needs about a second to settle.
	youth = 50
)

// SnapStats counts what the grid has done to a source.
type SnapStats struct {
	Doubled uint64 // units whose frame already had one
	Skipped uint64 // frames between the first and the last that no unit fell on
}

// Snapper assigns the units of a video track to frames of the feed's grid.
//
// It holds the phase of the source against the grid, so that a source that runs at the grid's rate keeps its frames one
// by one however near to the middle between two frames it lies. A slow drift moves the phase; when it is three
// quarters of a frame off, one frame is doubled or skipped, and the phase is a quarter off on the other side. The first
// two seconds after a start or a silence are for finding the phase.
// It is not safe for concurrent use.
type Snapper struct {
	grid  grid.Grid
	stats SnapStats

	phase codecs.Ticks // of the source: its PTS minus the times of its frames
	age   int64        // of the phase, in units; 0 before the first
	first int64        // the frame of the first unit
	head  int64        // the highest frame
	taken uint64       // bit i: frame head-i has a unit
}

// NewSnapper returns a Snapper for a valid grid.
func NewSnapper(g grid.Grid) *Snapper { return &Snapper{grid: g} }

// Snap returns the frame for a unit. Units come in decoding order; several may get the same frame, and the first is it.
func (s *Snapper) Snap(pts codecs.Ticks) int64 {
	if s.age == 0 {
		s.first = s.lock(pts)
		s.head, s.taken = s.first, 1
		return s.first
	}
	if pts-s.grid.FrameTime(s.head) > codecs.TicksPerSecond {
		k := s.lock(pts)
		s.take(k)
		return k
	}
	k := s.grid.FrameAt(pts - s.phase)
	s.follow(pts - s.phase - s.grid.FrameTime(k))
	s.take(k)
	return k
}

// Stats returns the counts so far.
func (s *Snapper) Stats() SnapStats { return s.stats }

// lock takes the phase from one unit: the first, or the first after a silence.
func (s *Snapper) lock(pts codecs.Ticks) (frame int64) {
	frame = s.grid.FrameAt(pts)
	s.phase, s.age = pts-s.grid.FrameTime(frame), 1
	return frame
}

// follow moves the phase towards what a unit's distance from its frame says, and over to the next frame at its limit.
func (s *Snapper) follow(residue codecs.Ticks) {
	s.age++
	s.phase += residue / codecs.Ticks(min(s.age, lockIn))
	frame := s.grid.FrameDuration()
	limit := frame * 3 / 4
	if s.age < youth {
		limit = frame * 9 / 16
	}
	if s.phase > limit {
		s.phase -= frame
	}
	if s.phase < -limit {
		s.phase += frame
	}
}

// take counts frame k as taken. With B-pictures it may be before the head, and before the first.
// A frame after the first is skipped when it leaves the window without a unit.
func (s *Snapper) take(k int64) {
	if k <= s.head {
		bit := uint64(1) << min(s.head-k, 64) // 0 beyond the window
		if s.taken&bit == bit {
			s.stats.Doubled++
		}
		s.taken |= bit
		return
	}
	ahead := k - s.head
	asked := ^uint64(0) >> (63 - min(s.head-s.first, 63)) // from the first on
	leaving := (asked &^ s.taken) >> (64 - min(ahead, 64))
	s.stats.Skipped += uint64(bits.OnesCount64(leaving)) + uint64(max(ahead-64, 0))
	s.taken, s.head = s.taken<<min(ahead, 64)|1, k
}
