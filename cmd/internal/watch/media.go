package watch

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
)

type sum [sha256.Size]byte

// media checks what was fetched for a want.
func (t *track) media(w want, data []byte, at time.Time) {
	t.figures.bytes += int64(len(data))
	switch w.kind {
	case wantInit:
		t.init(w.uri, data, at)
	case wantPart:
		t.part(w, data, at)
	case wantSegment:
		t.segment(w, data, at)
	case wantAgain:
		if s := t.segments[w.msn]; s != nil && s.sum != sha256.Sum256(data) {
			t.faults.add(at, Changed, "segment %d has other bytes than when it was first fetched", w.msn)
		}
	}
}

// failed notes that a want could not be fetched.
func (t *track) failed(w want, reason error, at time.Time) {
	t.faults.add(at, Missing, "%s %s: %v", w.kind, w.uri, reason)
	switch w.kind {
	case wantInit:
		delete(t.inits, w.uri) // it is asked for again
	case wantPart:
		if s := t.segments[w.msn]; s != nil {
			s.partial = true
		}
	}
}

func (t *track) init(uri string, data []byte, at time.Time) {
	s := &section{sum: sha256.Sum256(data), data: data}
	t.inits[uri] = s
	info, err := cmaf.ParseInit(data)
	if err != nil {
		t.faults.add(at, Media, "init section %s: %v", uri, err)
		return
	}
	s.info, s.ok = info, true
	if t.codecs != "" && !slices.Contains(strings.Split(t.codecs, ","), info.Codecs) {
		t.faults.add(at, Codecs, "init section %s is of %s, CODECS says %s", uri, info.Codecs, t.codecs)
	}
	t.figures.kind, t.figures.codec = info.Codec.Kind().String(), info.Codecs
}

// section returns the init section of a segment, nil when it could not be fetched or read.
func (t *track) section(s *segment) *section {
	if s == nil || t.inits[s.init] == nil || !t.inits[s.init].ok {
		return nil
	}
	return t.inits[s.init]
}

func (t *track) part(w want, data []byte, at time.Time) {
	s := t.segments[w.msn]
	section := t.section(s)
	if section == nil || w.part >= len(s.listed.Parts) {
		return
	}
	t.figures.parts++
	t.partClock.moveTo(w.place, t.follows(t.partClock.last, w.place) && !(w.part == 0 && s.listed.Discontinuity))
	samples, ok := t.read(w, data, &t.partClock, at)
	if !ok {
		s.partial = true
		return
	}
	s.parts = append(s.parts, data)
	listed := &s.listed.Parts[w.part]
	length := t.span(samples.ticks(), section)
	if (length - listed.Duration).Abs() > rounding {
		t.faults.add(at, Duration, "part %v is listed with %v and lasts %v", w.place, listed.Duration, length)
	}
	if length > t.constants.partTarget {
		t.faults.add(at, PartTarget, "part %v lasts %v, PART-TARGET is %v", w.place, length, t.constants.partTarget)
	}
	t.checkKey(w, section, samples, listed.Independent, at)
}

// follows reports whether a part comes right after another.
func (t *track) follows(last, next place) bool {
	if last.msn == next.msn {
		return last.part == next.part-1
	}
	before := t.segments[last.msn]
	return before != nil && last.msn == next.msn-1 && next.part == 0 && last.part == len(before.listed.Parts)-1
}

// checkKey checks that a part that is marked independent begins with a random access picture, and that one that begins
// so is marked (§4.4.4.9). The first part of a segment is always to be one.
func (t *track) checkKey(w want, section *section, samples run, marked bool, at time.Time) {
	begins := samples.samples[0].RandomAccess(section.info.Codec)
	switch {
	case marked && !begins:
		t.faults.add(at, Key, "part %v is marked INDEPENDENT and does not begin with a random access picture", w.place)
	case !marked && begins:
		t.faults.add(at, Key, "part %v begins with a random access picture and is not marked INDEPENDENT", w.place)
	case w.part == 0 && !begins:
		t.faults.add(at, Key, "segment %d has a first part that does not begin with a random access picture", w.msn)
	}
}

func (t *track) segment(w want, data []byte, at time.Time) {
	s := t.segments[w.msn]
	section := t.section(s)
	if section == nil {
		return
	}
	s.sum, s.fetched = sha256.Sum256(data), true
	t.figures.segments++
	t.figures.lastMSN = w.msn
	if other, ok := t.sums[s.sum]; ok && other != w.msn {
		t.faults.add(at, Doubled, "segments %d and %d have the same bytes", other, w.msn)
	}
	t.sums[s.sum] = w.msn
	t.clock.moveTo(place{w.msn, -1}, t.clock.last.msn == w.msn-1 && !s.listed.Discontinuity)
	samples, ok := t.read(w, data, &t.clock, at)
	if !ok {
		return
	}
	if length := t.span(samples.ticks(), section); (length - s.listed.Duration).Abs() > rounding {
		t.faults.add(at, Duration, "segment %d is listed with %v and lasts %v", w.msn, s.listed.Duration, length)
	}
	if !samples.samples[0].RandomAccess(section.info.Codec) {
		t.faults.add(at, Key, "segment %d does not begin with a random access picture", w.msn)
	}
	t.compareParts(s, samples, at)
	t.align.add(t, w.msn, startOf(s, section, samples), at)
	t.record.add(Piece{Init: section.data, MSN: w.msn, DateTime: s.listed.ProgramDateTime, Data: data})
}

// read reads fragments and holds their decoding times against the clock.
func (t *track) read(w want, data []byte, c *clock, at time.Time) (run, bool) {
	fragments, err := cmaf.ParseFragments(data)
	if err != nil || len(fragments) == 0 || len(fragments[0].Samples) == 0 {
		t.faults.add(at, Media, "%s %v: cannot be read: %v", w.kind, w.place, err)
		*c = clock{}
		return run{}, false
	}
	samples := run{base: fragments[0].BaseTime}
	for i := range fragments {
		t.step(w, c.advance(&fragments[i]), at)
		samples.samples = append(samples.samples, fragments[i].Samples...)
	}
	return samples, true
}

// step counts what a fragment is off. Segments have the same samples as parts, so ticks are summed over segments only.
func (t *track) step(w want, off int64, at time.Time) {
	switch {
	case off > 0:
		t.faults.add(at, Hole, "%s %v begins %d ticks late", w.kind, w.place, off)
	case off < 0:
		t.faults.add(at, Overlap, "%s %v begins %d ticks early", w.kind, w.place, -off)
	}
	if w.kind != wantSegment {
		return
	}
	t.figures.holeTicks += max(off, 0)
	t.figures.overlapTicks += max(-off, 0)
}

// compareParts checks that a segment has the samples of its parts (§3.2), when all of them are there.
func (t *track) compareParts(s *segment, whole run, at time.Time) {
	if s.partial || len(s.parts) == 0 || len(s.parts) != len(s.listed.Parts) {
		return
	}
	fragments, err := cmaf.ParseFragments(bytes.Join(s.parts, nil))
	s.parts = nil
	if err != nil {
		return // it was counted with the part
	}
	var samples []cmaf.Sample
	for i := range fragments {
		samples = append(samples, fragments[i].Samples...)
	}
	if fragments[0].BaseTime != whole.base || !sameSamples(samples, whole.samples) {
		t.faults.add(at, Parts, "segment %d has other samples than its parts", s.msn)
	}
}

func sameSamples(a, b []cmaf.Sample) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		same := a[i].Duration == b[i].Duration && a[i].CompositionOffset == b[i].CompositionOffset && a[i].Key == b[i].Key
		if !same || !bytes.Equal(a[i].Data, b[i].Data) {
			return false
		}
	}
	return true
}

// span returns ticks of a track as a time, rounded down to a nanosecond.
func (t *track) span(ticks uint64, s *section) time.Duration {
	return time.Duration(codecs.MulDiv(int64(ticks), int64(time.Second), int64(s.info.Timescale)))
}
