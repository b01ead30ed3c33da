//go:build cgo

package main

import (
	"net/http"
	"path"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// arrivals notes when the watcher gets each part. It is the watcher's way to the origin.
type arrivals struct {
	mu    sync.Mutex // guards parts
	parts map[string][]arrival
}

// arrival is when a part was there.
type arrival struct {
	at    time.Time
	place int64 // parts since the feed's epoch
}

func newArrivals() *arrivals { return &arrivals{parts: map[string][]arrival{}} }

// partsPerSegment is that of the site's grid: 1.92 s in parts of 0.32 s.
const (
	partsPerSegment = 6
	partLength      = 320 * time.Millisecond
)

// RoundTrip gets something, and notes it if it is a part.
func (a *arrivals) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || response.StatusCode != http.StatusOK {
		return response, err
	}
	dir, file := path.Split(r.URL.Path)
	fields := strings.Split(strings.TrimSuffix(file, ".m4s"), ".")
	if len(fields) != 2 || !strings.HasSuffix(file, ".m4s") {
		return response, nil
	}
	msn, errMSN := strconv.ParseInt(fields[0], 10, 64)
	index, errIndex := strconv.ParseInt(fields[1], 10, 64)
	if errMSN == nil && errIndex == nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		name := path.Base(dir)
		a.parts[name] = append(a.parts[name], arrival{time.Now(), msn*partsPerSegment + index})
	}
	return response, nil
}

// nextAfter returns when the next part came after a moment, in the rendition that waited longest. When the parts on
// their way still came and a pause of more than two parts followed, it is the end of that pause.
func (a *arrivals) nextAfter(moment time.Time) (worst time.Duration) {
	const within = 3 * time.Second // a pause that begins later has another cause
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, list := range a.parts {
		first := sort.Search(len(list), func(i int) bool { return !list[i].at.Before(moment) })
		if first == len(list) {
			return time.Hour // nothing came any more
		}
		next, longest := list[first].at, 2*partLength
		for i := max(first, 1); i < len(list) && list[i-1].at.Before(moment.Add(within)); i++ {
			if pause := list[i].at.Sub(list[i-1].at); pause > longest {
				longest, next = pause, list[i].at
			}
		}
		worst = max(worst, next.Sub(moment))
	}
	return worst
}

// behindFor returns how long after a moment the slowest rendition had caught up: the last of the parts in a row that
// were later than usual by half a second or more. Usual is what the parts of the last segment's length before the moment were.
func (a *arrivals) behindFor(moment time.Time) (worst time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, list := range a.parts {
		lag := func(p arrival) time.Duration {
			return p.at.Sub(moment) - time.Duration(p.place-list[0].place)*partLength
		}
		first := sort.Search(len(list), func(i int) bool { return !list[i].at.Before(moment) })
		if first == 0 {
			continue
		}
		usual := lag(list[first-1])
		for _, p := range list[max(first-partsPerSegment, 0):first] {
			usual = max(usual, lag(p))
		}
		late := time.Duration(0)
		for _, p := range list[first:] {
			if lag(p) > usual+time.Second/2 {
				late = p.at.Sub(moment)
			} else if late > 0 {
				break
			}
		}
		worst = max(worst, late)
	}
	return worst
}
