package watch

import (
	"maps"
	"slices"
	"time"

	"github.com/venuecast/venuecast/codecs/m3u8"
)

const (
	// rounding is how far a decimal of a playlist may be off.
	rounding = time.Millisecond
	// dateTolerance is how far PROGRAM-DATE-TIME may be off the sum of durations: audio segments begin with the first
	// frame at or after the time they are named for.
	dateTolerance = 45 * time.Millisecond
	// refetchAfter is how many segments later a segment is fetched a second time.
	refetchAfter = 3
)

// want is something to fetch.
type want struct {
	kind wantKind
	uri  string
	place
}

type wantKind string

const (
	wantInit    wantKind = "init section"
	wantPart    wantKind = "part"
	wantSegment wantKind = "segment"
	wantAgain   wantKind = "segment once more"
)

// playlist checks a playlist against the earlier ones and returns what there is to fetch, in order.
func (t *track) playlist(m *m3u8.Media, at time.Time) []want {
	if !t.started {
		t.begin(m, at)
	}
	t.checkConstants(m, at)
	if !t.checkNumbers(m, at) {
		return nil
	}
	t.checkSegments(m, at)
	t.checkEnd(m, at)
	t.forget(m.MediaSequence)
	return t.wants()
}

// begin chooses where to join: at the last complete segment, as a player near the live edge would.
func (t *track) begin(m *m3u8.Media, at time.Time) {
	t.started, t.grown = true, at
	t.first = m.MediaSequence
	t.start = max(endOf(m).msn-1, m.MediaSequence)
	t.figures.firstMSN = t.start
}

// endOf returns the place after the newest part.
func endOf(m *m3u8.Media) place {
	n := int64(len(m.Segments))
	if n == 0 {
		return place{m.MediaSequence, 0}
	}
	if last := m.Segments[n-1]; last.URI == "" {
		return place{m.MediaSequence + n - 1, len(last.Parts)}
	}
	return place{m.MediaSequence + n, 0}
}

// checkNumbers checks that the window moves forward. A playlist that ends earlier than one before is old, or that of
// an origin that began anew: a player waits until the old end is passed.
func (t *track) checkNumbers(m *m3u8.Media, at time.Time) bool {
	if end := endOf(m); end.before(t.end) {
		t.faults.add(at, Sequence, "the playlist ended before %v, now before %v", t.end, end)
		return false
	}
	if m.MediaSequence < t.first {
		t.faults.add(at, Sequence, "EXT-X-MEDIA-SEQUENCE went back from %d to %d", t.first, m.MediaSequence)
	}
	if next := t.end.msn; len(t.segments) > 0 && m.MediaSequence > next {
		t.faults.add(at, Missing, "segments %d to %d were never listed", next, m.MediaSequence-1)
	}
	t.first = m.MediaSequence
	return true
}

// checkSegments holds each listed segment against what is known of it.
func (t *track) checkSegments(m *m3u8.Media, at time.Time) {
	number, init := m.DiscontinuitySequence, ""
	for i := range m.Segments {
		s := &m.Segments[i]
		if s.Discontinuity {
			number++
		}
		if s.Map != "" {
			init = s.Map
		}
		msn := m.MediaSequence + int64(i)
		known := t.segments[msn]
		if known == nil {
			known = &segment{msn: msn, init: init, number: number}
			t.segments[msn] = known
			t.checkNew(m, i, at)
		}
		if known.number != number {
			// The tag that slides out of the window moves the sequence by one (§6.2.2).
			t.faults.add(at, Discontinuity, "segment %d has discontinuity number %d, had %d", msn, number, known.number)
			known.number = number
		}
		t.checkListing(known, s, init, at)
	}
}

// checkNew checks what a segment brings when it is first listed.
func (t *track) checkNew(m *m3u8.Media, i int, at time.Time) {
	s, msn := &m.Segments[i], m.MediaSequence+int64(i)
	if msn >= t.start && s.Discontinuity {
		t.figures.discontinuities++
	}
	if s.ProgramDateTime.IsZero() {
		t.faults.add(at, DateTime, "segment %d has no EXT-X-PROGRAM-DATE-TIME", msn)
		return
	}
	if i == 0 || s.Discontinuity {
		return
	}
	before := &m.Segments[i-1]
	off := s.ProgramDateTime.Sub(before.ProgramDateTime.Add(before.Duration))
	if !before.ProgramDateTime.IsZero() && off.Abs() > dateTolerance {
		t.faults.add(at, DateTime, "segment %d begins %v off the end of the one before", msn, off)
	}
}

// checkListing holds what a playlist says of a segment against what earlier ones said (§6.2.1: only appending is allowed).
func (t *track) checkListing(known *segment, s *m3u8.Segment, init string, at time.Time) {
	closing := !known.closed && s.URI != ""
	old := &known.listed
	switch {
	case known.closed && s.URI == "":
		t.faults.add(at, Changed, "segment %d was complete and is in progress again", known.msn)
		return
	case known.closed && !sameSegment(old, s), known.init != init,
		!old.ProgramDateTime.IsZero() && !old.ProgramDateTime.Equal(s.ProgramDateTime):
		t.faults.add(at, Changed, "segment %d is listed otherwise than before", known.msn)
	}
	t.checkParts(known, s, at)
	if closing {
		t.checkClosing(known, s, at)
	}
	if known.closed {
		return
	}
	known.closed = closing
	parts := old.Parts
	known.listed = *s
	if len(s.Parts) < len(parts) {
		known.listed.Parts = parts
	}
	known.listed.Parts = slices.Clone(known.listed.Parts)
}

func sameSegment(a, b *m3u8.Segment) bool {
	return a.URI == b.URI && a.Duration == b.Duration && a.Gap == b.Gap && a.Discontinuity == b.Discontinuity
}

// checkParts checks the parts that a playlist adds to a segment. Old segments lose all of theirs (§6.2.2).
func (t *track) checkParts(known *segment, s *m3u8.Segment, at time.Time) {
	old := known.listed.Parts
	if len(s.Parts) == 0 {
		return
	}
	if len(s.Parts) < len(old) || !slices.Equal(s.Parts[:len(old)], old) {
		t.faults.add(at, Changed, "the parts of segment %d are listed otherwise than before", known.msn)
		return
	}
	for i := len(old); i < len(s.Parts); i++ {
		p := &s.Parts[i]
		if known.msn >= t.start && p.Gap {
			t.figures.gaps++
		}
		if p.Duration > t.constants.partTarget {
			t.faults.add(at, PartTarget, "part %d.%d lasts %v, PART-TARGET is %v", known.msn, i, p.Duration, t.constants.partTarget)
		}
		t.claim(p.URI, place{known.msn, i}, at)
		t.checkHint(p.URI, place{known.msn, i}, at)
	}
}

// checkHint checks that the next part is the one that was hinted: some players have asked for it already (§4.4.5.3).
func (t *track) checkHint(uri string, p place, at time.Time) {
	if p != t.end || t.hint == "" {
		return
	}
	if uri != t.hint {
		t.faults.add(at, Hint, "part %v is %s, hinted was %s", p, uri, t.hint)
	}
}

// checkClosing checks a segment that is complete.
func (t *track) checkClosing(known *segment, s *m3u8.Segment, at time.Time) {
	t.claim(s.URI, place{known.msn, -1}, at)
	if known.msn >= t.start && s.Gap {
		t.figures.gaps++
	}
	// EXTINF, rounded to the nearest integer, must be at most the target (§4.4.3.1).
	if seconds := s.Duration.Round(time.Second); seconds > time.Duration(t.constants.targetDuration)*time.Second {
		t.faults.add(at, Duration, "segment %d lasts %v, EXT-X-TARGETDURATION is %d", known.msn, s.Duration, t.constants.targetDuration)
	}
	if len(s.Parts) == 0 {
		return
	}
	var sum time.Duration
	for i := range s.Parts {
		p := &s.Parts[i]
		sum += p.Duration
		if i < len(s.Parts)-1 && tooShort(p, &s.Parts[i+1], t.constants.partTarget) {
			t.faults.add(at, PartTarget, "part %d.%d lasts %v, less than 85 %% of PART-TARGET", known.msn, i, p.Duration)
		}
	}
	if (sum - s.Duration).Abs() > rounding {
		t.faults.add(at, Duration, "segment %d lasts %v, its parts %v", known.msn, s.Duration, sum)
	}
}

// tooShort reports whether a part breaks the lower bound of §4.4.4.9, which has these exceptions.
func tooShort(p, next *m3u8.Part, target time.Duration) bool {
	return p.Duration < target*85/100 && !p.Independent && !p.Gap && !next.Gap
}

// claim notes that a URI stands for a place, and for no other.
func (t *track) claim(uri string, p place, at time.Time) {
	if other, ok := t.uris[uri]; ok && other != p && !(other.msn == p.msn && p.part < 0) {
		t.faults.add(at, Doubled, "%s stands for %v and for %v", uri, other, p)
	}
	t.uris[uri] = p
}

// checkEnd follows the live edge.
func (t *track) checkEnd(m *m3u8.Media, at time.Time) {
	t.figures.longestWait = max(t.figures.longestWait, at.Sub(t.grown))
	if end := endOf(m); t.end.before(end) {
		t.end, t.grown = end, at
	}
	t.hint = ""
	for _, h := range m.PreloadHints {
		if h.Type == m3u8.HintPart {
			t.hint = h.URI
		}
	}
}

// stop notes that nothing more is fed: the wait at the end counts.
func (t *track) stop(at time.Time) {
	if t.started {
		t.figures.longestWait = max(t.figures.longestWait, at.Sub(t.grown))
	}
}

// forget drops what is no longer listed.
func (t *track) forget(first int64) {
	maps.DeleteFunc(t.segments, func(msn int64, _ *segment) bool { return msn < first })
	maps.DeleteFunc(t.uris, func(_ string, p place) bool { return p.msn < first })
	maps.DeleteFunc(t.sums, func(_ sum, msn int64) bool { return msn < first })
}

// wants returns what is listed and was not asked for yet, and marks it so.
func (t *track) wants() []want {
	var list []want
	for _, msn := range slices.Sorted(maps.Keys(t.segments)) {
		if s := t.segments[msn]; msn >= t.start {
			list = append(list, t.wantsOf(s)...)
		}
	}
	return list
}

func (t *track) wantsOf(s *segment) []want {
	var list []want
	if _, ok := t.inits[s.init]; s.init != "" && !ok {
		t.inits[s.init] = &section{}
		list = append(list, want{kind: wantInit, uri: s.init})
	}
	for ; s.wantedPart < len(s.listed.Parts); s.wantedPart++ {
		if p := s.listed.Parts[s.wantedPart]; !p.Gap {
			list = append(list, want{wantPart, p.URI, place{s.msn, s.wantedPart}})
		}
	}
	if s.closed && !s.wanted && !s.listed.Gap {
		s.wanted = true
		list = append(list, want{wantSegment, s.listed.URI, place{s.msn, -1}})
	}
	if s.fetched && !s.again && s.msn+refetchAfter < t.end.msn {
		s.again = true
		list = append(list, want{wantAgain, s.listed.URI, place{s.msn, -1}})
	}
	return list
}
