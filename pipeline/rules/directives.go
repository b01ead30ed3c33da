package rules

import (
	"slices"
	"strings"
	"time"
)

// directives holds a playlist against what was asked for (§6.2.5).
func (t *track) directives(g *page, p *playlist, d directives, r *Response) {
	canBlock := p.control().yes("CAN-BLOCK-RELOAD")
	if d.blocking && canBlock && !p.endList {
		if !d.satisfied(p) {
			g.found("blocking-early", p.lines("EXT-X-MEDIA-SEQUENCE"),
				"asked for what holds %v, the answer ends before %v", place{d.msn, d.part}, p.end())
		}
		if held := r.At.Sub(r.Asked); held > 3*p.target+4*patience {
			g.found("blocking-slow", nil, "it was held for %v", held.Round(time.Millisecond))
		}
	}
	line := p.lines("EXT-X-SKIP")
	boundary := p.control().seconds("CAN-SKIP-UNTIL")
	switch {
	case p.delta && d.skip == "":
		g.found("skip-unasked", line, "the request had no _HLS_skip")
	case p.delta && d.skip == "v2" && !p.attrs("EXT-X-SKIP").has("RECENTLY-REMOVED-DATERANGES"):
		g.found("skip-date-ranges", line, "the request had _HLS_skip=v2")
	case !p.delta && d.skip != "" && boundary > 0 && !p.endList && p.skippable(boundary):
		g.found("skip-ignored", p.lines("EXT-X-SERVER-CONTROL"), "the request had _HLS_skip=%s", d.skip)
	}
}

// satisfied reports whether a playlist has what a blocking request asks for.
func (d directives) satisfied(p *playlist) bool {
	end := p.end()
	if d.part < 0 {
		return d.msn < end.msn
	}
	for i := range p.segments {
		if s := &p.segments[i]; s.msn == d.msn && s.complete() && len(s.parts) > 0 && d.part >= len(s.parts) {
			return (place{d.msn + 1, 0}).before(end)
		}
	}
	return (place{d.msn, d.part}).before(end)
}

// skippable reports whether a segment begins further from the end than the boundary, with a segment to spare.
func (p *playlist) skippable(boundary time.Duration) bool {
	var behind time.Duration
	closed := p.closed()
	for i := len(closed) - 1; i >= 0; i-- {
		if behind > boundary {
			return true
		}
		behind += closed[i].duration
	}
	return false
}

// merge puts what a delta update skips back in, where it is known.
func (t *track) merge(g *page, p *playlist, d directives) {
	if !p.delta || t.last == nil || d.skip == "" {
		return
	}
	t.checkSkip(g, p)
	if p.attrs("EXT-X-SKIP").has("RECENTLY-REMOVED-DATERANGES") {
		t.mergeRanges(p)
	}
	var skipped []segment
	for msn := p.mediaSequence; msn < p.mediaSequence+p.skipped; msn++ {
		known := t.listings[msn]
		if known == nil || !known.closed {
			return
		}
		s := known.segment
		s.parts = nil
		skipped = append(skipped, s)
	}
	if len(skipped) == 0 || len(p.segments) == 0 {
		return
	}
	last := &skipped[len(skipped)-1]
	before := last.number - p.sequence
	uri := last.mapURI
	for i := range p.segments {
		s := &p.segments[i]
		s.number += before
		if s.newMap {
			uri = s.mapURI
		}
		s.mapURI = uri
	}
	p.segments, p.skipped, p.delta = append(skipped, p.segments...), 0, false
}

// mergeRanges puts the date ranges that a delta update skips back in: those that were known and are not named as removed
// (§4.4.5.2, §6.3.7).
func (t *track) mergeRanges(p *playlist) {
	const name = "EXT-X-DATERANGE"
	removed := strings.Split(p.attrs("EXT-X-SKIP").text("RECENTLY-REMOVED-DATERANGES"), "\t")
	var all []tag
	for _, known := range t.last.tags[name] {
		again := slices.ContainsFunc(p.tags[name], func(now tag) bool { return now.line == known.line })
		if !again && !slices.Contains(removed, known.attrs.text("ID")) {
			all = append(all, known)
		}
	}
	p.tags[name] = append(all, p.tags[name]...)
}

// checkSkip checks how many segments are skipped, by the URIs that follow. A wrong number is put right, so that it is
// found once.
func (t *track) checkSkip(g *page, p *playlist) {
	line := p.lines("EXT-X-SKIP")
	for i := range p.segments {
		at, ok := t.uris[p.segments[i].uri]
		if !ok {
			continue
		}
		off := p.segments[i].msn - at.msn
		if off == 0 {
			break
		}
		g.found("skip-count", append(line, p.segments[i].uri), "segment %d would be %d", at.msn, p.segments[i].msn)
		p.skipped -= off
		for j := range p.segments {
			p.segments[j].msn -= off
		}
		break
	}
	boundary := p.control().seconds("CAN-SKIP-UNTIL")
	var listed time.Duration
	for _, s := range p.closed() {
		listed += s.duration
	}
	if last := t.listings[p.mediaSequence+p.skipped-1]; last != nil && listed+last.duration < boundary {
		g.found("skip-boundary", line, "%v are listed, the Skip Boundary is %v", listed, boundary)
	}
}
