package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

// Snapshot is one state of a rendition's window. It never changes.
type Snapshot struct {
	rendition *Rendition
	retired   bool
	edition   int64
	codecs    string
	inits     map[string]initSection
	kept      []*segment
	first     int64
	open      []part
	openInit  string
	openStart discontinuity
	timescale int64
	next      pipeline.Position
	rates     rates
	iframes   rates
	at        time.Time     // when the last part came
	changed   chan struct{} // closed when there is a newer snapshot
	pages     map[int64]*page
	events    []Event
	made      time.Time

	partial *renderings // of forms that list parts
	whole   *renderings // of the others, shared by all snapshots of the same segments
}

// Media is a stretch of bytes to serve. Close must be called once.
type Media struct {
	io.ReadSeekCloser
	Tag   string // changes when the bytes do
	Bytes []byte // all of it, when it is in memory; shared, and must not be written
}

// Snapshot returns the newest state.
func (r *Rendition) Snapshot() *Snapshot { return r.snap.Load() }

// Wait returns the first snapshot that holds the part at want, or a later one: the newest when that is so already.
// It ends with its context, and with ErrGone when the window is replaced.
func (r *Rendition) Wait(ctx context.Context, want pipeline.Position) (*Snapshot, error) {
	for {
		s := r.snap.Load()
		switch {
		case s.retired:
			return nil, ErrGone
		case s.started() && want.Less(s.next):
			return s, nil
		}
		select {
		case <-s.changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for part %d.%d: %w", want.MSN, want.Part, context.Cause(ctx))
		}
	}
}

func (s *Snapshot) started() bool { return len(s.kept) > 0 || len(s.open) > 0 }

// Changed returns a channel that is closed when there is a newer snapshot.
func (s *Snapshot) Changed() <-chan struct{} { return s.changed }

// Retired reports whether the window has been replaced: nothing will change any more, see ErrGone.
func (s *Snapshot) Retired() bool { return s.retired }

// Next returns the place of the part that is wanted, and so hinted (RFC 8216bis §4.4.5.3).
func (s *Snapshot) Next() pipeline.Position { return s.next }

// LastPart returns the newest part's place. It is not ok while there is none.
func (s *Snapshot) LastPart() (last pipeline.Position, ok bool) {
	if !s.started() {
		return pipeline.Position{}, false
	}
	last = pipeline.Position{MSN: s.next.MSN, Part: s.next.Part - 1}
	if last.Part < 0 {
		last = pipeline.Position{MSN: s.next.MSN - 1, Part: s.rendition.parts - 1}
	}
	return last, true
}

// Err reports why the playlist must not be shown at the given time: ErrNotReady, ErrStale, ErrGone or nil.
//
// Without a new part for three target durations and a hold-back the feed has stopped. By then every player has run dry,
// and a blocked request has been told so (RFC 8216bis §6.2.5.2).
func (s *Snapshot) Err(now time.Time) error {
	switch {
	case s.retired:
		return ErrGone
	case len(s.kept) == 0 || s.codecs == "":
		return ErrNotReady
	case now.Sub(s.at) > s.rendition.staleAfter():
		return ErrStale
	}
	return nil
}

func (r *Rendition) staleAfter() time.Duration {
	return 3*r.TargetDuration() + 3*r.view.feed.PartTarget()
}

// Edge returns the time up to which there is media. It is not ok while there is none.
func (s *Snapshot) Edge() (edge time.Time, ok bool) {
	if !s.started() {
		return time.Time{}, false
	}
	g := s.rendition.view.feed.Grid
	return g.FrameTime(g.PartFrame(s.next.MSN, s.next.Part)).Time(), true
}

// Part returns the bytes of a part: ErrGone when it is no longer there, ErrAhead when it is not yet.
func (s *Snapshot) Part(at pipeline.Position) (Media, error) {
	if !at.Less(s.next) {
		return Media{}, ErrAhead
	}
	if at.MSN == s.next.MSN {
		return s.part(at, nil, s.open)
	}
	if seg := find(s.kept, at.MSN); seg != nil {
		if m := seg.media.Load(); m != nil {
			return s.part(at, seg, m.parts)
		}
	}
	return Media{}, ErrGone
}

// part returns one of the parts of a segment; seg is nil when that is not finished.
func (s *Snapshot) part(at pipeline.Position, seg *segment, parts []part) (Media, error) {
	if at.Part < 0 || at.Part >= len(parts) || parts[at.Part].gap {
		return Media{}, ErrGone
	}
	p := parts[at.Part]
	if p.pending {
		return Media{}, ErrPending
	}
	tag := fmt.Sprintf("%d.%d-%08x", at.MSN, at.Part, p.crc)
	if p.data != nil {
		return held(p.data, tag), nil
	}
	piece, err := s.openPart(seg, parts, at.Part)
	return Media{ReadSeekCloser: piece, Tag: tag}, err
}

// Segment returns the bytes of a segment: ErrGone when it is a gap, or no longer there, ErrAhead when it is not finished.
func (s *Snapshot) Segment(msn int64) (Media, error) {
	if msn >= s.next.MSN {
		return Media{}, ErrAhead
	}
	seg := find(s.kept, msn)
	if seg == nil || seg.gap || seg.lost.Load() {
		return Media{}, ErrGone
	}
	if seg.pending.Load() {
		return Media{}, ErrPending
	}
	tag := string(appendCRC(append(strconv.AppendInt(nil, msn, 10), '-'), seg.crc))
	if !s.rendition.feed.opts.PreferStore || !seg.stored.Load() {
		if data := seg.whole(); data != nil {
			return held(data, tag), nil
		}
	}
	file, err := s.stored(seg)
	if err != nil {
		if data := seg.whole(); data != nil {
			return held(data, tag), nil
		}
	}
	return Media{ReadSeekCloser: file, Tag: tag}, err
}

// stored opens a segment in the store: ErrGone when it is not there.
func (s *Snapshot) stored(seg *segment) (File, error) {
	opts := &s.rendition.feed.opts
	if opts.Store == nil {
		return nil, ErrGone
	}
	file, err := opts.Store.Open(seg.storeName(s.rendition.storePath()))
	if err != nil {
		opts.StoreFailed(s.rendition.feed.id, "read")
		return nil, fmt.Errorf("opening segment %d of %s: %w", seg.msn, s.rendition.name, goneIfMissing(err))
	}
	return file, nil
}

// goneIfMissing adds ErrGone to an error of a Store if that says that there is nothing. After another there may be something the
// next time.
func goneIfMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	return err
}

// Init returns an init section by its version: ErrGone when nothing that is kept needs it.
func (s *Snapshot) Init(version string) (Media, error) {
	init, ok := s.inits[version]
	if !ok {
		return Media{}, ErrGone
	}
	return held(init.data, version), nil
}

func held(data []byte, tag string) Media { return Media{inMemory{bytes.NewReader(data)}, tag, data} }

type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }
