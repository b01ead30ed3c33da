package live

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/venuecast/venuecast/codecs/m3u8"
)

// Event is a span of time with attributes, told to players as EXT-X-DATERANGE in all playlists of its feed.
// It never changes. A second event of the same ID adds attributes, such as the SCTE35-IN to an SCTE35-OUT.
type Event struct {
	m3u8.DateRange
	Added time.Time
	until time.Time // when the last event of its ID ends
}

// Bounds of what a feed's events may be.
const (
	maxEvents     = 1000
	maxEventAhead = 24 * time.Hour
	maxEventText  = 4096 // bytes of an attribute
	maxEventData  = 32   // attributes
)

// AddEvent adds an event. Without an ID it gets one that follows from its attributes, so that it may be sent again.
//
// It fails with ErrInvalid, with ErrConflict when an event of that ID has another value of an attribute,
// and with ErrTooManyEvents.
func (f *Feed) AddEvent(d m3u8.DateRange) (Event, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	text, err := json.Marshal(d)
	if err != nil {
		return Event{}, fmt.Errorf("adding an event to feed %s: %w: %w", f.id, ErrInvalid, err)
	}
	if d.ID == "" {
		d.ID = digest(text)
	}
	e := Event{DateRange: d, Added: f.opts.Now()}
	if err := f.checkEvent(d, e.Added); err != nil {
		return Event{}, fmt.Errorf("adding an event to feed %s: %w: %w", f.id, ErrInvalid, err)
	}
	for _, other := range f.events {
		if other.ID == d.ID && sameRange(other.DateRange, d) {
			return other, nil
		}
		if other.ID == d.ID && contradicts(other.DateRange, d) {
			return Event{}, fmt.Errorf("adding event %s to feed %s: %w", d.ID, f.id, ErrConflict)
		}
	}
	if len(f.events) >= maxEvents {
		return Event{}, fmt.Errorf("adding an event to feed %s: %w", f.id, ErrTooManyEvents)
	}
	f.setEvents(append(slices.Clip(f.events), e))
	if text, err = json.Marshal(e); err == nil {
		f.archive.put(f, f.eventName(e), [][]byte{text}, nil)
	}
	f.publish()
	return e, nil
}

// Events returns the events that are kept, in the order of their times.
func (f *Feed) Events() []Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.events
}

// publish shows readers what concerns all renditions.
func (f *Feed) publish() { // f.mu is held
	for _, r := range f.Renditions() {
		r.edition++
		r.publish()
	}
}

// eventName is the place of an event in the store.
func (f *Feed) eventName(e Event) string {
	text, _ := json.Marshal(e.DateRange) // it was checked when the event was added
	return f.eventPath() + digest(text) + ".json"
}

func (f *Feed) eventPath() string { return f.id + "/events/" }

// setEvents replaces the events: readers hold the old ones.
func (f *Feed) setEvents(events []Event) { // f.mu is held
	until := map[string]time.Time{}
	for _, e := range events {
		end := e.StartDate.Add(max(e.Duration, e.PlannedDuration))
		if end.After(until[e.ID]) {
			until[e.ID] = end
		}
	}
	for i := range events {
		events[i].until = until[events[i].ID]
	}
	slices.SortStableFunc(events, func(a, b Event) int { return a.StartDate.Compare(b.StartDate) })
	f.events = events
}

// expireEvents drops the events that have left all playlists, and the deltas that tell of it.
func (f *Feed) expireEvents() { // f.mu is held
	gone := f.reach().Add(-2 * f.Renditions()[0].skipBoundary())
	if !slices.ContainsFunc(f.events, func(e Event) bool { return e.until.Before(gone) }) {
		return
	}
	var kept []Event
	var names []string
	for _, e := range f.events {
		if e.until.Before(gone) {
			names = append(names, f.eventName(e))
			continue
		}
		kept = append(kept, e)
	}
	f.archive.remove(f, names)
	f.setEvents(kept)
}

// restoreEvent brings an event back from the store.
func (f *Feed) restoreEvent(name string) { // f.mu is held
	if slices.ContainsFunc(f.events, func(e Event) bool { return f.eventName(e) == name }) {
		return // only the feed's constants are new
	}
	var e Event
	text, err := readAll(f.opts.Store, name)
	if err == nil {
		err = json.Unmarshal(text, &e)
	}
	if err != nil || len(f.events) >= maxEvents || f.eventName(e) != name {
		f.opts.StoreFailed(f.id, "read")
		return
	}
	f.setEvents(append(slices.Clip(f.events), e))
}

// dateRanges returns those to list in a playlist whose first segment begins at from: what has not ended before.
func dateRanges(events []Event, from time.Time) []m3u8.DateRange {
	var ranges []m3u8.DateRange
	for _, e := range events {
		if !e.until.Before(from) {
			ranges = append(ranges, e.DateRange)
		}
	}
	return ranges
}

// skipDates leaves out what a client has already (§6.2.5.1): it was added, or removed, longer ago than the skip boundary.
func skipDates(p *m3u8.Media, events []Event, from, now time.Time, boundary time.Duration) {
	p.DateRanges, p.Skip.RemovedDateRanges = nil, []string{}
	for _, e := range events {
		switch {
		case !e.until.Before(from):
			if now.Sub(e.Added) <= boundary {
				p.DateRanges = append(p.DateRanges, e.DateRange)
			}
		case !e.until.Before(from.Add(-boundary)) && !slices.Contains(p.Skip.RemovedDateRanges, e.ID):
			p.Skip.RemovedDateRanges = append(p.Skip.RemovedDateRanges, e.ID)
		}
	}
}

// isEvent reports whether a stored object is an event of the feed.
func (f *Feed) isEvent(name string) bool { return strings.HasPrefix(name, f.eventPath()) }
