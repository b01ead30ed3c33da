// Package overload decides what a worker does without when it cannot keep up.
//
// A feed falls behind the bus when its process gets less processor than it needs. Then the worker makes less: first fewer
// pictures per second, then fewer renditions, last fewer feeds; of the feeds of lowest priority first, of a feed the largest
// rendition first. The lowest rendition of a feed goes only with the feed, and the last feed never. All comes back, in the
// opposite order and one step at a time, when there is room: see Controller.
package overload

import (
	"time"

	"github.com/venuecast/venuecast/pipeline/transcode"
)

// Feed is what is known of one feed that the worker runs.
type Feed struct {
	ID         string
	Priority   int           // a higher one is kept longer
	Lag        time.Duration // the age of what its process has read last
	Idle       float64       // the share of the time since the last look in which it waited for records, 0 to 1
	Segment    time.Duration // a new plan holds from the next one on
	Base       float64       // the load of what no plan changes: decoding
	Renditions []Rendition   // video, largest first
}

// Rendition is one video rendition of a feed.
type Rendition struct {
	Name   string
	Load   float64 // at full rate; the unit is the caller's, the same everywhere
	Halves bool    // it can be made at half rate
	Asleep bool    // it is off because nobody watches: it costs nothing whatever the plan
}

// Look is the state of the worker at one moment.
type Look struct {
	At    time.Time
	Feeds []Feed
	Busy  float64 // the share of the worker's processors that is in use, by whomever; NaN: they say nothing, for a card encodes
	Used  float64 // and by the feeds' processes; likewise
}

// Change is one step, down or up.
type Change struct {
	Feed, Rendition string
	From, To        transcode.Rate
}

// Decision is what is to be done now.
type Decision struct {
	Changes []Change
	Release string // a feed that this worker gives up; empty: none
}

// Options tunes a Controller. The zero value is good.
type Options struct {
	Limit  time.Duration // a feed further behind than this, and not catching up, is late. It defaults to 2 s.
	Full   float64       // the share of the processors up to which steps are taken back. It defaults to 0.85.
	Hold   time.Duration // how long all must be well before a step back. It defaults to 10 s.
	Longer time.Duration // the most that a load that was too much again and again is not tried. It defaults to 5 min.
}

func (o Options) withDefaults() Options {
	setDefault(&o.Limit, 2*time.Second)
	setDefault(&o.Full, 0.85)
	setDefault(&o.Hold, 10*time.Second)
	setDefault(&o.Longer, 5*time.Minute)
	return o
}

func setDefault[T comparable](field *T, v T) {
	if *field == *new(T) {
		*field = v
	}
}
