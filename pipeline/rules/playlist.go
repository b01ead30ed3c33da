package rules

import (
	"strconv"
	"strings"
	"time"
)

// playlist is a media playlist as it was read, however wrong.
type playlist struct {
	tags          map[string][]tag // those that are not of a segment
	version       int64
	target        time.Duration
	partTarget    time.Duration
	mediaSequence int64
	sequence      int64 // EXT-X-DISCONTINUITY-SEQUENCE
	skipped       int64
	delta         bool
	endList       bool
	segments      []segment // the last may be in progress
	wrong         []wrongLine
	needs         int64 // the lowest EXT-X-VERSION
}

type wrongLine struct{ line, why string }

// segment is a Media Segment as it is listed.
type segment struct {
	msn           int64
	number        int64 // Discontinuity Sequence Number
	uri           string
	duration      time.Duration
	inf           string // the EXTINF line
	noInf         bool
	discontinuity bool
	gap           bool
	mapURI        string
	newMap        bool // an EXT-X-MAP stands before it
	date          time.Time
	dateLine      string
	dateForm      bool
	bitrate       int64 // EXT-X-BITRATE in force, in kbit/s
	byteRange     bool
	rangeFrom     int64 // of EXT-X-BYTERANGE
	rangeSize     int64 // likewise; 0: not said, or not where it begins
	parts         []part
	afterPart     []string // tags that must stand before the first part
}

func (s *segment) complete() bool { return s.uri != "" }

type part struct {
	uri         string
	duration    time.Duration
	independent bool
	gap         bool
	byteRange   bool
	line        string
}

func (p *playlist) control() attributes { return p.attrs("EXT-X-SERVER-CONTROL") }

func (p *playlist) attrs(name string) attributes {
	if t := p.tags[name]; len(t) > 0 {
		return t[0].attrs
	}
	return nil
}

func (p *playlist) has(name string) bool { return len(p.tags[name]) > 0 }

func (p *playlist) lines(name string) (list []string) {
	for i := range p.tags[name] {
		list = append(list, p.tags[name][i].line)
	}
	return list
}

// lowLatency reports whether the playlist has parts.
func (p *playlist) lowLatency() bool {
	if p.has("EXT-X-PART-INF") {
		return true
	}
	for i := range p.segments {
		if len(p.segments[i].parts) > 0 {
			return true
		}
	}
	return false
}

// end returns the place after the newest part.
func (p *playlist) end() place {
	n := int64(len(p.segments))
	if n == 0 {
		return place{p.mediaSequence + p.skipped, 0}
	}
	if last := &p.segments[n-1]; !last.complete() {
		return place{last.msn, len(last.parts)}
	}
	return place{p.segments[n-1].msn + 1, 0}
}

// closed returns the segments that are complete.
func (p *playlist) closed() []segment {
	if n := len(p.segments); n > 0 && !p.segments[n-1].complete() {
		return p.segments[:n-1]
	}
	return p.segments
}

// reader makes a playlist of lines.
type reader struct {
	*playlist
	next    segment
	mapURI  string
	bitrate int64
	number  int64
}

func readPlaylist(body []byte) *playlist {
	r := &reader{playlist: &playlist{tags: map[string][]tag{}, version: 1, needs: 1}}
	lines(body, r.tag, r.uri, func(line, why string) { r.wrong = append(r.wrong, wrongLine{line, why}) })
	if len(r.next.parts) > 0 {
		r.finish()
	}
	for i := range r.segments {
		s := &r.segments[i]
		s.msn = r.mediaSequence + r.skipped + int64(i)
		s.number += r.sequence
	}
	return r.playlist
}

// need raises the version that the playlist must declare (§8).
func (r *reader) need(version int64) { r.needs = max(r.needs, version) }

// maxNumber bounds the numbers of a playlist, so that sums of them stay within 63 bits.
const (
	maxNumber = 1 << 48
	maxTarget = 1 << 20 // seconds
)

func (r *reader) number64(t tag, text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > maxNumber {
		r.wrong = append(r.wrong, wrongLine{t.line, "want a decimal integer"})
		return 0
	}
	return n
}

func (r *reader) tag(t tag) {
	if r.segmentTag(t) {
		return
	}
	r.tags[t.name] = append(r.tags[t.name], t)
	switch t.name {
	case "EXT-X-VERSION":
		r.version = r.number64(t, t.value)
	case "EXT-X-TARGETDURATION":
		r.target = time.Duration(min(r.number64(t, t.value), maxTarget)) * time.Second
	case "EXT-X-MEDIA-SEQUENCE":
		r.mediaSequence = r.number64(t, t.value)
	case "EXT-X-DISCONTINUITY-SEQUENCE":
		r.sequence = r.number64(t, t.value)
	case "EXT-X-PART-INF":
		r.partTarget = t.attrs.seconds("PART-TARGET")
	case "EXT-X-ENDLIST":
		r.endList = true
	case "EXT-X-I-FRAMES-ONLY":
		r.need(4)
	case "EXT-X-DEFINE":
		r.need(8)
		if t.attrs.has("QUERYPARAM") {
			r.need(11)
		}
	case "EXT-X-SKIP":
		r.delta = true
		r.skipped = r.number64(t, t.attrs.text("SKIPPED-SEGMENTS"))
		r.need(9)
		if t.attrs.has("RECENTLY-REMOVED-DATERANGES") {
			r.need(10)
		}
	}
	for _, a := range t.attrs {
		if strings.HasPrefix(a.name, "REQ-") {
			r.need(12)
		}
	}
}

// segmentTag takes the tags of §4.4.4.
func (r *reader) segmentTag(t tag) bool {
	s := &r.next
	early := false
	switch t.name {
	case "EXTINF":
		r.inf(t)
	case "EXT-X-BYTERANGE":
		s.byteRange = true
		s.rangeSize, s.rangeFrom = r.byteRange(t)
		r.need(4)
	case "EXT-X-DISCONTINUITY":
		s.discontinuity, early = true, true
		r.number++
	case "EXT-X-KEY":
		early = true
		if t.attrs.has("KEYFORMAT") || t.attrs.has("KEYFORMATVERSIONS") {
			r.need(5)
		}
		r.tags[t.name] = append(r.tags[t.name], t)
	case "EXT-X-MAP":
		r.mapURI, s.newMap, early = t.attrs.text("URI"), true, true
		r.need(6)
		r.tags[t.name] = append(r.tags[t.name], t)
	case "EXT-X-PROGRAM-DATE-TIME":
		var ok bool
		if s.date, s.dateForm, ok = readDate(t.value); !ok {
			r.wrong = append(r.wrong, wrongLine{t.line, "want a date such as 2026-01-02T03:04:05.678Z"})
		}
		s.dateLine, early = t.line, true
	case "EXT-X-GAP":
		s.gap = true
	case "EXT-X-BITRATE":
		r.bitrate = r.number64(t, t.value)
	case "EXT-X-PART":
		r.part(t)
	default:
		return false
	}
	if early && len(s.parts) > 0 {
		s.afterPart = append(s.afterPart, t.line)
	}
	return true
}

// byteRange reads EXT-X-BYTERANGE. Without an offset a range follows the one before, which is not followed up here.
func (r *reader) byteRange(t tag) (length, from int64) {
	n, offset, ok := strings.Cut(t.value, "@")
	length = r.number64(t, n)
	if !ok {
		return 0, 0
	}
	return length, r.number64(t, offset)
}

func (r *reader) inf(t tag) {
	text, _, _ := strings.Cut(t.value, ",")
	d, ok := seconds(text)
	if !ok {
		r.wrong = append(r.wrong, wrongLine{t.line, "want a duration and a comma"})
	}
	if strings.Contains(text, ".") {
		r.need(3)
	}
	r.next.duration, r.next.inf = d, t.line
}

func (r *reader) part(t tag) {
	if !t.attrs.has("URI") || !t.attrs.has("DURATION") {
		r.wrong = append(r.wrong, wrongLine{t.line, "want URI and DURATION"})
	}
	r.next.parts = append(r.next.parts, part{
		uri: t.attrs.text("URI"), duration: t.attrs.seconds("DURATION"), line: t.line,
		independent: t.attrs.yes("INDEPENDENT"), gap: t.attrs.yes("GAP"), byteRange: t.attrs.has("BYTERANGE"),
	})
}

func (r *reader) uri(line string) {
	r.next.uri, r.next.noInf = line, r.next.inf == ""
	r.finish()
}

func (r *reader) finish() {
	r.next.mapURI, r.next.bitrate, r.next.number = r.mapURI, r.bitrate, r.number
	r.segments = append(r.segments, r.next)
	r.next = segment{}
}
