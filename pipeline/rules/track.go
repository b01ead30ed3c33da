package rules

import (
	"maps"
	"strconv"
	"time"

	"github.com/venuecast/venuecast/codecs/captions"
)

// track is one rendition as it was seen so far.
type track struct {
	c   *Checker
	url string

	pictures *tag // the EXT-X-I-FRAME-STREAM-INF that lists it; nil: it is none of I-frames

	last      *playlist // complete: what a delta update skips is filled in
	lastAt    time.Time
	constants *constants
	listings  map[int64]*listing
	uris      map[string]place
	first     int64 // EXT-X-MEDIA-SEQUENCE
	end       place
	ended     bool
	ranges    map[string]attributes // date ranges

	// followed says that the newest answers left no time between them in which something could be missed.
	followed  bool
	segmentAt time.Time // when the newest segment was first seen
	partAt    time.Time // likewise part

	reloads  int
	hinted   string // the URI that was hinted last
	goneHint place  // a hinted part that was not there
	claims   []edge // what other renditions' reports said of this one, and was not checked yet; the newest maxEdges
	edges    []edge // newest last

	inits    map[string]*initSection
	clock    clock // of segments
	parts    clock // of parts
	rates    rates
	counters counters      // of MPEG-TS, since the last gap
	drift    time.Duration // by how much EXTINF was more than the samples, since the last gap
	turn     int           // of probes
	spoken   captions.Channels
	format   string
}

// listing is what is known of a segment.
type listing struct {
	segment
	closed    bool
	seenAt    time.Time
	fresh     bool      // it was not there when the playlist was first read
	asked     int       // how many parts were asked for
	wanted    bool      // the segment was asked for
	again     bool      // it was asked for once more
	removed   bool      // it was asked for after its removal
	partsGone bool      // a part was asked for after theirs
	partsLeft time.Time // when its parts were first not listed any more

	sum      [32]byte // of the segment's bytes
	fetched  bool
	partsSum digest // of the samples of its parts
	start    start
}

func newTrack(c *Checker, url string) *track {
	return &track{
		c: c, url: url, listings: map[int64]*listing{}, uris: map[string]place{}, inits: map[string]*initSection{},
		ranges: map[string]attributes{}, end: place{-1, 0}, goneHint: place{-1, 0},
	}
}

// playlist takes an answer to a request for the media playlist.
func (t *track) playlist(g *page, q *Request, r *Response) []Request {
	q.track = t
	d := directivesOf(q.URL)
	if !r.ok() {
		t.failed(g, r, d)
		return []Request{{Kind: MediaPlaylist, URL: t.url, track: t, After: retryAfter}}
	}
	p := readPlaylist(r.Body)
	g.caching(q, r, p.target)
	t.followed = t.last != nil && t.followed && r.Asked.Sub(t.lastAt) < patience+t.pollAfter()
	t.directives(g, p, d, r)
	t.merge(g, p, d)
	g.playlist(p)
	t.overTime(g, p)
	t.acrossRenditions(g, p, r)
	t.iFrames(g, p)
	requests := append([]Request{t.reload(p)}, t.wants(p)...)
	requests = append(requests, t.probes(g, p)...)
	t.take(p, r)
	if p.endList {
		return requests[1:]
	}
	return requests
}

// failed takes the absence of a playlist.
func (t *track) failed(g *page, r *Response, d directives) {
	g.unavailable(r)
	held := r.At.Sub(r.Asked)
	if t.last != nil && r.Status == 503 && d.blocking && t.followed && held > t.last.target*3/2+patience {
		g.found("segment-late", nil, "none came in %v, the target is %v", held.Round(time.Millisecond), t.last.target)
	}
	t.followed = false
}

// take makes a playlist the newest.
func (t *track) take(p *playlist, r *Response) {
	end := p.end()
	if t.last == nil || t.last.end().msn < end.msn || !t.followed {
		t.segmentAt = r.At
	}
	if t.last == nil || t.last.end().before(end) || !t.followed {
		t.partAt = r.At
	}
	if t.end.before(end) {
		t.end = end
	}
	t.first = p.mediaSequence
	t.last, t.lastAt, t.followed = p, r.At, true
	t.hinted = p.hint()
	t.ended = p.endList
	t.reloads++
	t.forget()
}

// kept is how many segments are remembered after their removal, for requests that must still work.
const kept = 8

func (t *track) forget() {
	oldest := t.first - kept
	maps.DeleteFunc(t.listings, func(msn int64, _ *listing) bool { return msn < oldest })
	maps.DeleteFunc(t.uris, func(_ string, p place) bool { return p.msn < oldest })
}

// pollAfter is how long a client waits between reloads where the server does not block.
func (t *track) pollAfter() time.Duration {
	if t.last == nil || t.last.control().yes("CAN-BLOCK-RELOAD") {
		return 0
	}
	return t.last.target
}

// reload returns the request for the playlist that follows. Two of five ask for a delta update.
func (t *track) reload(p *playlist) Request {
	q := Request{Kind: MediaPlaylist, URL: t.url, track: t}
	if !p.control().yes("CAN-BLOCK-RELOAD") {
		q.After = p.target
		if t.last != nil && t.last.end() == p.end() {
			q.After /= 2 // §6.3.4
		}
		return q
	}
	end := p.end()
	if end.before(t.end) {
		q.After = retryAfter // an old playlist: do not ask in a loop
		end = t.end
	}
	if t.last != nil && t.last.end() == p.end() {
		q.After = retryAfter // it did not block
	}
	pairs := []string{"_HLS_msn", strconv.FormatInt(end.msn, 10)}
	if p.partTarget > 0 {
		pairs = append(pairs, "_HLS_part", strconv.Itoa(end.part))
	}
	switch turn := t.reloads % 5; {
	case turn == 1 && p.control().yes("CAN-SKIP-DATERANGES"):
		pairs = append(pairs, "_HLS_skip", "v2")
	case (turn == 1 || turn == 3) && p.control().has("CAN-SKIP-UNTIL"):
		pairs = append(pairs, "_HLS_skip", "YES")
	}
	q.URL = withQuery(t.url, pairs...)
	return q
}

// wants returns requests for what is listed and was not asked for yet. A client joins at the last complete segment.
func (t *track) wants(p *playlist) []Request {
	var list []Request
	from := p.end().msn - 1
	if t.last != nil {
		from = 0
	}
	for i := range p.segments {
		s := &p.segments[i]
		known := t.listings[s.msn]
		if known == nil || s.msn < from {
			if known != nil {
				known.wanted, known.asked = true, len(s.parts)
			}
			continue
		}
		list = append(list, t.wantsOf(s, known)...)
	}
	return list
}

func (t *track) wantsOf(s *segment, known *listing) []Request {
	var list []Request
	if uri := resolve(t.url, s.mapURI); s.mapURI != "" && t.inits[uri] == nil {
		t.inits[uri] = &initSection{}
		list = append(list, Request{Kind: InitSection, URL: uri, track: t, place: place{s.msn, -1}})
	}
	for ; known.asked < len(s.parts); known.asked++ {
		if part := &s.parts[known.asked]; !part.gap && !part.byteRange {
			list = append(list, t.get(PartialSegment, part.uri, place{s.msn, known.asked}))
		}
	}
	if s.complete() && !known.wanted {
		known.wanted = true
		if !s.gap && !s.byteRange {
			list = append(list, t.get(MediaSegment, s.uri, place{s.msn, -1}))
		}
		if q, ok := t.picture(s); ok {
			list = append(list, q)
		}
	}
	return list
}

func (t *track) get(kind Kind, uri string, at place) Request {
	return Request{Kind: kind, URL: resolve(t.url, uri), track: t, place: at}
}
