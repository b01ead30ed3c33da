package watch

import (
	"maps"
	"sync"
	"time"

	"github.com/venuecast/venuecast/codecs"
)

// alignedFor is how many numbers the alignment looks back.
const alignedFor = 32

// alignment holds the starts of segments against each other: a player that changes renditions takes the same number,
// and must find the same time there. It may be used by several goroutines.
type alignment struct {
	mu     sync.Mutex // guards starts
	starts map[int64]start
}

// start is where a segment begins.
type start struct {
	track     string
	kind      codecs.Kind
	time      uint64 // decoding time
	timescale uint32
	frame     uint32 // duration of its first sample
	date      time.Time
}

func startOf(s *segment, section *section, samples run) start {
	return start{
		kind:      section.info.Codec.Kind(),
		time:      samples.base,
		timescale: section.info.Timescale,
		frame:     samples.samples[0].Duration,
		date:      s.listed.ProgramDateTime,
	}
}

// add compares a segment's start with that of the first rendition that had this number.
func (a *alignment) add(t *track, msn int64, s start, at time.Time) {
	s.track = t.name
	a.mu.Lock()
	other, ok := a.starts[msn]
	if a.starts == nil {
		a.starts = map[int64]start{}
	}
	// Video is what audio is cut by.
	if !ok || other.kind == codecs.Audio && s.kind == codecs.Video {
		a.starts[msn] = s
	}
	maps.DeleteFunc(a.starts, func(n int64, _ start) bool { return n < msn-alignedFor })
	a.mu.Unlock()
	if !ok {
		return
	}
	if !sameDate(s, other) {
		t.faults.add(at, Alignment, "segment %d is dated %v, in %s %v", msn, s.date, other.track, other.date)
	}
	if !sameTime(s, other) {
		t.faults.add(at, Alignment, "segment %d begins at %d/%d, in %s at %d/%d",
			msn, s.time, s.timescale, other.track, other.time, other.timescale)
	}
}

// sameTime reports whether two segments begin together: video in the same tick, or the nearest where timescales differ;
// audio with the first frame that begins at or after the video.
func sameTime(a, b start) bool {
	if a.kind == b.kind && a.timescale == b.timescale {
		return a.time == b.time
	}
	if a.kind == codecs.Video && b.kind == codecs.Audio {
		a, b = b, a
	}
	late := a.at() - b.at()
	if a.kind == b.kind {
		return late.Abs() < rounding
	}
	return late > -time.Microsecond && late < a.length()-time.Microsecond // what rounding can be off
}

func sameDate(a, b start) bool {
	off := a.date.Sub(b.date).Abs()
	if a.kind == b.kind {
		return off <= rounding
	}
	return off <= max(a.length(), b.length())
}

// at returns the decoding time since the zero of the stream.
func (s start) at() time.Duration {
	return time.Duration(codecs.MulDiv(int64(s.time), int64(time.Second), int64(s.timescale)))
}

// length returns the duration of the first sample.
func (s start) length() time.Duration {
	return time.Duration(codecs.MulDivCeil(int64(s.frame), int64(time.Second), int64(s.timescale)))
}
