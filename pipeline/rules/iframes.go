package rules

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
)

const iFrameStream = "EXT-X-I-FRAME-STREAM-INF"

// picturesAt returns the tag that names an I-frame playlist, nil when none does.
func (m *multivariant) picturesAt(uri string) *tag {
	for i := range m.tags[iFrameStream] {
		if t := &m.tags[iFrameStream][i]; t.attrs.text("URI") == uri {
			return t
		}
	}
	return nil
}

// iFrameStreams checks EXT-X-I-FRAME-STREAM-INF.
func (g *page) iFrameStreams(m *multivariant) {
	for i := range m.tags[iFrameStream] {
		t := &m.tags[iFrameStream][i]
		line := []string{t.line}
		if _, ok := t.attrs.number("BANDWIDTH"); !ok || t.attrs.text("URI") == "" {
			g.found("i-frame-stream-form", line, "BANDWIDTH or URI is missing")
		}
		for _, name := range []string{"FRAME-RATE", "AUDIO", "SUBTITLES", "CLOSED-CAPTIONS"} {
			if t.attrs.has(name) {
				g.found("i-frame-stream-form", line, "%s is not for I-frames", name)
			}
		}
	}
}

// promisedPictures holds an init section against what the multivariant playlist says of the I-frames.
func (t *tag) promisedPictures(g *page, info *cmaf.InitInfo) {
	if info.Codec.Kind() == codecs.Video {
		g.shown(&variant{tag: *t}, info)
	}
	said, ok := t.attrs.get("CODECS")
	if !ok {
		return
	}
	for c := range strings.SplitSeq(said, ",") {
		if sameFormat(strings.TrimSpace(c), info.Codecs) {
			return
		}
	}
	g.found("i-frame-codecs-wrong", []string{t.line}, "the init section has %s", info.Codecs)
}

// iFrames checks what must hold of a playlist of I-frames besides what holds of every playlist.
func (t *track) iFrames(g *page, p *playlist) {
	only := p.has("EXT-X-I-FRAMES-ONLY")
	if t.pictures != nil && !only {
		g.found("i-frames-only-missing", []string{t.pictures.line}, "%s has none", t.url)
	}
	if only && p.lowLatency() {
		g.found("i-frames-only-parts", p.lines("EXT-X-PART-INF"), "there are parts")
	}
	if !only || p.endList || p.delta {
		return
	}
	for _, other := range t.c.tracks {
		if other.last == nil || other.last.has("EXT-X-I-FRAMES-ONLY") || other.last.delta || g.at.Sub(other.lastAt) > p.target {
			continue
		}
		t.sameWindow(g, p, other)
		return // one reference is enough
	}
}

// sameWindow holds what is listed against a variant. One may be read a segment before the other.
func (t *track) sameWindow(g *page, p *playlist, other *track) {
	from, to := p.span()
	otherFrom, otherTo := other.last.span()
	if from.IsZero() || otherFrom.IsZero() {
		return
	}
	if off := from.Sub(otherFrom); off.Abs() > 2*p.target {
		g.found("i-frame-window-differs", p.lines("EXT-X-MEDIA-SEQUENCE"), "it begins %v after %s", off, other.url)
	}
	if off := to.Sub(otherTo); off.Abs() > 2*p.target {
		g.found("i-frame-window-differs", p.lines("EXT-X-MEDIA-SEQUENCE"), "it ends %v after %s", off, other.url)
	}
}

// span returns from when to when the playlist's whole segments are; zero when they are not dated.
func (p *playlist) span() (from, to time.Time) {
	list := p.closed()
	if len(list) == 0 || list[0].date.IsZero() || list[len(list)-1].date.IsZero() {
		return time.Time{}, time.Time{}
	}
	last := &list[len(list)-1]
	return list[0].date, last.date.Add(last.duration)
}

// picture returns the request for an I-frame.
func (t *track) picture(s *segment) (Request, bool) {
	if s.gap || !s.byteRange || s.rangeSize == 0 || t.pictures == nil {
		return Request{}, false
	}
	q := t.get(Picture, s.uri, place{s.msn, -1})
	q.Range = fmt.Sprintf("bytes=%d-%d", s.rangeFrom, s.rangeFrom+s.rangeSize-1)
	return q, true
}

// checkPicture looks at what a byte range gives.
func (t *track) checkPicture(g *page, q *Request, r *Response) {
	s := t.listings[q.place.msn]
	if s == nil || t.pictures == nil {
		return
	}
	if r.Status != 206 || int64(len(r.Body)) != s.rangeSize {
		g.found("i-frame-range-ignored", []string{s.uri}, "%s got status %d and %d bytes", q.Range, r.Status, len(r.Body))
		return
	}
	if isFragment(&s.segment) {
		t.wholePicture(g, q, r.Body)
	}
	if s.duration < t.last.target/2 {
		return // too short a time for a peak (§4.1)
	}
	rate := codecs.MulDiv(8*s.rangeSize, int64(time.Second), int64(s.duration))
	if said, ok := t.pictures.attrs.number("BANDWIDTH"); ok && rate > said*5/4 {
		g.found("i-frame-bandwidth-low", []string{t.pictures.line}, "an I-frame takes %d bit/s", rate)
	}
}

func (t *track) wholePicture(g *page, q *Request, body []byte) {
	end, err := cmaf.FirstPicture(withRest(body))
	if err == nil && end > int64(len(body)) {
		err = fmt.Errorf("the picture ends after %d bytes", end)
	}
	if err != nil {
		g.found("i-frame-wrong", []string{q.Range}, "I-frame %v: %v", q.place, err)
	}
}

// maxRest bounds the media after an I-frame in its mdat.
const maxRest = 64 << 20

// withRest returns data with what its last box lacks: the range ends with the picture, the mdat does not.
func withRest(data []byte) []byte {
	rest := data
	for len(rest) >= 8 {
		size := uint64(binary.BigEndian.Uint32(rest))
		if size < 8 || size > maxRest {
			return data
		}
		if missing := int(size) - len(rest); missing > 0 {
			return append(data[:len(data):len(data)], make([]byte, missing)...)
		}
		rest = rest[size:]
	}
	return data
}
