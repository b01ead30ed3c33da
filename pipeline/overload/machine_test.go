package overload_test

import (
	"math"
	"time"

	"github.com/venuecast/venuecast/pipeline/overload"
	"github.com/venuecast/venuecast/pipeline/transcode"
)

// machine is a worker that can do so much per second, shared by its feeds as the kernel does: by weight among those that
// have something to do. Its clock is its own.
type machine struct {
	capacity float64
	blind    bool    // it does not show how busy it is
	others   float64 // the share of its processors that others use, if nobody else wants it
	c        *overload.Controller
	now      time.Time
	feeds    []*running
	steps    []overload.Decision
	used     float64 // in the second that is over
}

// running is a feed with what its process is at.
type running struct {
	overload.Feed
	weight  float64
	at      time.Time      // made up to here
	plan    transcode.Plan // as told
	holds   transcode.Plan // since the segment began
	idle    float64
	worst   time.Duration // the most it was behind
	lowered bool
}

const tick = 20 * time.Millisecond

var start = time.Unix(1_000_000, 0)

func newMachine(capacity float64, feeds ...overload.Feed) *machine {
	m := &machine{capacity: capacity, c: overload.New(overload.Options{}), now: start}
	var all []int
	for _, f := range feeds {
		all = append(all, f.Priority)
	}
	weights := map[int]float64{0: 1024, 5: 335, 10: 110} // sched_prio_to_weight of the kernel
	for _, f := range feeds {
		m.feeds = append(m.feeds, &running{Feed: f, weight: weights[overload.Nice(f.Priority, all)], at: m.now})
	}
	return m
}

// run lets time pass, and looks once a second.
func (m *machine) run(d time.Duration) {
	for end := m.now.Add(d); m.now.Before(end); {
		m.used = 0
		for range time.Second / tick {
			m.work()
		}
		m.look()
	}
}

// work shares one tick's capacity: what one feed does not need is the others'.
func (m *machine) work() {
	m.now = m.now.Add(tick)
	left := m.capacity * tick.Seconds()
	for range m.feeds { // each round at least one has all it needs, or nothing is left
		weights := 0.0
		for _, f := range m.feeds {
			if f.at.Before(m.now) {
				weights += f.weight
			}
		}
		shared := left
		for _, f := range m.feeds {
			if f.at.Before(m.now) && weights > 0 {
				spent := f.make(m.now, shared*f.weight/weights)
				left -= spent
				m.used += spent
			}
		}
	}
	for _, f := range m.feeds {
		if f.at.Equal(m.now) {
			f.idle += 0.5 / float64(time.Second/tick)
		}
		f.worst = max(f.worst, m.now.Sub(f.at))
	}
}

// make gets on as far as so much work brings it, and returns how much it took.
func (f *running) make(now time.Time, work float64) (spent float64) {
	need := f.need() // per second of media
	media := min(work/need, now.Sub(f.at).Seconds())
	before := f.at.Sub(start) / f.Segment
	f.at = f.at.Add(time.Duration(media * float64(time.Second)))
	if now.Sub(f.at) < time.Microsecond {
		f.at = now
	}
	if f.at.Sub(start)/f.Segment != before {
		f.holds = f.plan
	}
	return media * need
}

func (f *running) need() float64 {
	need := f.Base
	for _, r := range f.Renditions {
		need += r.Load * f.holds[r.Name].Share()
	}
	return need
}

func (m *machine) look() {
	l := overload.Look{At: m.now, Busy: min(m.used/m.capacity+m.others, 1), Used: m.used / m.capacity}
	if m.blind {
		l.Busy, l.Used = math.NaN(), math.NaN()
	}
	for i, f := range m.feeds {
		jitter := time.Duration((m.now.Unix()*7+int64(i)*3)%11) * 40 * time.Millisecond // of what is read last
		f.Lag, f.Idle, f.idle = m.now.Sub(f.at)+jitter, f.idle, 0
		l.Feeds = append(l.Feeds, f.Feed)
	}
	d := m.c.Look(l)
	if len(d.Changes) > 0 || d.Release != "" {
		m.steps = append(m.steps, d)
	}
	kept := m.feeds[:0]
	for _, f := range m.feeds {
		f.plan = m.c.Plan(f.ID)
		f.lowered = f.lowered || len(f.plan) > 0
		if f.ID != d.Release {
			kept = append(kept, f)
		}
	}
	m.feeds = kept
}

func (m *machine) feed(id string) *running {
	for _, f := range m.feeds {
		if f.ID == id {
			return f
		}
	}
	return nil
}

// feedOf returns a feed of load 100 with four renditions.
func feedOf(id string, priority int) overload.Feed {
	f := overload.Feed{ID: id, Priority: priority, Segment: 2 * time.Second, Base: 10}
	for _, r := range []struct {
		name string
		load float64
	}{{"1080p", 55}, {"720p", 24}, {"480p", 8}, {"360p", 3}} {
		f.Renditions = append(f.Renditions, overload.Rendition{Name: r.name, Load: r.load, Halves: true})
	}
	return f
}
