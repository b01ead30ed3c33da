package rules

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// Checker is a strict client of one ladder. It may be used by several goroutines.
type Checker struct {
	report func(Violation)

	mu           sync.Mutex // guards the fields below, and all tracks
	url          string
	multivariant *multivariant
	tracks       []*track
}

// New returns a checker. report is called for each violation, one at a time, within Answer; it must not call the checker.
// A fault that stands is reported each time it is seen.
func New(report func(Violation)) *Checker { return &Checker{report: report} }

// Begin returns the request for a playlist: the multivariant one, or a media playlist that stands alone.
func (c *Checker) Begin(url string) Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.url = url
	return Request{Kind: MultivariantPlaylist, URL: url}
}

// Answer looks at what came back for a request, and returns what to ask next.
//
// For a media playlist that includes the request that reloads it, first: one that blocks, where the server can. Requests
// for media may be left out by a client that takes samples; those of the other kinds may always be.
func (c *Checker) Answer(q Request, r Response) []Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := &page{c: c, url: q.URL, at: r.At}
	g.http(&q, &r)
	switch q.Kind {
	case MultivariantPlaylist:
		return c.begin(g, &q, &r)
	case MediaPlaylist:
		return q.track.playlist(g, &q, &r)
	case Probe:
		q.probe.check(g, &q, &r)
	case Hint, PartialSegment, MediaSegment, Picture, InitSection, Again, Removed:
		q.track.media(g, &q, &r)
	}
	return nil
}

// begin takes the first playlist.
func (c *Checker) begin(g *page, q *Request, r *Response) []Request {
	if !r.ok() {
		g.unavailable(r)
		return []Request{{Kind: q.Kind, URL: q.URL, After: retryAfter}}
	}
	if !strings.Contains(string(r.Body), "#EXT-X-STREAM-INF") && strings.Contains(string(r.Body), "#EXTINF") {
		return []Request{{Kind: MediaPlaylist, URL: q.URL, track: c.track(q.URL)}}
	}
	m := readMultivariant(r.Body)
	g.multivariant(m)
	if old := c.multivariant; old != nil && !slices.Equal(old.uris(), m.uris()) {
		g.found("multivariant-changed", nil, "it listed %q, now %q", old.uris(), m.uris())
	}
	c.multivariant = m
	var list []Request
	for _, uri := range m.uris() {
		t := c.track(resolve(q.URL, uri))
		t.pictures = m.picturesAt(uri)
		list = append(list, Request{Kind: MediaPlaylist, URL: t.url, track: t})
	}
	return list
}

// uris returns the URIs of all media playlists, each once: variants, then renditions, then I-frames.
func (m *multivariant) uris() (list []string) {
	add := func(uri string) {
		if uri != "" && !slices.Contains(list, uri) {
			list = append(list, uri)
		}
	}
	for i := range m.variants {
		add(m.variants[i].uri)
	}
	for i := range m.media {
		add(m.media[i].attrs.text("URI"))
	}
	for _, t := range m.tags[iFrameStream] {
		add(t.attrs.text("URI"))
	}
	return list
}

// track returns the track of a playlist's URL.
func (c *Checker) track(url string) *track {
	for _, t := range c.tracks {
		if t.url == url {
			return t
		}
	}
	t := newTrack(c, url)
	c.tracks = append(c.tracks, t)
	return t
}

const (
	// retryAfter is the pause before a request that failed is made again.
	retryAfter = 500 * time.Millisecond
	// patience is how much later than asked something may be seen over a network.
	patience = 250 * time.Millisecond
)
