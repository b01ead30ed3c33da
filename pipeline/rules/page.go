package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// page is one answer that is being looked at.
type page struct {
	c   *Checker
	url string
	at  time.Time
}

// found reports that a rule is broken.
func (g *page) found(id string, lines []string, format string, args ...any) {
	rule, _ := Find(id)
	g.c.report(Violation{Rule: rule, At: g.at, URL: g.url, Lines: lines, Detail: fmt.Sprintf(format, args...)})
}

func (g *page) syntax(wrong []wrongLine) {
	for _, w := range wrong {
		var line []string
		if w.line != "" {
			line = []string{w.line}
		}
		g.found("playlist-syntax", line, "%s", w.why)
	}
}

// version checks EXT-X-VERSION: what the tags need, and what they came with.
func (g *page) version(declared, needs, advised int64, tags map[string][]tag) {
	var line []string
	if t := tags["EXT-X-VERSION"]; len(t) > 0 {
		line = []string{t[0].line}
	}
	if declared < needs {
		g.found("version-low", line, "the version is %d, the tags need %d", declared, needs)
	}
	if high := max(needs, advised); declared > high && line != nil {
		g.found("version-high", line, "the version is %d, the tags need %d", declared, high)
	}
}

// onceTags stand in a media playlist at most once (§4.4.1, §4.4.3, §4.4.5).
var onceTags = []string{
	"EXTM3U", "EXT-X-VERSION", "EXT-X-INDEPENDENT-SEGMENTS", "EXT-X-START", "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE",
	"EXT-X-DISCONTINUITY-SEQUENCE", "EXT-X-ENDLIST", "EXT-X-PLAYLIST-TYPE", "EXT-X-I-FRAMES-ONLY", "EXT-X-PART-INF",
	"EXT-X-SERVER-CONTROL", "EXT-X-SKIP",
}

// mediaTags stand in media playlists only.
var mediaTags = map[string]bool{
	"EXT-X-TARGETDURATION": true, "EXT-X-MEDIA-SEQUENCE": true, "EXT-X-DISCONTINUITY-SEQUENCE": true, "EXT-X-ENDLIST": true,
	"EXT-X-PLAYLIST-TYPE": true, "EXT-X-I-FRAMES-ONLY": true, "EXT-X-PART-INF": true, "EXT-X-SERVER-CONTROL": true,
	"EXTINF": true, "EXT-X-BYTERANGE": true, "EXT-X-DISCONTINUITY": true, "EXT-X-KEY": true, "EXT-X-MAP": true,
	"EXT-X-PROGRAM-DATE-TIME": true, "EXT-X-GAP": true, "EXT-X-BITRATE": true, "EXT-X-PART": true, "EXT-X-SKIP": true,
	"EXT-X-DATERANGE": true, "EXT-X-PRELOAD-HINT": true, "EXT-X-RENDITION-REPORT": true,
}

var multivariantTags = []string{"EXT-X-MEDIA", "EXT-X-STREAM-INF", "EXT-X-I-FRAME-STREAM-INF", "EXT-X-SESSION-DATA", "EXT-X-SESSION-KEY"}

// playlist checks what a media playlist says by itself.
func (g *page) playlist(p *playlist) {
	g.syntax(p.wrong)
	g.version(p.version, p.needs, 1, p.tags)
	for _, name := range onceTags {
		if len(p.tags[name]) > 1 {
			g.found("tag-twice", p.lines(name), "%s stands %d times", name, len(p.tags[name]))
		}
	}
	for _, name := range multivariantTags {
		if p.has(name) {
			g.found("playlist-mixed", p.lines(name), "%s stands in a media playlist", name)
		}
	}
	if p.target < time.Second {
		g.found("target-duration-missing", p.lines("EXT-X-TARGETDURATION"), "it is %v", p.target)
	}
	for i := range p.segments {
		g.segment(p, &p.segments[i])
	}
	g.dates(p)
	g.window(p)
	g.start(p)
	g.keys(p)
	g.dateRanges(p)
	g.defines(p.tags)
	g.control(p)
	g.parts(p)
	g.hints(p)
}

// segment checks one segment.
func (g *page) segment(p *playlist, s *segment) {
	if s.noInf {
		g.found("extinf-missing", []string{s.uri}, "segment %d has none", s.msn)
	}
	if p.target > 0 && s.duration.Round(time.Second) > p.target {
		g.found("segment-over-target", []string{s.inf, s.uri}, "segment %d lasts %v, the target is %v", s.msn, s.duration, p.target)
	}
	if s.mapURI == "" && !p.delta && isFragment(s) {
		g.found("map-missing", []string{s.name()}, "segment %d has no EXT-X-MAP before it", s.msn)
	}
	if s.dateLine != "" && !s.dateForm {
		g.found("date-time-form", []string{s.dateLine}, "there is no zone, or no milliseconds")
	}
}

// name returns the URI of a segment, or of its first part.
func (s *segment) name() string {
	if s.uri == "" && len(s.parts) > 0 {
		return s.parts[0].uri
	}
	return s.uri
}

// isFragment reports whether a segment's name says that it is fMP4.
func isFragment(s *segment) bool {
	path, _, _ := strings.Cut(s.name(), "?")
	for _, extension := range []string{".m4s", ".mp4", ".m4v", ".m4a", ".cmfv", ".cmfa"} {
		if strings.HasSuffix(path, extension) {
			return true
		}
	}
	return false
}

// dateTolerance is how far a date may be off the sum of durations: audio segments begin with the first frame at or
// after the time that they are named for.
const dateTolerance = 50 * time.Millisecond

func (g *page) dates(p *playlist) {
	dated := slices.ContainsFunc(p.segments, func(s segment) bool { return !s.date.IsZero() })
	if !dated && len(p.segments) > 0 {
		g.found("date-time-missing", nil, "there is no EXT-X-PROGRAM-DATE-TIME")
		return
	}
	for i := range p.segments {
		s := &p.segments[i]
		switch {
		case s.date.IsZero() && s.discontinuity:
			g.found("date-time-missing", []string{s.name()}, "segment %d follows a discontinuity and has no date", s.msn)
		case s.date.IsZero():
			g.found("date-time-sparse", []string{s.name()}, "segment %d has no date", s.msn)
		case i > 0 && !p.segments[i-1].date.IsZero():
			g.dateAfter(&p.segments[i-1], s)
		}
	}
}

func (g *page) dateAfter(before, s *segment) {
	off := s.date.Sub(before.date.Add(before.duration))
	lines := []string{before.dateLine, before.inf, s.dateLine}
	switch {
	case off <= -time.Second || !s.date.After(before.date):
		g.found("date-time-ambiguous", lines, "segment %d begins %v before the end of the one before", s.msn, -off)
	case off.Abs() > dateTolerance && !s.discontinuity:
		g.found("date-time-drift", lines, "segment %d begins %v off the end of the one before", s.msn, off)
	}
}

// window checks what a sliding window must have.
func (g *page) window(p *playlist) {
	if p.endList {
		return
	}
	if p.has("EXT-X-PLAYLIST-TYPE") && p.mediaSequence > 0 {
		g.found("playlist-type-live", p.lines("EXT-X-PLAYLIST-TYPE"), "EXT-X-MEDIA-SEQUENCE is %d", p.mediaSequence)
	}
	tagged := slices.ContainsFunc(p.segments, func(s segment) bool { return s.discontinuity })
	if tagged && p.mediaSequence > 0 && !p.has("EXT-X-DISCONTINUITY-SEQUENCE") {
		g.found("discontinuity-sequence-missing", p.lines("EXT-X-MEDIA-SEQUENCE"), "there is an EXT-X-DISCONTINUITY")
	}
}

func (g *page) start(p *playlist) {
	for _, t := range p.tags["EXT-X-START"] {
		offset, negative := strings.CutPrefix(t.attrs.text("TIME-OFFSET"), "-")
		if d, ok := seconds(offset); negative && ok && d < 3*p.target && !p.endList {
			g.found("start-near-end", []string{t.line}, "it is %v from the end, three target durations are %v", d, 3*p.target)
		}
	}
}

func (g *page) keys(p *playlist) {
	for _, t := range p.tags["EXT-X-KEY"] {
		method, ok := t.attrs.get("METHOD")
		if !ok || method != "NONE" && !t.attrs.has("URI") || method == "NONE" && len(t.attrs) > 1 {
			g.found("key-form", []string{t.line}, "METHOD is %q", method)
		}
	}
}

// defines checks EXT-X-DEFINE. Variables of a media playlist may be imported.
func (g *page) defines(tags map[string][]tag) {
	for _, t := range tags["EXT-X-DEFINE"] {
		n := 0
		for _, name := range []string{"NAME", "IMPORT", "QUERYPARAM"} {
			if t.attrs.has(name) {
				n++
			}
		}
		if n != 1 || t.attrs.has("NAME") != t.attrs.has("VALUE") {
			g.found("define-form", []string{t.line}, "want NAME and VALUE, IMPORT, or QUERYPARAM")
		}
	}
}

// dateRanges checks EXT-X-DATERANGE.
func (g *page) dateRanges(p *playlist) {
	list := p.tags["EXT-X-DATERANGE"]
	if len(list) == 0 {
		return
	}
	if !slices.ContainsFunc(p.segments, func(s segment) bool { return !s.date.IsZero() }) {
		g.found("date-range-no-date-time", []string{list[0].line}, "there is no EXT-X-PROGRAM-DATE-TIME")
	}
	known := map[string]attributes{}
	for i := range list {
		t := &list[i]
		id := t.attrs.text("ID")
		before := known[id]
		if why := rangeFault(t.attrs, before); why != "" {
			g.found("date-range-form", []string{t.line}, "%s", why)
		}
		if name, ok := changedAttribute(before, t.attrs); ok {
			g.found("date-range-changed", []string{t.line}, "%s differs from an earlier tag of %q", name, id)
		}
		known[id] = append(slices.Clone(before), t.attrs...)
		if t.attrs.text("CLASS") == "com.apple.hls.interstitial" && t.attrs.has("X-ASSET-URI") == t.attrs.has("X-ASSET-LIST") {
			g.found("interstitial-form", []string{t.line}, "want one of X-ASSET-URI and X-ASSET-LIST")
		}
	}
}

// rangeFault says what is wrong with a date range, given the attributes of earlier tags of its ID.
func rangeFault(a, before attributes) string {
	start, _, hasStart := readDate(a.text("START-DATE"))
	end, _, hasEnd := readDate(a.text("END-DATE"))
	next := a.has("END-ON-NEXT")
	switch {
	case a.text("ID") == "":
		return "ID is missing"
	case !hasStart && !before.has("START-DATE"):
		return "START-DATE is missing"
	case hasEnd && hasStart && end.Before(start):
		return "END-DATE is before START-DATE"
	case hasEnd && hasStart && a.has("DURATION") && !start.Add(a.seconds("DURATION")).Equal(end):
		return "END-DATE is not START-DATE and DURATION"
	case strings.HasPrefix(a.text("DURATION"), "-") || strings.HasPrefix(a.text("PLANNED-DURATION"), "-"):
		return "a duration is negative"
	case next && (!a.has("CLASS") || a.has("DURATION") || a.has("END-DATE") || !a.yes("END-ON-NEXT")):
		return "END-ON-NEXT=YES needs CLASS, and no DURATION or END-DATE"
	}
	for _, name := range []string{"SCTE35-CMD", "SCTE35-OUT", "SCTE35-IN"} {
		if v, ok := a.get(name); ok && !isHex(v) {
			return name + " is no hexadecimal sequence"
		}
	}
	return ""
}

func isHex(s string) bool {
	digits := strings.TrimPrefix(strings.TrimPrefix(s, "0x"), "0X")
	return len(digits) == len(s)-2 && digits != "" && strings.Trim(digits, "0123456789abcdefABCDEF") == ""
}

// changedAttribute returns an attribute that both lists have with different values.
func changedAttribute(before, now attributes) (string, bool) {
	for _, a := range now {
		if v, ok := before.get(a.name); ok && v != a.value {
			return a.name, true
		}
	}
	return "", false
}
