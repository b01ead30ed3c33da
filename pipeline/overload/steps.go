package overload

import (
	"cmp"
	"slices"

	"github.com/venuecast/venuecast/pipeline/transcode"
)

// step is one thing that a worker can do without.
type step struct {
	target
	priority int
	load     float64
	from, to transcode.Rate
	asleep   bool // it would gain nothing
	kept     bool // not while there is a feed of a lower priority: that is given up first
}

// steps returns what the worker can do without, short of giving up a feed, in the order in which it does.
func steps(l Look) (steps []step) {
	highest, lowest := priorities(l.Feeds)
	for _, f := range l.Feeds {
		for i, r := range f.Renditions {
			s := step{
				target: target{f.ID, r.Name}, priority: f.Priority, load: r.Load, asleep: r.Asleep,
				kept: f.Priority == highest && lowest < highest,
			}
			if r.Halves {
				s.to = transcode.RateHalf
				steps = append(steps, s)
			}
			if i < len(f.Renditions)-1 {
				s.from, s.to = s.to, transcode.RateOff
				steps = append(steps, s)
			}
		}
	}
	slices.SortFunc(steps, func(a, b step) int {
		return cmp.Or(
			cmp.Compare(a.priority, b.priority), cmp.Compare(a.to, b.to), cmp.Compare(b.load, a.load),
			cmp.Compare(a.feed, b.feed), cmp.Compare(a.rendition, b.rendition),
		)
	})
	return steps
}

func priorities(feeds []Feed) (highest, lowest int) {
	for i, f := range feeds {
		if i == 0 {
			highest, lowest = f.Priority, f.Priority
		}
		highest, lowest = max(highest, f.Priority), min(lowest, f.Priority)
	}
	return highest, lowest
}

// victim returns the feed to give up: of those of the lowest priority the largest. The last one is kept: late is better
// than dark.
func victim(feeds []Feed) string {
	if len(feeds) < 2 {
		return ""
	}
	return slices.MinFunc(feeds, func(a, b Feed) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(b.whole(), a.whole()), cmp.Compare(a.ID, b.ID))
	}).ID
}

func (f Feed) whole() (load float64) {
	for _, r := range f.Renditions {
		load += r.Load
	}
	return load
}

// nicer is the distance between two priorities: a process gets about a third of what one that is five less nice gets (sched(7)).
const nicer = 5

// Nice returns the niceness, 0 to 19, for the process of a feed among feeds of these priorities. So the kernel serves the
// highest first even before anything is decided here; feeds of one priority share alike.
func Nice(priority int, all []int) int {
	above := map[int]bool{}
	for _, p := range all {
		if p > priority {
			above[p] = true
		}
	}
	return min(nicer*len(above), 19)
}
