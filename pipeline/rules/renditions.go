package rules

import (
	"net/url"
	"slices"
	"time"
)

// edge is how far a rendition was at a time.
type edge struct {
	at  time.Time
	end place
}

// maxEdges is how many edges are remembered: those of some seconds.
const maxEdges = 16

// endAt returns the furthest end of a rendition that was seen by a time.
func (t *track) endAt(at time.Time) (place, bool) {
	for _, e := range slices.Backward(t.edges) {
		if !e.at.After(at) {
			return e.end, true
		}
	}
	return place{}, false
}

// acrossRenditions holds a playlist against those of other renditions.
func (t *track) acrossRenditions(g *page, p *playlist, r *Response) {
	t.edges = remembered(t.edges, edge{r.At, p.end()})
	t.checkClaims(g, p, r)
	for _, other := range t.c.tracks {
		if other != t && other.last != nil {
			t.sameConstants(g, p, other.last)
			t.sameRanges(g, p, other)
		}
	}
	if p.lowLatency() && !p.endList && t.c.multivariant != nil {
		t.checkReports(g, p, r)
	}
}

// remembered adds an edge to the newest ones.
func remembered(edges []edge, e edge) []edge {
	if len(edges) == maxEdges {
		edges = slices.Delete(edges, 0, 1)
	}
	return append(edges, e)
}

// checkClaims checks what other renditions said of this one before it was asked for. What they said while it was waited for
// is checked with the next answer.
func (t *track) checkClaims(g *page, p *playlist, r *Response) {
	t.claims = slices.DeleteFunc(t.claims, func(claim edge) bool {
		if r.Asked.Before(claim.at) {
			return false
		}
		if p.end().before(claim.end) {
			g.found("report-wrong", nil, "another rendition said that this one has all before %v, it ends before %v", claim.end, p.end())
		}
		return true
	})
}

func (t *track) sameConstants(g *page, p, other *playlist) {
	if p.target != other.target {
		g.found("target-duration-differs", p.lines("EXT-X-TARGETDURATION"), "another rendition has %v", other.target)
	}
	if !p.control().same(other.control()) {
		g.found("server-control-differs", p.lines("EXT-X-SERVER-CONTROL"), "another rendition has %v", other.control().pairs())
	}
}

// same reports whether two lists have the same attributes and values, in any order.
func (a attributes) same(b attributes) bool {
	return slices.Equal(sorted(a.pairs()), sorted(b.pairs()))
}

func (t *track) sameRanges(g *page, p *playlist, other *track) {
	for id, a := range rangesOf(p) {
		if name, ok := changedAttribute(other.ranges[id], a); ok {
			g.found("date-range-differs", p.lines("EXT-X-DATERANGE"),
				"%s of %q is %q in another rendition", name, id, other.ranges[id].text(name))
		}
	}
}

// checkReports checks EXT-X-RENDITION-REPORT.
func (t *track) checkReports(g *page, p *playlist, r *Response) {
	reports := map[string]*tag{}
	for i := range p.tags["EXT-X-RENDITION-REPORT"] {
		report := &p.tags["EXT-X-RENDITION-REPORT"][i]
		reports[withoutQuery(resolve(t.url, report.attrs.text("URI")))] = report
	}
	for _, other := range t.c.tracks {
		report := reports[withoutQuery(other.url)]
		switch {
		case other == t || other.last == nil || other.last.has("EXT-X-I-FRAMES-ONLY"):
		case report == nil:
			g.found("report-missing", p.lines("EXT-X-RENDITION-REPORT"), "there is none for %s", other.url)
		default:
			t.checkReport(g, p, r, other, report)
		}
	}
}

func withoutQuery(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	u.RawQuery = ""
	return u.String()
}

func (t *track) checkReport(g *page, p *playlist, r *Response, other *track, report *tag) {
	msn, ok := report.attrs.number("LAST-MSN")
	if !ok || msn < 0 || msn > maxNumber {
		return // its form was reported
	}
	said := place{msn, -1}
	if part, ok := report.attrs.number("LAST-PART"); ok {
		said.part = int(part)
	}
	said.part++ // the place after it
	line := []string{report.line}
	if seen, ok := other.endAt(r.Asked); ok && other.partsBetween(said, seen) > 1 {
		g.found("report-wrong", line, "it had all before %v when this was asked for", seen)
	}
	if t.partsBetween(p.end(), said) > 1 || t.partsBetween(said, p.end()) > 1 {
		g.found("renditions-apart", line, "this one has all before %v", p.end())
	}
	other.claims = remembered(other.claims, edge{r.At, said})
}

// partsBetween returns how many parts lie between two places.
func (t *track) partsBetween(from, to place) int64 {
	perSegment := 1
	for _, s := range t.listings {
		perSegment = max(perSegment, len(s.parts))
	}
	return (to.msn-from.msn)*int64(perSegment) + int64(to.part-from.part)
}
