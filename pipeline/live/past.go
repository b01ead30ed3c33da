package live

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/m3u8"
)

// Past is a piece of a feed's past, as it was when Feed.Past was called.
type Past struct {
	feed        *Feed
	view        *view
	snapshots   map[*Rendition]*Snapshot
	from, to    time.Time
	first, last int64 // segments
	complete    bool
}

// Past returns the piece from one instant to another. It begins with the segment that is shown at from and ends with the
// one that is shown just before to, or with the last one that is finished.
//
// It fails with ErrInvalid when to is not after from or the piece is longer than a playlist may be,
// with ErrGone when nothing of it is there, and with ErrAhead when all of it is still to come.
func (f *Feed) Past(from, to time.Time) (*Past, error) {
	v := f.view.Load()
	g := v.feed.Grid
	// Times far from any feed overflow ticks.
	if !to.After(from) || from.Year() < 1970 || to.Year() > 9999 {
		return nil, fmt.Errorf("%w: want a piece that ends after it begins", ErrInvalid)
	}
	p := &Past{feed: f, view: v, snapshots: map[*Rendition]*Snapshot{}, from: from, to: to}
	for _, r := range v.renditions {
		p.snapshots[r] = r.Snapshot()
	}
	p.first = g.Segment(v.frameAt(from))
	p.last = g.Segment(v.frameBefore(to))
	finished := p.finished()
	p.complete = p.last <= finished
	p.last = min(p.last, finished)
	if p.last-p.first >= maxListed {
		return nil, fmt.Errorf("%w: want a piece of up to %v", ErrInvalid, maxListed*g.Step())
	}
	p.first = max(p.first, 0) // Media Sequence Numbers are not negative
	for _, s := range p.snapshots {
		if slices.ContainsFunc(p.of(s), func(s *segment) bool { return !s.missing() }) {
			return p, nil
		}
	}
	if p.first > finished {
		return nil, ErrAhead
	}
	return nil, ErrGone
}

// frameAt returns the frame that is shown at t. Times are exact to a tick, as frames begin at ticks that are not whole nanoseconds.
func (v *view) frameAt(t time.Time) int64 {
	g, at := v.feed.Grid, codecs.TicksAt(t)
	k := g.FrameAt(at)
	if g.FrameTime(k) > at+1 {
		k--
	}
	return k
}

// frameBefore returns the last frame that is shown before t.
func (v *view) frameBefore(t time.Time) int64 {
	k := v.frameAt(t)
	if v.feed.Grid.FrameTime(k) >= codecs.TicksAt(t) {
		k--
	}
	return k
}

// finished returns the last segment that all renditions have finished; those that have stopped are not waited for.
func (p *Past) finished() int64 {
	var newest int64
	for _, s := range p.snapshots {
		newest = max(newest, s.next.MSN)
	}
	last := newest
	for _, s := range p.snapshots {
		if s.next.MSN >= newest-2 {
			last = min(last, s.next.MSN)
		}
	}
	return last - 1
}

// of returns the piece's segments that a rendition has: those listed, as the others may be gone at any moment.
func (p *Past) of(s *Snapshot) []*segment {
	if len(s.kept) == 0 {
		return nil
	}
	oldest, end := s.kept[0].msn, s.kept[0].msn+int64(len(s.kept))
	from, to := max(p.first, s.first, oldest), min(p.last+1, end)
	if from >= to {
		return nil
	}
	return s.kept[from-oldest : to-oldest]
}

// Complete reports whether all of the piece was past: then its playlists stay as they are for as long as it is kept.
func (p *Past) Complete() bool { return p.complete }

// Multivariant returns the piece's multivariant playlist: with its own bit rates, as measured.
func (p *Past) Multivariant() Text {
	g := p.view.feed.Grid
	p.clamp()
	from, to := g.SegmentTime(p.first).Time(), g.SegmentTime(p.last+1).Time()
	if p.from.After(from) {
		from = p.from
	}
	// Media playlists are asked for later, so they are told what the piece is rather than what was asked for.
	query := fmt.Sprintf("?from=%s&to=%s", queryTime(from), queryTime(to))
	list := multivariant{view: p.view, query: query, describe: p.describe, pictures: p.pictures}
	return compressible(list.append(nil))
}

// queryTime writes a time so that it needs no escaping.
func queryTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999999999Z") }

// clamp takes from the start what no rendition has.
func (p *Past) clamp() {
	first := p.last
	for _, s := range p.snapshots {
		if have := p.of(s); len(have) > 0 {
			first = min(first, have[0].msn)
		}
	}
	p.first = max(p.first, first)
}

func (p *Past) describe(r *Rendition) m3u8.Variant {
	return p.variant(r, func(s *segment) int64 { return s.size })
}

func (p *Past) pictures(r *Rendition) m3u8.Variant {
	if r.onDemand {
		return m3u8.Variant{}
	}
	return p.variant(r, func(s *segment) int64 { return s.iframe })
}

// variant describes a rendition of which each segment has so many bytes.
func (p *Past) variant(r *Rendition, size func(*segment) int64) m3u8.Variant {
	snap := p.snapshots[r]
	var measured rates
	var formats []string
	var shown m3u8.VideoRange
	for _, s := range p.of(snap) {
		if s.missing() {
			continue
		}
		measured.add(size(s), s.seconds())
		name := cmp.Or(snap.inits[s.init].codecs, snap.codecs)
		if !slices.Contains(formats, name) {
			formats = append(formats, name)
		}
		shown = videoRange(snap.inits[s.init].says)
	}
	peak, average := measured.exact()
	return m3u8.Variant{Bandwidth: peak, AverageBandwidth: average, Codecs: strings.Join(formats, ","), VideoRange: shown, URI: r.name}
}

// Playlist returns a rendition's media playlist, or that of its I-frames: a recording that begins, to the frame, where
// it was asked to. It fails with ErrGone when nothing of the piece is there.
func (p *Past) Playlist(rendition string, iframes bool) (Text, error) {
	r := p.view.rendition(rendition)
	if r == nil {
		return Text{}, ErrGone
	}
	snap := p.snapshots[r]
	have := p.of(snap)
	if len(have) == 0 {
		return Text{}, ErrGone
	}
	list := snap.head(have)
	list.MediaSequence, list.PlaylistType, list.EndList, list.IFramesOnly = p.first, m3u8.VOD, true, iframes
	begin, end := snap.timeOf(p.first), snap.timeOf(p.last+1)
	list.DateRanges = slices.DeleteFunc(dateRanges(snap.events, begin), func(d m3u8.DateRange) bool { return !d.StartDate.Before(end) })
	if offset := p.from.Sub(begin); offset > 0 {
		list.Start = &m3u8.Start{TimeOffset: offset, Precise: true}
	}
	b := builder{plain: list.AppendHead(nil)}
	// The playlists of all renditions begin and end together (§6.2.4), so what one does not have is a gap in it.
	first, last := have[0], have[len(have)-1]
	before := discontinuity{sequence: list.DiscontinuitySequence}
	initInForce := p.appendAbsent(&b, snap, p.first, first.msn, first.init, before)
	if iframes {
		snap.appendIFrames(&b, have, initInForce, r.elsewhere)
	} else {
		snap.appendPages(&b, have, initInForce)
	}
	p.appendAbsent(&b, snap, last.msn+1, p.last+1, last.init, last.start)
	b.plain = list.AppendTail(b.plain)
	return b.text(), nil
}

// appendAbsent appends segments [from, to) as gaps, and returns the init section in force after them.
func (p *Past) appendAbsent(b *builder, s *Snapshot, from, to int64, init string, at discontinuity) string {
	initInForce := ""
	if from > p.first {
		initInForce = init
	}
	at.here = false
	for msn := from; msn < to; msn++ {
		tag := s.finished(s.rendition.absent(msn, s.timescale, init, at), initInForce, s.rendition.elsewhere)
		b.plain, initInForce = tag.Append(b.plain), init
	}
	return initInForce
}
