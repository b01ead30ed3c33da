package rules

import "time"

// constants never change in the life of a playlist: Apple's players stop for good when they do.
type constants struct {
	target, partTarget time.Duration
	control            attributes
}

func constantsOf(p *playlist) *constants { return &constants{p.target, p.partTarget, p.control()} }

// overTime holds a playlist against those before.
func (t *track) overTime(g *page, p *playlist) {
	t.checkConstants(g, p)
	if t.last == nil {
		t.ranges = rangesOf(p)
		t.note(g, p)
		return
	}
	if !t.checkWindow(g, p) {
		return
	}
	t.checkLateness(g, p)
	t.checkHint(g, p)
	t.checkRanges(g, p)
	t.note(g, p)
}

func (t *track) checkConstants(g *page, p *playlist) {
	now, before := constantsOf(p), t.constants
	t.constants = now
	if before == nil {
		return
	}
	if now.target != before.target {
		g.found("target-duration-changed", p.lines("EXT-X-TARGETDURATION"), "it was %v", before.target)
	}
	if now.partTarget != before.partTarget {
		g.found("part-target-changed", p.lines("EXT-X-PART-INF"), "it was %v", before.partTarget)
	}
	if !now.control.same(before.control) {
		g.found("server-control-changed", p.lines("EXT-X-SERVER-CONTROL"), "it was %v", before.control.pairs())
	}
}

// pairs returns the attributes as NAME=value.
func (a attributes) pairs() (list []string) {
	for i := range a {
		list = append(list, a[i].name+"="+a[i].value)
	}
	return list
}

// checkWindow checks that the window moves forward. It returns false for a playlist that is old.
func (t *track) checkWindow(g *page, p *playlist) bool {
	line := p.lines("EXT-X-MEDIA-SEQUENCE")
	end, last := p.end(), t.last
	if p.mediaSequence < last.mediaSequence {
		g.found("media-sequence-back", line, "it was %d", last.mediaSequence)
	}
	if end.before(t.end) {
		g.found("playlist-back", line, "the playlist ended before %v, now before %v", t.end, end)
		return p.mediaSequence >= last.mediaSequence
	}
	if t.ended && end != t.end {
		g.found("end-changed", line, "the playlist ended before %v, now before %v", t.end, end)
	}
	if t.followed && p.mediaSequence > last.end().msn+1 {
		g.found("media-sequence-skip", line, "the playlist ended before %v, segments up to %d were never listed", last.end(), p.mediaSequence-1)
	}
	if p.endList || p.mediaSequence <= last.mediaSequence {
		return true
	}
	var length time.Duration
	for i := range p.segments {
		length += p.segments[i].length()
	}
	if length += time.Duration(min(p.skipped, 3)) * p.target; length < 3*p.target {
		g.found("window-short", line, "%v remain, three target durations are %v", length, 3*p.target)
	}
	if n := int64(len(p.closed())) + p.skipped; n < 6 {
		g.found("window-few", line, "it lists %d segments", n)
	}
	return true
}

// checkLateness checks that segments and parts come in time, while no answer was missed.
func (t *track) checkLateness(g *page, p *playlist) {
	if !t.followed || p.endList {
		return
	}
	slack := patience + 2*t.pollAfter()
	if late := g.at.Sub(t.segmentAt); late > p.target*3/2+slack {
		g.found("segment-late", nil, "none came in %v, the target is %v", late.Round(time.Millisecond), p.target)
		t.segmentAt = g.at
	}
	if late := g.at.Sub(t.partAt); p.partTarget > 0 && t.pollAfter() == 0 && late > 2*p.partTarget {
		g.found("part-late", nil, "it came %v after the last, PART-TARGET is %v", late.Round(time.Millisecond), p.partTarget)
	}
}

// checkHint checks that the next part is the one that was hinted: some players have asked for it already.
func (t *track) checkHint(g *page, p *playlist) {
	if t.hinted == "" {
		return
	}
	at := t.last.end()
	for i := range p.segments {
		s := &p.segments[i]
		next, index := at, at.part
		if s.msn == at.msn+1 && at.part > 0 && t.lastPartOf(p, at) {
			next, index = place{at.msn + 1, 0}, 0 // the segment had no more parts than those
		}
		if s.msn == next.msn && index < len(s.parts) {
			if uri := s.parts[index].uri; uri != t.hinted {
				g.found("hint-wrong", []string{s.parts[index].line}, "part %v was hinted as %s", next, t.hinted)
			}
			return
		}
	}
}

// lastPartOf reports whether the segment at a place got no further parts.
func (t *track) lastPartOf(p *playlist, at place) bool {
	for i := range p.segments {
		if s := &p.segments[i]; s.msn == at.msn {
			return s.complete() && len(s.parts) <= at.part
		}
	}
	return false
}

// checkRanges checks that date ranges stay, and stay what they are.
func (t *track) checkRanges(g *page, p *playlist) {
	now := rangesOf(p)
	for id, before := range t.ranges {
		a, there := now[id]
		if name, ok := changedAttribute(before, a); ok {
			g.found("date-range-changed", p.lines("EXT-X-DATERANGE"), "%s of %q was %q", name, id, before.text(name))
		}
		if end, ok := rangeEnd(before); !there && ok && len(p.segments) > 0 && end.After(p.segments[0].date) {
			g.found("date-range-removed", nil, "%q ends at %v, the playlist begins at %v", id, end, p.segments[0].date)
		}
	}
	t.ranges = now
}

func rangesOf(p *playlist) map[string]attributes {
	ranges := map[string]attributes{}
	for _, tag := range p.tags["EXT-X-DATERANGE"] {
		id := tag.attrs.text("ID")
		ranges[id] = append(ranges[id], tag.attrs...)
	}
	return ranges
}

// rangeEnd returns when a date range ends, if that is known.
func rangeEnd(a attributes) (time.Time, bool) {
	start, _, ok := readDate(a.text("START-DATE"))
	if end, _, said := readDate(a.text("END-DATE")); said {
		return end, true
	}
	return start.Add(a.seconds("DURATION")), ok && (a.has("DURATION") || !a.has("END-ON-NEXT"))
}

// note holds each listed segment against what is known of it, and remembers it.
func (t *track) note(g *page, p *playlist) {
	for i := range p.segments {
		s := &p.segments[i]
		known := t.listings[s.msn]
		if known == nil {
			known = &listing{seenAt: g.at, fresh: t.last != nil && t.followed, segment: *s}
			t.listings[s.msn] = known
		} else {
			t.compare(g, known, s)
		}
		t.claim(g, s)
		t.checkGoneHint(g, s)
		parts := known.parts
		if !known.closed {
			known.segment, known.closed = *s, s.complete()
		}
		if len(s.parts) >= len(parts) {
			known.parts = s.parts
			continue
		}
		known.parts = parts
		if known.partsLeft.IsZero() && len(s.parts) == 0 {
			known.partsLeft = g.at
		}
	}
}

// checkGoneHint reports a hinted part that was not there when it was asked for, and came after all. A server may also
// not publish what it hinted (§6.2.6).
func (t *track) checkGoneHint(g *page, s *segment) {
	part := t.goneHint.part
	if t.goneHint.msn != s.msn || part >= len(s.parts) {
		return
	}
	if !s.parts[part].gap {
		g.found("hint-gone", []string{s.parts[part].line}, "part %v got status 404 when it was hinted", t.goneHint)
	}
	t.goneHint = place{-1, 0}
}

// compare checks that a segment is what it was.
func (t *track) compare(g *page, known *listing, s *segment) {
	if known.number != s.number {
		g.found("discontinuity-sequence-changed", []string{s.name()}, "segment %d has number %d, had %d", s.msn, s.number, known.number)
		known.number = s.number
	}
	if !known.date.IsZero() && !known.date.Equal(s.date) {
		g.found("date-time-changed", []string{known.dateLine, s.dateLine}, "segment %d is dated otherwise than before", s.msn)
	}
	if known.discontinuity != s.discontinuity || known.mapURI != s.mapURI && s.mapURI != "" && known.mapURI != "" {
		g.found("segment-changed", []string{s.name()}, "the EXT-X-DISCONTINUITY or EXT-X-MAP of segment %d is another than before", s.msn)
	}
	t.compareParts(g, known, s)
	if !known.closed {
		return
	}
	if known.uri != s.uri {
		g.found("uri-changed", []string{s.uri}, "segment %d was %s", s.msn, known.uri)
	}
	if known.duration != s.duration {
		g.found("extinf-changed", []string{known.inf, s.inf}, "segment %d lasts otherwise than before", s.msn)
	}
	if known.gap != s.gap {
		g.found("segment-changed", []string{s.uri}, "the EXT-X-GAP of segment %d came or went", s.msn)
	}
}

// compareParts checks the parts that are listed again. Old segments lose theirs.
func (t *track) compareParts(g *page, known *listing, s *segment) {
	if len(s.parts) < len(known.parts) && !s.complete() {
		g.found("playlist-back", []string{s.name()}, "segment %d had %d parts, has %d", s.msn, len(known.parts), len(s.parts))
	}
	if len(s.parts) < len(known.parts) {
		return
	}
	for i := range known.parts {
		was, is := &known.parts[i], &s.parts[i]
		switch {
		case was.uri != is.uri:
			g.found("uri-changed", []string{was.line, is.line}, "part %d.%d has another URI", s.msn, i)
		case was.duration != is.duration:
			g.found("extinf-changed", []string{was.line, is.line}, "part %d.%d lasts otherwise than before", s.msn, i)
		case was.gap != is.gap:
			g.found("segment-changed", []string{was.line, is.line}, "the GAP of part %d.%d came or went", s.msn, i)
		}
	}
}

// claim notes that URIs stand for their places, and for no others.
func (t *track) claim(g *page, s *segment) {
	one := func(uri string, at place) {
		if other, ok := t.uris[uri]; ok && other != at && other.msn != at.msn {
			g.found("uri-twice", []string{uri}, "it stands for %v and for %v", other, at)
		}
		t.uris[uri] = at
	}
	if s.complete() && !s.byteRange {
		one(s.uri, place{s.msn, -1})
	}
	for i := range s.parts {
		if !s.parts[i].byteRange {
			one(s.parts[i].uri, place{s.msn, i})
		}
	}
}
