package live

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/venuecast/venuecast/codecs/m3u8"
)

// checkEvent reports why a date range can not be an event of the feed.
func (f *Feed) checkEvent(d m3u8.DateRange, now time.Time) error { // f.mu is held
	switch {
	case len(d.ID) > 128 || len(d.Class) > 128 || !m3u8.ValidText(d.ID) || !m3u8.ValidText(d.Class):
		return fmt.Errorf("id or class: want up to 128 bytes without quotes and control characters")
	case d.StartDate.Before(f.reach()) || d.StartDate.After(now.Add(maxEventAhead)):
		return fmt.Errorf("at %v: want a time between the oldest media there is and %v from now", d.StartDate, maxEventAhead)
	case d.Duration < 0 || d.PlannedDuration < 0 || d.Duration > maxEventAhead || d.PlannedDuration > maxEventAhead:
		return fmt.Errorf("durations: want 0 to %v", maxEventAhead)
	case len(d.Client) > maxEventData:
		return fmt.Errorf("%d attributes: want up to %d", len(d.Client), maxEventData)
	}
	for i, c := range d.Client {
		twice := slices.ContainsFunc(d.Client[:i], func(other m3u8.Attribute) bool { return other.Name == c.Name })
		if !c.ValidClient() || twice || len(c.Name) > 128 || len(c.Value) > maxEventText {
			return fmt.Errorf("attribute %q: want an X- name of A-Z, 0-9 and -, once, and a value without quotes and control characters", c.Name)
		}
	}
	for _, splice := range [][]byte{d.SCTE35Cmd, d.SCTE35Out, d.SCTE35In} {
		if len(splice) == 0 {
			continue
		}
		if err := m3u8.CheckSplice(splice); err != nil {
			return err
		}
	}
	return nil
}

// reach returns the time of the oldest media that playlists list.
func (f *Feed) reach() time.Time { // f.mu is held
	first := int64(maxMSN)
	for _, r := range f.Renditions() {
		if r.started {
			first = min(first, r.first)
		}
	}
	if first == maxMSN {
		return time.Time{}
	}
	return f.Constants().Grid.SegmentTime(first).Time()
}

func sameRange(a, b m3u8.DateRange) bool {
	a.StartDate, b.StartDate = a.StartDate.UTC(), b.StartDate.UTC()
	a.EndDate, b.EndDate = a.EndDate.UTC(), b.EndDate.UTC()
	return reflect.DeepEqual(a, b)
}

// contradicts reports whether two tags of one ID have different values of an attribute, which must not be (§4.4.5.1).
func contradicts(a, b m3u8.DateRange) bool {
	if !a.StartDate.Equal(b.StartDate) || differ(a.Class, b.Class) || differ(a.Duration, b.Duration) ||
		differ(a.PlannedDuration, b.PlannedDuration) || differ(string(a.SCTE35Cmd), string(b.SCTE35Cmd)) ||
		differ(string(a.SCTE35Out), string(b.SCTE35Out)) || differ(string(a.SCTE35In), string(b.SCTE35In)) {
		return true
	}
	for _, x := range a.Client {
		for _, y := range b.Client {
			if x.Name == y.Name && x != y {
				return true
			}
		}
	}
	return false
}

// differ reports whether both are said, and not the same.
func differ[T comparable](a, b T) bool {
	var unsaid T
	return a != unsaid && b != unsaid && a != b
}
