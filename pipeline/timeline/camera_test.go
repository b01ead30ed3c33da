package timeline_test

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/timeline"
)

var start = codecs.TicksAt(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))

const (
	second = codecs.Ticks(codecs.TicksPerSecond)
	milli  = second / 1000
)

// unit is what a simulated camera sends.
type unit struct {
	track    int
	rtp      uint32
	captured codecs.Ticks // the truth
	arrival  codecs.Ticks
	ntp      codecs.Ticks
}

// source is one track of a simulated camera.
type source struct {
	track  int
	rate   int64   // of the RTP clock
	period float64 // between units, in seconds of the camera's own clock
	ppm    float64 // by how much its RTP clock is fast
	first  uint32  // RTP time
	delay  codecs.Ticks
	jitter codecs.Ticks // of arrival: 0 to twice that much more
	units  int
}

func video(units int) source {
	return source{rate: 90000, period: 1.0 / 25, first: 12345, delay: 10 * milli, units: units}
}

func audio(units int) source {
	return source{track: 1, rate: 48000, period: 1024.0 / 48000, first: 777, delay: 10 * milli, units: units}
}

// play returns what the source sends, in the order of capture.
func (s source) play(from codecs.Ticks, r *rand.Rand) []unit {
	units := make([]unit, s.units)
	for i := range units {
		at := float64(i) * s.period
		captured := from + codecs.Ticks(at/(1+s.ppm/1e6)*codecs.TicksPerSecond)
		arrival := captured + s.delay
		if s.jitter > 0 {
			arrival += codecs.Ticks(r.Int64N(2 * int64(s.jitter)))
		}
		units[i] = unit{s.track, s.first + uint32(int64(at*float64(s.rate)+0.5)), captured, arrival, 0}
	}
	return inOrder(units)
}

// inOrder makes arrivals grow within a track, as on a TCP connection.
func inOrder(units []unit) []unit {
	for i := 1; i < len(units); i++ {
		units[i].arrival = max(units[i].arrival, units[i-1].arrival+milli/10)
	}
	return units
}

// merge returns the units of all tracks in the order of arrival.
func merge(tracks ...[]unit) []unit {
	all := slices.Concat(tracks...)
	slices.SortStableFunc(all, func(a, b unit) int { return int(a.arrival - b.arrival) })
	return all
}

// stamped is a unit with the time it was given.
type stamped struct {
	unit
	pts codecs.Ticks
}

func (s stamped) off() time.Duration { return (s.pts - s.captured).Duration() }

type counts map[timeline.Reason]int

func (c counts) count(r timeline.Reason) { c[r]++ }

var tracks = []timeline.Track{{Kind: codecs.Video, ClockRate: 90000}, {Kind: codecs.Audio, ClockRate: 48000}}

// stampAll returns the units that were given a place.
func stampAll(s *timeline.Session, units []unit) []stamped {
	var out []stamped
	for _, u := range units {
		if pts, ok := s.Stamp(u.track, u.rtp, u.arrival, u.ntp); ok {
			out = append(out, stamped{u, pts})
		}
	}
	return out
}

func only(track int, units []stamped) []stamped {
	return slices.DeleteFunc(slices.Clone(units), func(u stamped) bool { return u.track != track })
}

func mustGrid(rate codecs.Rational) grid.Grid {
	g, err := grid.New(rate, 2*time.Second, 320*time.Millisecond, start)
	if err != nil {
		panic(err)
	}
	return g
}

var grid25 = mustGrid(codecs.Rational{Num: 25, Den: 1})

func noise() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }
