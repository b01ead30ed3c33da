package live

import (
	"container/heap"

	"github.com/venuecast/venuecast/codecs"
)

// byAge is the feeds that have something that may go, as a heap: first the one with the oldest.
type byAge []aged

// aged is a feed, and when the oldest of what may go of it was shown, or a time before that: what is kept only grows younger.
type aged struct {
	feed *Feed
	at   codecs.Ticks
}

// Len implements heap.Interface.
func (b byAge) Len() int { return len(b) }

// Less implements heap.Interface.
func (b byAge) Less(i, j int) bool { return b[i].at < b[j].at }

// Swap implements heap.Interface.
func (b byAge) Swap(i, j int) { b[i], b[j] = b[j], b[i] }

// Push implements heap.Interface.
func (b *byAge) Push(x any) { *b = append(*b, x.(aged)) } //nolint:forcetypeassert // nothing else is pushed

// Pop implements heap.Interface.
func (b *byAge) Pop() any {
	last := len(*b) - 1
	x := (*b)[last]
	*b = (*b)[:last]
	return x
}

// drop forgets the first feed.
func (b *byAge) drop() { heap.Pop(b) }

// oldest returns the feed that has the oldest segment of those that may go, nil when nothing may. Feeds are looked through once
// in a while; what they have removed themselves in between is seen when it is their turn.
func (a *archive) oldest() *Feed {
	if now := a.opts.Now(); now.Sub(a.aged) >= measureEach {
		a.aged = now
		a.ages = a.ages[:0]
		for _, f := range a.feeds() {
			if at, ok := f.oldestToGo(); ok {
				a.ages = append(a.ages, aged{f, at})
			}
		}
		heap.Init(&a.ages)
	}
	for len(a.ages) > 0 {
		first := &a.ages[0]
		at, ok := first.feed.oldestToGo()
		switch {
		case !ok:
			a.ages.drop()
		case at > first.at:
			first.at = at
			heap.Fix(&a.ages, 0)
		default:
			return first.feed
		}
	}
	return nil
}

// oldestToGo returns when the oldest segment of those that may go was shown.
func (f *Feed) oldestToGo() (at codecs.Ticks, ok bool) {
	v := f.view.Load()
	oldest := int64(maxMSN)
	for _, r := range v.renditions {
		if s := r.Snapshot(); v.mayGo(s.kept, s.next.MSN) {
			oldest = min(oldest, s.kept[0].msn)
		}
	}
	return v.feed.Grid.SegmentTime(min(oldest, maxMSN)), oldest < maxMSN
}

// mayGo reports whether the oldest of the segments before next may be removed: it is neither in the live window, nor can it be
// fetched because it was there just now.
func (v *view) mayGo(kept []*segment, next int64) bool {
	return len(kept) > 0 && kept[0].msn < next-2*v.live
}

// shed takes the oldest segment that is stored, in all renditions, out of the playlists that reach back farther than the live
// window, and returns what is to be removed. It is not ok when nothing may go.
func (f *Feed) shed(reason string) (jobs []job, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	v := f.view.Load()
	j := job{feed: f, reason: reason}
	for !f.gone && !j.removes() {
		if !f.pass(v, &j) {
			break
		}
		ok = true
	}
	if !ok {
		return nil, false
	}
	for _, r := range v.renditions {
		if r.edition != r.Snapshot().edition {
			r.forget()
			r.publish()
		}
	}
	jobs = []job{j}
	if kept := v.album.load().kept; f.outdated(v, kept) > 0 {
		jobs = append(jobs, f.arrange(v, kept))
	}
	f.expireEvents()
	return jobs, true
}

// removes reports whether a job removes something that is stored.
func (j job) removes() bool {
	for _, r := range j.remove {
		if r.filed.stored.Load() {
			return true
		}
	}
	return false
}

// pass moves the start of all renditions that have it past the oldest segment that may go. It reports whether there is one.
func (f *Feed) pass(v *view, j *job) bool { // f.mu is held
	oldest := int64(maxMSN)
	for _, r := range v.renditions {
		if v.mayGo(r.kept, r.next.MSN) {
			oldest = min(oldest, r.kept[0].msn)
		}
	}
	for _, r := range v.renditions {
		if v.mayGo(r.kept, r.next.MSN) && r.kept[0].msn == oldest {
			r.first = max(r.first, oldest+1+v.live)
			r.take(r.fetchedNoMore(), j)
		}
	}
	return oldest < maxMSN
}
