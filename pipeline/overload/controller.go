package overload

import (
	"math"
	"time"

	"github.com/venuecast/venuecast/pipeline/transcode"
)

// Controller keeps a worker within what it can carry. It belongs to one goroutine.
//
// The way down is proportional: how fast feeds get on says what the worker can carry, and as many steps are taken at once as
// that needs. Then it waits until they hold. The way up is one step at a time, after all was well for long enough and only if
// the processors have room for it; when a step has to be undone, the wait for the next doubles. So nothing flaps.
type Controller struct {
	o       Options
	applied map[target]transcode.Rate // of what is not made in full
	seen    map[string]*history       // by feed
	late    int                       // looks in a row in which some feed was late
	calm    time.Time                 // since when all is well; zero: it is not

	settle  map[string]time.Time // what changed feeds must have made before the last decision shows, by feed
	settled time.Time            // the last time for that; zero: it shows
	raised  step                 // the last step up, if none went down since
	since   time.Time            // when it was taken
	ceiling float64              // the load that was too much
	wait    time.Duration        // before that is tried again; it doubles each time it is too much again
	retry   time.Time            // when that is over
}

type target struct{ feed, rendition string }

// New returns a controller with every feed in full.
func New(o Options) *Controller {
	o = o.withDefaults()
	return &Controller{o: o, applied: map[target]transcode.Rate{}, seen: map[string]*history{}, wait: o.Hold, ceiling: math.Inf(1)}
}

const (
	catchingUp = 1.05             // a feed that gets on faster than this, in media seconds per second, is not late
	starving   = 0.1              // a process that waits for records less than this has none to spare
	working    = 0.7              // processors that are less busy than this are not what feeds are late for, but origin or disk may be
	resting    = 0.5              // one that waits more than this is well, however old the records are: the bus is slow
	lateLooks  = 2                // in a row, before anything is done
	patience   = 20 * time.Second // the most that a plan may take to hold
)

// Plan returns what a feed's renditions are made at; those in full are left out.
func (c *Controller) Plan(feed string) transcode.Plan {
	p := transcode.Plan{}
	for t, rate := range c.applied {
		if t.feed == feed {
			p[t.rendition] = rate
		}
	}
	return p
}

// Degraded reports whether anything is not made in full.
func (c *Controller) Degraded() bool { return len(c.applied) > 0 }

// Look decides. It is meant to be called once a second.
func (c *Controller) Look(l Look) Decision {
	c.remember(l)
	c.feel(l)
	switch {
	case !c.shows(l):
		return Decision{}
	case c.late >= lateLooks:
		return c.down(l)
	case c.roomy(l):
		return c.up(l)
	}
	return Decision{}
}

// feel notes how long feeds have been late, or all has been well.
func (c *Controller) feel(l Look) {
	late, well := false, true
	for _, f := range l.Feeds {
		pace, known := c.seen[f.ID].pace()
		late = late || known && f.Lag > c.o.Limit && f.Idle < starving && pace < catchingUp
		well = well && (f.Lag < c.o.Limit/2 || f.Idle > resting)
	}
	c.late++
	if !late || l.Busy < working {
		c.late = 0
	}
	switch {
	case !well:
		c.calm = time.Time{}
	case c.calm.IsZero():
		c.calm = l.At
	}
}

// shows reports whether the last decision holds, so that what is seen is what it does.
func (c *Controller) shows(l Look) bool {
	if c.settled.IsZero() {
		return true
	}
	for _, f := range l.Feeds {
		if to, waits := c.settle[f.ID]; waits && l.At.Add(-f.Lag).After(to) {
			delete(c.settle, f.ID)
		}
	}
	if len(c.settle) > 0 && l.At.Before(c.settled) {
		return false
	}
	c.await(l, nil)
	return false
}

// await makes the next looks wait until the changed feeds have begun a segment with their new plan.
func (c *Controller) await(l Look, changes []Change) {
	c.settle, c.settled, c.late = map[string]time.Time{}, time.Time{}, 0
	for _, h := range c.seen {
		h.points = nil
	}
	for _, ch := range changes {
		for _, f := range l.Feeds {
			if f.ID == ch.Feed {
				c.settle[f.ID], c.settled = l.At.Add(f.Segment-f.Lag), l.At.Add(patience)
			}
		}
	}
}

// down takes as many steps as it needs, by what the feeds' pace says that the worker can carry. When none is left it gives
// up a feed. When it was the last step up that was too much, that is taken back.
func (c *Controller) down(l Look) Decision {
	var d Decision
	goal := c.carried(l) * c.o.Full
	if c.tooMuch(l) {
		d.Changes = append(d.Changes, Change{c.raised.feed, c.raised.rendition, c.raised.from, c.raised.to})
		c.applied[c.raised.target] = c.raised.to
		goal = math.Inf(1)
	}
	c.raised = step{}
	for _, s := range steps(l) {
		if len(d.Changes) > 0 && c.load(l) <= goal {
			break
		}
		if s.kept || s.asleep || c.applied[s.target] >= s.to {
			continue
		}
		d.Changes = append(d.Changes, Change{s.feed, s.rendition, c.applied[s.target], s.to})
		c.applied[s.target] = s.to
	}
	if len(d.Changes) == 0 {
		if d.Release = c.release(l); d.Release == "" {
			return d
		}
	}
	c.await(l, d.Changes)
	return d
}

// release returns the feed to give up, if some feed surely does not catch up.
func (c *Controller) release(l Look) string {
	for _, f := range l.Feeds {
		if f.Lag > c.o.Limit && c.seen[f.ID].hopeless() {
			return victim(l.Feeds)
		}
	}
	return ""
}

// tooMuch notes the load that is too much, and reports whether that is because of the last step up.
func (c *Controller) tooMuch(l Look) bool {
	undo := c.raised.feed != "" && c.seen[c.raised.feed] != nil && l.At.Sub(c.since) < c.o.Longer
	c.ceiling = min(c.ceiling, c.load(l))
	if undo {
		c.wait = min(2*c.wait, c.o.Longer)
	}
	c.retry = l.At.Add(c.wait)
	return undo
}

// carried returns the load that the worker seems to be able to carry: that of each feed, as fast as it gets on.
func (c *Controller) carried(l Look) (load float64) {
	for _, f := range l.Feeds {
		pace, known := c.seen[f.ID].pace()
		if !known || f.Idle >= starving {
			pace = 1
		}
		load += c.loadOf(f) * min(max(pace, 0.05), 1)
	}
	return load
}

// roomy reports whether all has been well for long enough for a step up: half as long when the last one has stayed.
func (c *Controller) roomy(l Look) bool {
	hold := c.o.Hold
	if c.raised.feed != "" {
		hold /= 2
	}
	return len(c.applied) > 0 && !c.calm.IsZero() && l.At.Sub(c.calm) >= hold && l.At.Sub(c.since) >= hold
}

// up takes back the last step, if the processors have room for what it costs.
func (c *Controller) up(l Look) Decision {
	all := steps(l)
	last := -1
	for i, s := range all {
		if c.applied[s.target] == s.to {
			last = i
		}
	}
	if last < 0 {
		return Decision{}
	}
	s, before := all[last], c.load(l)
	c.set(s.target, s.from)
	if !c.fits(l, before) {
		c.set(s.target, s.to)
		return Decision{}
	}
	c.raised, c.since, c.retry = s, l.At, l.At.Add(c.wait)
	d := Decision{Changes: []Change{{s.feed, s.rendition, s.to, s.from}}}
	c.await(l, d.Changes)
	return d
}

// fits reports whether the worker can carry the present load, by what it does with the one before.
func (c *Controller) fits(l Look, before float64) bool {
	if c.raised.feed != "" && before >= c.ceiling && l.At.Sub(c.since) >= min(c.wait, 3*c.o.Hold) {
		c.ceiling, c.wait = math.Inf(1), max(c.wait/2, c.o.Hold) // it is not too much any more
	}
	load := c.load(l)
	// All of the processes' use is taken to grow with the load, which leaves a little more room than asked for.
	used := l.Used * load / before
	if used > c.o.Full {
		return false
	}
	// What others use may be theirs only because nobody else asked for it: that is tried, seldom.
	crowded := l.Busy-l.Used+used > c.o.Full && l.At.Sub(c.since) < 3*c.o.Hold
	return !crowded && (load < c.ceiling || !l.At.Before(c.retry))
}

func (c *Controller) set(t target, rate transcode.Rate) {
	c.applied[t] = rate
	if rate == transcode.RateFull {
		delete(c.applied, t)
	}
}

func (c *Controller) load(l Look) (load float64) {
	for _, f := range l.Feeds {
		load += c.loadOf(f)
	}
	return load
}

func (c *Controller) loadOf(f Feed) float64 {
	load := f.Base
	for _, r := range f.Renditions {
		if !r.Asleep {
			load += r.Load * share[c.applied[target{f.ID, r.Name}]]
		}
	}
	return load
}

// share is what a rate costs of the full one.
var share = [...]float64{transcode.RateFull: 1, transcode.RateHalf: 0.55, transcode.RateOff: 0}

// remember takes a look into the feeds' histories, and forgets feeds that are gone.
func (c *Controller) remember(l Look) {
	seen := map[string]*history{}
	for _, f := range l.Feeds {
		h := c.seen[f.ID]
		if h == nil {
			h = &history{}
		}
		h.add(l.At, f.Lag)
		seen[f.ID] = h
	}
	c.seen = seen
	for t := range c.applied {
		if seen[t.feed] == nil {
			delete(c.applied, t)
		}
	}
	for feed := range c.settle {
		if seen[feed] == nil {
			delete(c.settle, feed)
		}
	}
}
