package rules

import (
	"iter"
	"maps"
	"slices"
	"strconv"
	"time"
)

// probe is an unusual request.
type probe int

const (
	noProbe probe = iota
	partAlone
	farAhead
	oldNumber
	beyondLastPart
	unknownFile
	someBytes
	probes
)

const (
	// probeEach is how many reloads there are between two probes.
	probeEach = 5
	// someLength is how much a request for a range asks for.
	someLength = 100
)

// probes returns the requests besides those of a player: the hinted part in its turn, and now and then one that
// tells how the server deals with what players do at the edges. Turns share no factor with usual numbers of parts.
func (t *track) probes(g *page, p *playlist) []Request {
	var list []Request
	if p.endList {
		return nil
	}
	if hint := p.hint(); hint != "" && (t.reloads%5 == 0 || t.reloads%7 == 0) {
		list = append(list, t.get(Hint, hint, p.end()))
	}
	if q, ok := t.removed(g, p); ok {
		list = append(list, q)
	}
	if t.reloads%probeEach != probeEach-1 {
		return list
	}
	t.turn++
	if q, ok := t.again(p); ok {
		list = append(list, q)
	}
	kind := probe(t.turn%int(probes-1)) + 1
	if q, ok := kind.request(t, p); ok {
		q.probe = kind
		list = append(list, q)
	}
	return list
}

// request returns the probe's request, if the playlist allows for it.
func (k probe) request(t *track, p *playlist) (Request, bool) {
	q := Request{Kind: Probe, URL: t.url, track: t, place: p.end()}
	last := lastClosed(p)
	canBlock := p.control().yes("CAN-BLOCK-RELOAD")
	switch k {
	case partAlone:
		q.URL = withQuery(t.url, "_HLS_part", "0")
		return q, canBlock && p.lowLatency()
	case farAhead:
		q.URL = withQuery(t.url, "_HLS_msn", strconv.FormatInt(q.place.msn+10, 10))
		return q, canBlock
	case oldNumber:
		q.URL = withQuery(t.url, "_HLS_msn", strconv.FormatInt(p.mediaSequence, 10))
		return q, canBlock
	case beyondLastPart:
		if last == nil || len(last.parts) == 0 {
			return q, false
		}
		q.place = place{last.msn, len(last.parts)}
		q.URL = withQuery(t.url, "_HLS_msn", strconv.FormatInt(last.msn, 10), "_HLS_part", strconv.Itoa(len(last.parts)))
		return q, canBlock
	case unknownFile:
		q.URL = resolve(t.url, "no-such-segment.m4s")
		return q, true
	case someBytes:
		if last == nil || last.gap || last.byteRange {
			return q, false
		}
		q.URL, q.Range = resolve(t.url, last.uri), "bytes=0-"+strconv.Itoa(someLength-1)
		return q, true
	case noProbe, probes:
	}
	return q, false
}

func lastClosed(p *playlist) *segment {
	if closed := p.closed(); len(closed) > 0 {
		return &closed[len(closed)-1]
	}
	return nil
}

// check looks at the answer to a probe.
func (k probe) check(g *page, q *Request, r *Response) {
	if r.Err != nil && r.Status == 0 || r.Status >= 500 && k != farAhead {
		return // the server is away: that shows elsewhere
	}
	switch k {
	case partAlone:
		if r.Status < 400 {
			g.found("blocking-part-alone", nil, "the status is %d", r.Status)
		}
	case farAhead:
		if r.Status < 400 || r.Status >= 500 {
			g.found("blocking-ahead", nil, "the status is %d after %v", r.Status, r.At.Sub(r.Asked).Round(time.Millisecond))
		}
	case oldNumber:
		if p := readPlaylist(r.Body); !r.ok() || p.end().before(q.place) || p.delta {
			g.found("blocking-old", nil, "the status is %d, the playlist ends before %v, want %v", r.Status, p.end(), q.place)
		}
	case beyondLastPart:
		if p := readPlaylist(r.Body); !r.ok() || !(place{q.place.msn + 1, 0}).before(p.end()) {
			g.found("blocking-rollover", nil, "the status is %d, the playlist ends before %v", r.Status, p.end())
		}
	case unknownFile:
		if r.Status < 400 {
			g.found("unknown-found", nil, "the status is %d", r.Status)
		}
	case someBytes:
		if r.Status != 206 || len(r.Body) != someLength {
			g.found("range-ignored", nil, "%s got status %d and %d bytes", q.Range, r.Status, len(r.Body))
		}
	case noProbe, probes:
	}
}

// removed returns a request for a segment or part that has left the playlist and must still be there.
func (t *track) removed(g *page, p *playlist) (Request, bool) {
	for msn, s := range t.numbered() {
		switch {
		case !s.closed || !s.fresh || msn < p.mediaSequence-1:
		case msn < p.mediaSequence && !s.gap && !s.byteRange && !s.removed:
			s.removed = true
			return t.get(Removed, s.uri, place{msn, -1}), true
		case !s.partsLeft.IsZero() && !s.partsGone && g.at.Sub(s.partsLeft) < 2*p.target:
			s.partsGone = true
			if first := &s.parts[0]; !first.gap && !first.byteRange {
				return t.get(Removed, first.uri, place{msn, 0}), true
			}
		}
	}
	return Request{}, false
}

// numbered returns the segments that are known, in order.
func (t *track) numbered() iter.Seq2[int64, *listing] {
	return func(yield func(int64, *listing) bool) {
		for _, msn := range slices.Sorted(maps.Keys(t.listings)) {
			if !yield(msn, t.listings[msn]) {
				return
			}
		}
	}
}

// againAfter is how many segments later a segment is asked for once more.
const againAfter = 3

// again returns a request for a segment that was fetched before: it never changes.
func (t *track) again(p *playlist) (Request, bool) {
	for msn, s := range t.numbered() {
		if msn > p.mediaSequence && msn < p.end().msn-againAfter && s.fetched && !s.again {
			s.again = true
			return t.get(Again, s.uri, place{msn, -1}), true
		}
	}
	return Request{}, false
}
