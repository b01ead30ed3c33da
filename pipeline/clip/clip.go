package clip

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/venuecast/venuecast/codecs"
)

// Cut says what a clip is made of.
type Cut struct {
	// Sources are the tracks, video before audio.
	Sources []Source
	// From and To are where the clip begins and ends on the timeline of the media: since its zero, not the Unix epoch.
	From, To codecs.Ticks
	// Created is written as the time of creation. It defaults to none.
	Created time.Time
}

// Source is the media of one track.
type Source struct {
	// Segments are in the order of their times, and cover the clip as far as there is media.
	// An audio track should begin one segment early: what comes before the first frame that is heard primes the decoder.
	Segments []Segment
}

// Segment is one CMAF segment: one fragment or more.
type Segment struct {
	// Init is its init section. Segments that share one have the same bytes here.
	Init []byte
	// Open returns its bytes. It is called twice, at different times.
	Open func() (io.ReadCloser, error)
}

var (
	// ErrEmpty means that none of the media lies within the clip.
	ErrEmpty = errors.New("there is no media in the clip")
	// ErrChanged means that a segment is not what it was when it was first read.
	ErrChanged = errors.New("the media changed while it was read")
)

// maxSegment bounds what is read of one segment, in bytes.
const maxSegment = 1 << 30

// Clip is a file that is ready to be written.
type Clip struct {
	head   []byte // up to the first byte of media
	chunks []*chunk
	size   int64
}

// Read reads the media once and returns the clip. progress, if not nil, is called after each segment with how much of
// all segments has been read, 0 to 1.
func Read(ctx context.Context, cut Cut, progress func(float64)) (*Clip, error) {
	if cut.To <= cut.From {
		return nil, ErrEmpty
	}
	total, done := 0, 0
	for _, s := range cut.Sources {
		total += len(s.Segments)
	}
	var tracks []*track
	for i, s := range cut.Sources {
		t := &track{id: uint32(i + 1)}
		for _, segment := range s.Segments {
			if err := context.Cause(ctx); err != nil {
				return nil, err
			}
			if err := t.read(segment); err != nil {
				return nil, fmt.Errorf("reading track %d: %w", t.id, err)
			}
			done++
			report(progress, float64(done)/float64(total))
		}
		switch err := t.cut(cut.From, cut.To); {
		case errors.Is(err, ErrEmpty):
			continue // a camera that was silent then
		case err != nil:
			return nil, fmt.Errorf("cutting track %d: %w", t.id, err)
		}
		tracks = append(tracks, t)
	}
	if len(tracks) == 0 {
		return nil, ErrEmpty
	}
	return assemble(tracks, cut)
}

func report(progress func(float64), part float64) {
	if progress != nil {
		progress(part)
	}
}

// assemble lays the chunks of all tracks out by time, so that a player never has to look far for the other track.
func assemble(tracks []*track, cut Cut) (*Clip, error) {
	c := &Clip{}
	var media int64
	for _, t := range tracks {
		c.chunks = append(c.chunks, t.chunks...)
	}
	slices.SortStableFunc(c.chunks, func(a, b *chunk) int { return cmp.Compare(a.at, b.at) })
	for _, chunk := range c.chunks {
		chunk.offset = media
		media += chunk.size
	}
	head, err := encodeHead(tracks, cut, media)
	if err != nil {
		return nil, fmt.Errorf("writing the sample tables: %w", err)
	}
	c.head, c.size = head, int64(len(head))+media
	return c, nil
}

// Size returns the size of the file in bytes.
func (c *Clip) Size() int64 { return c.size }

// Write writes the file. progress, if not nil, is called now and then with how much has been written, 0 to 1.
func (c *Clip) Write(ctx context.Context, w io.Writer, progress func(float64)) error {
	if _, err := w.Write(c.head); err != nil {
		return fmt.Errorf("writing the clip's head: %w", err)
	}
	written := int64(len(c.head))
	for _, chunk := range c.chunks {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := chunk.write(w); err != nil {
			return fmt.Errorf("writing the clip's media: %w", err)
		}
		written += chunk.size
		report(progress, float64(written)/float64(c.size))
	}
	return nil
}
