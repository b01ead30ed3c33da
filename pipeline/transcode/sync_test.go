package transcode

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/timeline"
)

// TestSoundStaysWithinAPictureOfItsOwnForHalfAnHour simulates the whole way: a camera whose audio clock is off, jitter on
// the network, the timeline of the ingest, and the placing of samples in the worker.
func TestSoundStaysWithinAPictureOfItsOwnForHalfAnHour(t *testing.T) {
	for name, ppm := range map[string]float64{"slow": -200, "exact": 0, "fast": 200} {
		t.Run(name, func(t *testing.T) {
			const picture = 40 * time.Millisecond
			h := newHall(ppm)
			for range 25 * 60 * 30 {
				h.picture()
			}
			t.Logf("at most %v off", h.worst)
			require.Less(t, h.worst, picture)
			require.Zero(t, h.counts[reasonOverlap]+h.counts[reasonSilent], "drift is slewed, never cut")
		})
	}
}

// hall is a camera and the way of its pictures and sound, up to where they are placed.
type hall struct {
	begin   codecs.Ticks
	random  *rand.Rand
	session *timeline.Session
	grid    grid.Grid
	placer  *placer
	counts  map[string]int64
	ppm     float64 // by how much the clock of its sound is fast

	pictures, blocks int64
	late             codecs.Ticks // of the latest picture: PTS less capture
	worst            time.Duration
}

func newHall(ppm float64) *hall {
	h := &hall{
		begin: codecs.TicksAt(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)), random: rand.New(rand.NewPCG(1, 2)), //nolint:gosec // a simulation
		session: timeline.New(timeline.Options{}).Session([]timeline.Track{
			{Kind: codecs.Video, ClockRate: 90000}, {Kind: codecs.Audio, ClockRate: 48000},
		}),
		counts: map[string]int64{}, ppm: ppm,
	}
	h.grid = grid.Grid{Epoch: h.begin, FrameRate: codecs.Rational{Num: 25, Den: 1}, StepFrames: 48, PartFrames: 8}
	h.placer = newPlacer(counted(h.counts))
	return h
}

// arrival is when what was captured comes in.
func (h *hall) arrival(captured codecs.Ticks) codecs.Ticks {
	return captured + codecs.TicksPerSecond/100 + codecs.Ticks(h.random.Int64N(codecs.TicksPerSecond/25))
}

// picture captures a picture, and before it the sound up to it.
func (h *hall) picture() {
	captured := h.begin + codecs.Ticks(h.pictures)*codecs.TicksPerSecond/25
	for h.captured() < captured {
		h.block(captured)
	}
	if pts, ok := h.session.Stamp(0, uint32(h.pictures*3600), h.arrival(captured), 0); ok {
		h.late = h.grid.FrameTime(h.grid.FrameAt(pts)) - captured
	}
	h.pictures++
}

// captured is when the next block of sound begins, by the true clock.
func (h *hall) captured() codecs.Ticks {
	return h.begin + codecs.Ticks(float64(h.blocks*1024)/48000/(1+h.ppm/1e6)*codecs.TicksPerSecond)
}

// block captures 1024 samples and holds their place in the output against that of the pictures.
func (h *hall) block(now codecs.Ticks) {
	captured := h.captured()
	pts, ok := h.session.Stamp(1, uint32(h.blocks*1024), h.arrival(captured), 0)
	h.blocks++
	if !ok {
		return
	}
	pcm := codecs.PCM{make([]float32, 1024), make([]float32, 1024)}
	h.placer.add(h.grid.SampleAt(pts), pcm)
	placed := h.grid.SampleTime(h.placer.end()-1024) - captured
	if settled := h.begin + 2*codecs.TicksPerSecond; now > settled {
		h.worst = max(h.worst, (placed - h.late).Duration().Abs())
	}
	_, _ = h.placer.take(h.placer.end()-1024, 1024)
}
