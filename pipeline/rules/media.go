package rules

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"slices"
	"strings"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
)

// initSection is an init section that was fetched.
type initSection struct {
	sum  [sha256.Size]byte
	info cmaf.InitInfo
	ok   bool
}

// digest is a running sum of samples.
type digest struct {
	hash  hash.Hash
	parts int // how many were summed, in order
}

// media takes an answer for media.
func (t *track) media(g *page, q *Request, r *Response) {
	if r.Err != nil && r.Status == 0 || r.Status >= 500 || r.Status == 429 {
		g.found("media-unavailable", nil, "%s %v: status %d, %v", q.Kind, q.place, r.Status, r.Err)
		t.unfetched(q)
		return
	}
	if r.Status >= 400 {
		t.gone(g, q, r)
		t.unfetched(q)
		return
	}
	switch q.Kind {
	case InitSection:
		t.init(g, q, r)
	case PartialSegment:
		t.part(g, q, r)
	case MediaSegment:
		t.segment(g, q, r)
	case Picture:
		t.checkPicture(g, q, r)
	case Hint:
		if took := r.At.Sub(r.FirstByte); t.last != nil && !r.FirstByte.IsZero() && took > max(t.last.partTarget/2, patience/2) {
			g.found("hint-trickled", nil, "%v passed between the first byte and the last", took.Round(time.Millisecond))
		}
	case Again:
		if s := t.listings[q.place.msn]; s != nil && s.fetched && s.sum != sha256.Sum256(r.Body) {
			g.found("media-changed", nil, "segment %v has other bytes than before", q.place)
		}
	case MultivariantPlaylist, MediaPlaylist, Removed, Probe:
	}
}

// gone reports that there is nothing where there must be media.
func (t *track) gone(g *page, q *Request, r *Response) {
	id := map[Kind]string{
		InitSection: "init-gone", PartialSegment: "part-gone", MediaSegment: "segment-gone", Picture: "segment-gone", Again: "segment-gone",
		Removed: "segment-removed-early",
	}[q.Kind]
	s := t.listings[q.place.msn]
	switch {
	case q.Kind == Hint:
		t.goneHint = q.place
		return
	case q.Kind == Removed && q.place.part >= 0:
		id = "part-removed-early"
	case q.Kind == Removed && s != nil && t.last != nil && r.At.Sub(s.seenAt) > s.duration+t.last.length():
		return
	case (q.Kind == MediaSegment || q.Kind == Picture || q.Kind == Again) && q.place.msn < t.first:
		return // it has left the playlist since
	}
	g.found(id, nil, "%s %v has status %d", q.Kind, q.place, r.Status)
}

// length returns the duration of all that is listed.
func (p *playlist) length() (sum time.Duration) {
	for i := range p.segments {
		sum += p.segments[i].length()
	}
	return sum
}

// unfetched notes that a request for media came to nothing.
func (t *track) unfetched(q *Request) {
	if q.Kind == InitSection {
		delete(t.inits, q.URL)
	}
	if s := t.listings[q.place.msn]; s != nil && q.Kind == PartialSegment {
		s.partsSum.parts = -1
	}
}

func (t *track) init(g *page, q *Request, r *Response) {
	section := &initSection{sum: sha256.Sum256(r.Body)}
	t.inits[q.URL] = section
	info, err := cmaf.ParseInit(r.Body)
	if entry := sampleEntry(r.Body); entry == "avc3" || entry == "hev1" {
		g.found("init-entry", nil, "the sample entry is %s", entry)
		return // the parameter sets are elsewhere
	}
	if err != nil {
		g.found("init-unreadable", nil, "%v", err)
		return
	}
	if !hasBrand(find(r.Body, "ftyp")) {
		g.found("init-brand", nil, "the brands are %q", find(r.Body, "ftyp"))
	}
	if why := initFault(r.Body); why != "" {
		g.found("init-form", nil, "%s", why)
	}
	section.info, section.ok = info, true
	t.format = info.Codec.Kind().String()
	t.promised(g, &info)
}

// sampleEntry returns the type of the first sample entry.
func sampleEntry(data []byte) string {
	stsd := find(data, "moov", "trak", "mdia", "minf", "stbl", "stsd")
	if len(stsd) < 16 {
		return ""
	}
	return string(stsd[12:16])
}

// kindName returns video or audio, empty while that is not known.
func (t *track) kindName() string {
	if t == nil {
		return ""
	}
	return t.format
}

// section returns the init section of a segment, nil when it was not, or could not be, read.
func (t *track) section(s *listing) *initSection {
	if s == nil || s.mapURI == "" {
		return nil
	}
	if section := t.inits[resolve(t.url, s.mapURI)]; section != nil && section.ok {
		return section
	}
	return nil
}

func (t *track) part(g *page, q *Request, r *Response) {
	s := t.listings[q.place.msn]
	section := t.section(s)
	if section == nil || q.place.part >= len(s.parts) {
		return
	}
	listed := &s.parts[q.place.part]
	follows := t.follows(t.parts.last, q.place) && !(q.place.part == 0 && s.discontinuity)
	run, ok := t.read(g, q, r, section, &t.parts, follows)
	if !ok {
		s.partsSum.parts = -1
		return
	}
	s.addPart(q.place.part, run.samples)
	length, frame := run.length(section), run.frame(section)
	if (length - listed.duration).Abs() > frame {
		g.found("part-wrong-duration", []string{listed.line}, "part %v lasts %v", q.place, length)
	} else if t.last != nil && length-t.last.partTarget > rounding {
		g.found("part-over-target", []string{listed.line},
			"the samples of part %v last %v, PART-TARGET is %v", q.place, length, t.last.partTarget)
	}
	isKey := func(s cmaf.Sample) bool { return s.RandomAccess(section.info.Codec) }
	switch key := isKey(run.samples[0]); {
	case listed.independent && !slices.ContainsFunc(run.samples, isKey):
		g.found("independent-wrong", []string{listed.line}, "part %v has no random access picture", q.place)
	case !listed.independent && key:
		g.found("independent-missing", []string{listed.line}, "part %v begins with a random access picture", q.place)
	}
}

// addPart sums the samples of the next part.
func (s *listing) addPart(index int, samples []cmaf.Sample) {
	if s.partsSum.parts != index {
		s.partsSum.parts = -1
		return
	}
	if s.partsSum.hash == nil {
		s.partsSum.hash = sha256.New()
	}
	addSamples(s.partsSum.hash, samples)
	s.partsSum.parts++
}

func addSamples(h hash.Hash, samples []cmaf.Sample) {
	var head [12]byte
	for i := range samples {
		binary.BigEndian.PutUint32(head[:], samples[i].Duration)
		binary.BigEndian.PutUint32(head[4:], uint32(samples[i].CompositionOffset))
		binary.BigEndian.PutUint32(head[8:], uint32(len(samples[i].Data)))
		_, _ = h.Write(head[:]) // a hash takes every write
		_, _ = h.Write(samples[i].Data)
	}
}

// follows reports whether a part comes right after another.
func (t *track) follows(last, next place) bool {
	if last.msn == next.msn {
		return last.part == next.part-1
	}
	before := t.listings[last.msn]
	return before != nil && before.closed && last.msn == next.msn-1 && next.part == 0 && last.part == len(before.parts)-1
}

func (t *track) segment(g *page, q *Request, r *Response) {
	s := t.listings[q.place.msn]
	if s == nil {
		return
	}
	s.sum, s.fetched = sha256.Sum256(r.Body), true
	t.measure(g, s, len(r.Body))
	if s.mapURI == "" && isTransport(r.Body) {
		t.transport(g, q, s, r.Body)
		return
	}
	section := t.section(s)
	if section == nil {
		return
	}
	t.formatChange(g, s, section)
	follows := t.clock.last.msn == q.place.msn-1 && !s.discontinuity
	if !follows {
		t.drift = 0
	}
	run, ok := t.read(g, q, r, section, &t.clock, follows)
	if !ok {
		return
	}
	t.checkDuration(g, s, run.length(section), run.frame(section))
	if !run.samples[0].RandomAccess(section.info.Codec) {
		g.found("segment-not-independent", []string{s.uri}, "segment %v begins with no random access picture", q.place)
	}
	t.compareSamples(g, s, run.samples)
	t.frameRate(g, section, run.samples)
	t.align(g, s, run, section)
}

// checkDuration checks EXTINF, by itself and summed over the segments in a row.
func (t *track) checkDuration(g *page, s *listing, length, frame time.Duration) {
	t.drift += s.duration - length
	if t.drift.Abs() > frame {
		g.found("segment-wrong-duration", []string{s.inf, s.uri},
			"segment %d lasts %v; with those before it is off by %v", s.msn, length, t.drift)
		t.drift = 0
	}
}

// compareSamples checks that a segment has the samples of its parts, when all of them were fetched.
func (t *track) compareSamples(g *page, s *listing, samples []cmaf.Sample) {
	if s.partsSum.hash == nil || s.partsSum.parts != len(s.parts) {
		return
	}
	h := sha256.New()
	addSamples(h, samples)
	if !bytes.Equal(h.Sum(nil), s.partsSum.hash.Sum(nil)) {
		g.found("parts-differ", []string{s.uri}, "segment %d has other samples than its parts", s.msn)
	}
	s.partsSum.hash = nil
}

// formatChange checks that another format comes with a discontinuity.
func (t *track) formatChange(g *page, s *listing, section *initSection) {
	before := t.listings[s.msn-1]
	old := t.section(before)
	if old == nil || s.discontinuity || before.gap || old.sum == section.sum {
		return
	}
	a, b := &old.info, &section.info
	if a.TrackID != b.TrackID || a.Timescale != b.Timescale || a.Codecs != b.Codecs || a.Width != b.Width || a.Height != b.Height ||
		!bytes.Equal(a.ParameterSets, b.ParameterSets) || !bytes.Equal(a.Config, b.Config) {
		g.found("discontinuity-missing", []string{s.uri}, "segment %d has another init section: %s, before %s", s.msn, b.Codecs, a.Codecs)
	}
}

// run is the samples of consecutive fragments.
type run struct {
	base    uint64
	samples []cmaf.Sample
}

func (r run) ticks() (n uint64) {
	for i := range r.samples {
		n += uint64(r.samples[i].Duration)
	}
	return n
}

func (r run) length(s *initSection) time.Duration { return s.span(r.ticks()) }

// frame returns the duration of the first sample, and a rounding.
func (r run) frame(s *initSection) time.Duration {
	return s.span(uint64(r.samples[0].Duration)) + rounding
}

// span returns ticks of a track as a time.
func (s *initSection) span(ticks uint64) time.Duration {
	return time.Duration(codecs.MulDiv(int64(min(ticks, 1<<62)), int64(time.Second), int64(s.info.Timescale)))
}

// clock follows the decoding times of a track.
type clock struct {
	next uint64
	last place
}

// read reads fragments and holds their decoding times against the clock.
func (t *track) read(g *page, q *Request, r *Response, section *initSection, c *clock, follows bool) (run, bool) {
	c.last = q.place
	fragments, err := cmaf.ParseFragments(r.Body)
	if err != nil || len(fragments) == 0 || len(fragments[0].Samples) == 0 {
		g.found("media-unreadable", nil, "%s %v: no whole fragments: %v", q.Kind, q.place, err)
		c.last = place{-1, 0}
		return run{}, false
	}
	all := run{base: fragments[0].BaseTime}
	for i := range fragments {
		f := &fragments[i]
		if f.TrackID != section.info.TrackID {
			g.found("track-unknown", nil, "%s %v has track %d, the init section %d", q.Kind, q.place, f.TrackID, section.info.TrackID)
		}
		switch off := int64(f.BaseTime - c.next); {
		case !follows || off == 0:
		case off > 0:
			g.found("decode-time-gap", nil, "%s %v begins %v late", q.Kind, q.place, section.span(uint64(off)))
		default:
			g.found("decode-time-overlap", nil, "%s %v begins %v early", q.Kind, q.place, section.span(uint64(-off)))
		}
		c.next, follows = f.BaseTime+run{samples: f.Samples}.ticks(), true
		all.samples = append(all.samples, f.Samples...)
	}
	t.speaks(g, section, all.samples)
	return all, true
}

// sameFormat reports whether CODECS names a format: letters in any case, and the constraints of hvc1 in any length.
func sameFormat(listed, format string) bool {
	if strings.EqualFold(listed, format) {
		return true
	}
	a, b := strings.SplitN(listed, ".", 5), strings.SplitN(format, ".", 5)
	return a[0] == "hvc1" && len(a) >= 4 && len(b) >= 4 && strings.EqualFold(strings.Join(a[:4], "."), strings.Join(b[:4], "."))
}
