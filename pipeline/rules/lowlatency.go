package rules

import (
	"net/url"
	"time"
)

// control checks EXT-X-SERVER-CONTROL.
func (g *page) control(p *playlist) {
	c, line := p.control(), p.lines("EXT-X-SERVER-CONTROL")
	if d, ok := c.get("HOLD-BACK"); ok && c.seconds("HOLD-BACK") < 3*p.target {
		g.found("hold-back-short", line, "it is %s, three target durations are %v", d, 3*p.target)
	}
	if d, ok := c.get("CAN-SKIP-UNTIL"); ok && c.seconds("CAN-SKIP-UNTIL") < 6*p.target {
		g.found("skip-until-short", line, "it is %s, six target durations are %v", d, 6*p.target)
	}
	if c.yes("CAN-SKIP-DATERANGES") && !c.has("CAN-SKIP-UNTIL") {
		g.found("skip-until-missing", line, "there is CAN-SKIP-DATERANGES")
	}
	if !p.lowLatency() {
		return
	}
	if !p.endList && !c.yes("CAN-BLOCK-RELOAD") {
		g.found("blocking-missing", line, "there are parts")
	}
	back := c.seconds("PART-HOLD-BACK")
	switch {
	case !c.has("PART-HOLD-BACK"):
		g.found("part-hold-back-missing", line, "there are parts")
	case back < 2*p.partTarget:
		g.found("part-hold-back-short", line, "it is %v, PART-TARGET is %v", back, p.partTarget)
	case back < 3*p.partTarget:
		g.found("part-hold-back-low", line, "it is %v, PART-TARGET is %v", back, p.partTarget)
	}
}

// parts checks the parts of all segments.
func (g *page) parts(p *playlist) {
	if p.lowLatency() && p.partTarget == 0 {
		g.found("part-target-missing", p.lines("EXT-X-PART-INF"), "there are parts")
		return
	}
	after := time.Duration(0) // from the end of a segment's first part to that of the playlist
	for i := len(p.segments) - 1; i >= 0; i-- {
		s := &p.segments[i]
		if len(s.afterPart) > 0 {
			g.found("part-tags-late", s.afterPart, "segment %d has a part before them", s.msn)
		}
		g.partsOf(p, s)
		after += s.length()
		// Removal takes whole segments in most servers, so one segment is let pass.
		if len(s.parts) > 0 && !p.endList && after-s.length() > 3*p.target {
			g.found("parts-kept", []string{s.parts[0].line}, "segment %d ends %v from the end", s.msn, after-s.length())
		}
	}
}

// length returns a segment's duration, or that of its parts.
func (s *segment) length() time.Duration {
	if s.complete() {
		return s.duration
	}
	return sumOf(s.parts)
}

func sumOf(parts []part) (sum time.Duration) {
	for i := range parts {
		sum += parts[i].duration
	}
	return sum
}

// rounding is how far decimals of a playlist may be off.
const rounding = time.Millisecond

func (g *page) partsOf(p *playlist, s *segment) {
	for i := range s.parts {
		part := &s.parts[i]
		if part.duration > p.partTarget {
			g.found("part-over-target", []string{part.line}, "part %d.%d lasts %v, PART-TARGET is %v", s.msn, i, part.duration, p.partTarget)
		}
		last := i == len(s.parts)-1
		if last || part.independent || part.gap || s.parts[i+1].gap {
			continue
		}
		if least := p.partTarget * 85 / 100; part.duration < least {
			g.found("part-short", []string{part.line}, "part %d.%d lasts %v, 85 %% of PART-TARGET are %v", s.msn, i, part.duration, least)
		}
	}
	// Parts leave in order, so the first may be gone.
	if sum := sumOf(s.parts); s.complete() && len(s.parts) > 0 && sum-s.duration > rounding {
		g.found("parts-sum", []string{s.inf, s.uri}, "segment %d lasts %v, its parts %v", s.msn, s.duration, sum)
	}
}

// hints checks EXT-X-PRELOAD-HINT and the form of EXT-X-RENDITION-REPORT.
func (g *page) hints(p *playlist) {
	hinted := map[string]int{}
	for _, t := range p.tags["EXT-X-PRELOAD-HINT"] {
		if !t.attrs.has("TYPE") || !t.attrs.has("URI") {
			g.found("hint-form", []string{t.line}, "want TYPE and URI")
		}
		hinted[t.attrs.text("TYPE")]++
	}
	lines := p.lines("EXT-X-PRELOAD-HINT")
	for kind, n := range hinted {
		if n > 1 {
			g.found("hint-twice", lines, "%d hints are of type %s", n, kind)
		}
	}
	if p.endList && len(lines) > 0 {
		g.found("hint-after-end", lines, "there is EXT-X-ENDLIST")
	}
	if p.lowLatency() && !p.endList && hinted["PART"] == 0 {
		g.found("hint-missing", nil, "there is no EXT-X-PRELOAD-HINT of type PART")
	}
	for _, t := range p.tags["EXT-X-RENDITION-REPORT"] {
		u, err := url.Parse(t.attrs.text("URI"))
		_, number := t.attrs.number("LAST-MSN")
		_, part := t.attrs.number("LAST-PART")
		if err != nil || u.IsAbs() || u.String() == "" || !number || p.lowLatency() && !part {
			g.found("report-form", []string{t.line}, "want a relative URI, LAST-MSN and LAST-PART")
		}
	}
}

// hint returns the hinted part's URI, empty when there is none.
func (p *playlist) hint() string {
	for _, t := range p.tags["EXT-X-PRELOAD-HINT"] {
		if t.attrs.text("TYPE") == "PART" && !t.attrs.has("BYTERANGE-START") {
			return t.attrs.text("URI")
		}
	}
	return ""
}
