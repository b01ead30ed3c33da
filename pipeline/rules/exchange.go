package rules

import (
	"net/url"
	"strconv"
	"time"
)

// Kind says what a request is for.
type Kind string

// The kinds of request.
const (
	MultivariantPlaylist Kind = "multivariant playlist"
	MediaPlaylist        Kind = "media playlist"
	InitSection          Kind = "init section"
	PartialSegment       Kind = "part"
	MediaSegment         Kind = "segment"
	Picture              Kind = "I-frame"
	Hint                 Kind = "hinted part" // asked for before it is there
	Again                Kind = "once more"   // must be what it was
	Removed              Kind = "removed"     // no longer listed, must still be there
	Probe                Kind = "probe"       // of what the server does with unusual requests
)

// Request is what to ask of the server. What it is for stands in fields of the checker's own: only requests from a
// Checker can be answered to it.
type Request struct {
	Kind  Kind
	URL   string
	Range string        // the Range header to send; empty: none
	After time.Duration // how long to wait before it is sent

	track *track
	place place
	probe probe
}

// directives are the delivery directives of a request (§6.2.5).
type directives struct {
	blocking bool
	msn      int64
	part     int // −1: none
	skip     string
}

func directivesOf(raw string) directives {
	d := directives{part: -1}
	u, err := url.Parse(raw)
	if err != nil {
		return d
	}
	query := u.Query()
	d.skip = query.Get("_HLS_skip")
	if msn, err := strconv.ParseInt(query.Get("_HLS_msn"), 10, 64); err == nil {
		d.blocking, d.msn = true, msn
	}
	if part, err := strconv.Atoi(query.Get("_HLS_part")); err == nil {
		d.part = part
	}
	return d
}

// Response is what came back.
type Response struct {
	Asked     time.Time // when the request was sent
	FirstByte time.Time // when the body began
	At        time.Time // when it was complete
	// Err is why there is no answer: the server could not be reached, or the body ended too early.
	Err        error
	Status     int
	Protocol   string              // such as HTTP/2.0
	Redirected bool                // another URL answered
	Header     map[string][]string // by canonical name, Content-Encoding included
	Body       []byte              // decoded
}

func (r *Response) header(name string) string {
	if v := r.Header[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

func (r *Response) ok() bool { return r.Err == nil && r.Status >= 200 && r.Status < 300 }

// place is a segment's number and a part's index in it; −1: the whole segment.
type place struct {
	msn  int64
	part int
}

func (p place) String() string {
	if p.part < 0 {
		return strconv.FormatInt(p.msn, 10)
	}
	return strconv.FormatInt(p.msn, 10) + "." + strconv.Itoa(p.part)
}

func (p place) before(q place) bool { return p.msn < q.msn || p.msn == q.msn && p.part < q.part }

// withQuery returns a URL with these parameters besides its own.
func withQuery(raw string, pairs ...string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	query := u.Query()
	for i := 0; i < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// resolve returns a reference of a playlist as an absolute URL, empty when it is none.
func resolve(base, reference string) string {
	b, err := url.Parse(base)
	if err != nil {
		return ""
	}
	u, err := b.Parse(reference)
	if err != nil {
		return ""
	}
	return u.String()
}
