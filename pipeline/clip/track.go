package clip

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/Eyevinn/mp4ff/mp4"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

// sample is a sample without its bytes. Times are in the track's timescale.
type sample struct {
	decode      int64
	duration    int64
	composition int64 // offset
	size        uint32
	key         bool
}

func (s sample) shown() int64 { return s.decode + s.composition }

// chunk is a run of samples of one segment.
type chunk struct {
	segment Segment
	skip    int // samples of the segment before it
	samples int
	entry   int     // sample description, from 0
	size    int64   // in bytes
	offset  int64   // from the first byte of media
	at      float64 // when it is decoded, in seconds
}

// track is one track of a clip.
type track struct {
	id        uint32
	box       *mp4.TrakBox // of the first init section
	timescale int64
	inits     [][]byte
	entries   []mp4.Box // sample descriptions, one for each init section
	samples   []sample
	chunks    []*chunk

	wait       int64 // from the clip's start until something is shown
	start, end int64 // of what is shown
}

// maxSamples bounds the tables of a track: a day of 50 pictures a second.
const maxSamples = 5_000_000

var errBackwards = errors.New("the timeline goes back")

// read adds the samples of a segment.
func (t *track) read(s Segment) error {
	entry, err := t.entry(s.Init)
	if err != nil {
		return err
	}
	samples, err := s.samples()
	if err != nil {
		return err
	}
	c := &chunk{segment: s, samples: len(samples), entry: entry}
	for _, x := range samples {
		if n := len(t.samples); n > 0 && x.decode <= t.samples[n-1].decode {
			return errBackwards
		}
		t.samples = append(t.samples, x.sample)
	}
	if len(t.samples) > maxSamples {
		return fmt.Errorf("more than %d samples", maxSamples)
	}
	t.chunks = append(t.chunks, c)
	return nil
}

// entry returns the number of the sample description of an init section.
func (t *track) entry(init []byte) (int, error) {
	for i, known := range t.inits {
		if bytes.Equal(known, init) {
			return i, nil
		}
	}
	file, err := mp4.DecodeFile(bytes.NewReader(init))
	if err != nil || file.Init == nil || file.Init.Moov == nil || file.Init.Moov.Trak == nil {
		return 0, errors.Join(errors.New("reading the init section: no track in it"), err)
	}
	box := file.Init.Moov.Trak
	stsd := box.Mdia.Minf.Stbl.Stsd
	if len(stsd.Children) != 1 || box.Mdia.Mdhd.Timescale == 0 {
		return 0, errors.New("reading the init section: want one sample description and a timescale")
	}
	if t.box == nil {
		t.box, t.timescale = box, int64(box.Mdia.Mdhd.Timescale)
	}
	if int64(box.Mdia.Mdhd.Timescale) != t.timescale {
		return 0, errors.New("the timescale changes")
	}
	t.inits, t.entries = append(t.inits, init), append(t.entries, stsd.Children[0])
	return len(t.entries) - 1, nil
}

// timedSample is a sample with its bytes.
type timedSample struct {
	sample
	data []byte
}

func (s Segment) samples() ([]timedSample, error) {
	file, err := s.Open()
	if err != nil {
		return nil, fmt.Errorf("opening a segment: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(file, maxSegment))
	if err != nil {
		return nil, fmt.Errorf("reading a segment: %w", err)
	}
	fragments, err := cmaf.ParseFragments(data)
	if err != nil {
		return nil, err
	}
	var samples []timedSample
	for _, f := range fragments {
		if f.BaseTime > math.MaxInt64/2 {
			return nil, errors.New("decoding time out of range")
		}
		decode := int64(f.BaseTime)
		for _, x := range f.Samples {
			samples = append(samples, timedSample{sample{
				decode: decode, duration: int64(x.Duration), composition: int64(x.CompositionOffset), size: uint32(len(x.Data)), key: x.Key,
			}, x.Data})
			decode += int64(x.Duration)
		}
	}
	return samples, nil
}

// cut keeps what is needed to show the media between two times.
func (t *track) cut(from, to codecs.Ticks) error {
	if t.box == nil {
		return ErrEmpty
	}
	start := codecs.MulDivRound(int64(from), t.timescale, codecs.TicksPerSecond)
	end := codecs.MulDivRound(int64(to), t.timescale, codecs.TicksPerSecond)
	first, last := t.first(start), t.last(end)
	if first < 0 || last < first {
		return ErrEmpty
	}
	t.keep(first, last+1)
	t.start = start
	if shown := t.firstShown(start); shown > start {
		t.start, t.wait = shown, shown-start
	}
	for i, s := range t.samples {
		t.end = max(t.end, s.shown()+t.delta(i))
	}
	t.end = min(t.end, end)
	if t.end <= t.start {
		return ErrEmpty
	}
	return nil
}

// first returns the sample to begin decoding with: the last key at or before start, or else the first there is.
// Audio begins the pre-roll early: a frame of AAC overlaps the one before, and Opus takes 80 ms to be right.
func (t *track) first(start int64) int {
	first, allKeys := -1, true
	for i, s := range t.samples {
		allKeys = allKeys && s.key
		if s.key && (first < 0 || s.shown() <= start) {
			first = i
		}
	}
	if allKeys && first > 0 {
		first = max(0, first-t.preRoll())
	}
	return first
}

// preRoll is that of the audio rendition that the track comes from, in frames.
func (t *track) preRoll() int {
	codec := codecs.AAC
	if t.entries[0].Type() == "Opus" {
		codec = codecs.Opus
	}
	return int(ladder.Audio{Codec: codec}.PreRoll())
}

// firstShown returns when the first sample is shown that has not ended by start: one that only primes an audio decoder has.
func (t *track) firstShown(start int64) int64 {
	first := int64(math.MaxInt64)
	for i, s := range t.samples {
		if s.shown()+t.delta(i) > start {
			first = min(first, s.shown())
		}
	}
	return first
}

// last returns the last sample, in decoding order, that is shown before end.
func (t *track) last(end int64) int {
	for i := len(t.samples) - 1; i >= 0; i-- {
		if t.samples[i].shown() < end {
			return i
		}
	}
	return -1
}

// delta returns how long a sample lasts: until the next one, so that the last before a gap stays.
func (t *track) delta(i int) int64 {
	if i+1 < len(t.samples) {
		return t.samples[i+1].decode - t.samples[i].decode
	}
	return t.samples[i].duration
}

// keep keeps samples [first, end), and of the chunks what holds them.
func (t *track) keep(first, end int) {
	var kept []*chunk
	at := 0 // the chunk's first sample
	for _, c := range t.chunks {
		n := c.samples
		if from, to := max(first, at), min(end, at+n); from < to {
			c.skip, c.samples = from-at, to-from
			c.at = float64(t.samples[from].decode) / float64(t.timescale)
			for _, s := range t.samples[from:to] {
				c.size += int64(s.size)
			}
			kept = append(kept, c)
		}
		at += n
	}
	t.chunks, t.samples = kept, t.samples[first:end]
}

// write writes the chunk's samples.
func (c *chunk) write(w io.Writer) error {
	samples, err := c.segment.samples()
	if err != nil {
		return err
	}
	if len(samples) < c.skip+c.samples {
		return ErrChanged
	}
	samples = samples[c.skip : c.skip+c.samples]
	var size int64
	for _, s := range samples {
		size += int64(len(s.data))
	}
	if size != c.size {
		return ErrChanged
	}
	for _, s := range samples {
		if _, err := w.Write(s.data); err != nil {
			return err
		}
	}
	return nil
}
