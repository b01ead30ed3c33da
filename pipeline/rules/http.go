package rules

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// http checks how an answer came.
func (g *page) http(q *Request, r *Response) {
	if r.Status == 0 {
		return
	}
	if r.header("Access-Control-Allow-Origin") == "" {
		g.found("cors-missing", nil, "an answer of status %d has no Access-Control-Allow-Origin", r.Status)
	}
	if !r.ok() || q.Kind == Probe {
		return
	}
	if r.Redirected && q.Kind != MultivariantPlaylist {
		g.found("media-redirected", nil, "another URL answered")
	}
	if strings.HasPrefix(q.URL, "https:") && strings.HasPrefix(r.Protocol, "HTTP/1") {
		g.found("http-1", nil, "the protocol is %s", r.Protocol)
	}
	if q.Kind == MultivariantPlaylist || q.Kind == MediaPlaylist {
		g.playlistHeader(q, r)
		return
	}
	g.mediaHeader(q, r)
	g.caching(q, r, q.track.target())
}

// playlistTypes are the media types of playlists; §4 has the first two, the others are older names of them.
var playlistTypes = []string{"application/vnd.apple.mpegurl", "audio/mpegurl", "application/x-mpegurl", "audio/x-mpegurl"}

func (g *page) playlistHeader(q *Request, r *Response) {
	if kind := mediaType(r); !slices.Contains(playlistTypes, strings.ToLower(kind)) {
		g.found("playlist-type", nil, "the Content-Type is %q", kind)
	}
	if coding := r.header("Content-Encoding"); coding == "" {
		g.found("gzip-missing", nil, "there is no Content-Encoding")
	} else if !strings.Contains(strings.Join(r.Header["Vary"], ","), "Accept-Encoding") {
		g.found("vary-missing", nil, "the Content-Encoding is %s", coding)
	}
	modified, errM := time.Parse(time.RFC1123, r.header("Last-Modified"))
	date, errD := time.Parse(time.RFC1123, r.header("Date"))
	if target := q.track.target(); errM == nil && errD == nil && target > 0 && date.Sub(modified) > 3*target {
		g.found("last-modified-old", nil, "Last-Modified is %v before Date", date.Sub(modified))
	}
}

func mediaType(r *Response) string {
	kind, _, _ := strings.Cut(r.header("Content-Type"), ";")
	return strings.TrimSpace(kind)
}

func (t *track) target() time.Duration {
	if t == nil || t.last == nil {
		return 0
	}
	return t.last.target
}

// mediaTypes are those of §3 and Apple's list.
var mediaTypes = []string{
	"video/mp4", "audio/mp4", "video/iso.segment", "audio/iso.segment", "application/mp4", "video/mp2t",
	"text/vtt", "audio/aac", "audio/mpeg",
}

func (g *page) mediaHeader(q *Request, r *Response) {
	kind := strings.ToLower(mediaType(r))
	switch format := q.track.kindName(); {
	case !slices.Contains(mediaTypes, kind),
		format != "" && strings.HasSuffix(kind, "/mp4") && kind != "application/mp4" && !strings.HasPrefix(kind, format):
		g.found("media-type", nil, "the Content-Type is %q", kind)
	}
	if r.header("Etag") == "" && r.header("Last-Modified") == "" {
		g.found("etag-missing", nil, "there is no ETag")
	}
}

// caching checks Cache-Control (appendix B.1).
func (g *page) caching(q *Request, r *Response, target time.Duration) {
	age := maxAge(r)
	switch {
	case r.header("Cache-Control") == "":
		g.found("cache-control-missing", nil, "there is none")
	case target == 0 || q.track.ended:
	case q.Kind == MediaPlaylist && !directivesOf(q.URL).blocking:
		// Half a target may be less than a second, which Cache-Control cannot say.
		if age > max(target/2, time.Second) {
			g.found("cache-control-long", nil, "%s, the target is %v", r.header("Cache-Control"), target)
		}
	case age < 6*target:
		g.found("cache-control-short", nil, "%s, the target is %v", r.header("Cache-Control"), target)
	}
}

// maxAge returns how long an answer may be kept, 0 when that is not said.
func maxAge(r *Response) time.Duration {
	for directive := range strings.SplitSeq(r.header("Cache-Control"), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		if n, err := strconv.Atoi(value); name == "max-age" && err == nil {
			return time.Duration(n) * time.Second
		}
	}
	return 0
}

// unavailable reports that a playlist did not come.
func (g *page) unavailable(r *Response) {
	switch {
	case r.Status == 0:
		g.found("playlist-unavailable", nil, "%v", r.Err)
	case r.Status >= 400 && r.Status < 500 && r.Status != 429:
		g.found("playlist-gone", nil, "the status is %d", r.Status)
	default:
		g.found("playlist-unavailable", nil, "the status is %d after %v", r.Status, r.At.Sub(r.Asked).Round(time.Millisecond))
	}
}
