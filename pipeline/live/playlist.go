package live

import (
	"strconv"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/m3u8"
)

// Parts returns the number of parts per segment.
func (r *Rendition) Parts() int { return r.parts }

// TargetDuration returns EXT-X-TARGETDURATION.
func (r *Rendition) TargetDuration() time.Duration {
	return time.Duration(r.view.feed.TargetDuration()) * time.Second
}

// skipBoundary returns CAN-SKIP-UNTIL, at its least (§4.4.3.8).
func (r *Rendition) skipBoundary() time.Duration { return 6 * r.TargetDuration() }

// AdvancePartLimit returns how many parts ahead of the newest one a client may ask for (RFC 8216bis §6.2.5.2):
// three divided by the part target if that is below a second, else three; rounded up.
func (r *Rendition) AdvancePartLimit() int64 {
	target := r.view.feed.PartTarget()
	if target >= time.Second {
		return 3
	}
	return codecs.CeilDiv(int64(3*time.Second), int64(target))
}

// Playlist returns the media playlist in one of its forms. It is rendered once, whoever asks.
func (s *Snapshot) Playlist(form Form) Text {
	shared := s.whole
	if form.listsParts() {
		shared = s.partial
	}
	return shared[form.index()].get(func() Text { return s.render(form) })
}

// window returns the finished segments of the live window, or all that are listed.
func (s *Snapshot) window(dvr bool) []*segment {
	if len(s.kept) == 0 {
		return nil
	}
	reach := s.rendition.view.live
	if dvr {
		reach = maxListed
	}
	first := max(s.first, s.next.MSN-reach)
	return s.kept[max(0, first-s.kept[0].msn):]
}

func (s *Snapshot) render(form Form) Text {
	segments, base := s.window(form.DVR), ""
	if form.DVR {
		base = s.rendition.elsewhere
	}
	p := s.head(segments)
	p.IFramesOnly = form.IFrames
	initInForce := ""
	if form.Mode != Plain {
		s.lowLatency(&p, form, base)
		if n := s.skip(&p, segments, form.Mode); n > 0 {
			initInForce, segments = segments[n-1].init, segments[n:]
		}
	}
	b := builder{plain: p.AppendHead(nil)}
	switch {
	case form.IFrames:
		s.appendIFrames(&b, segments, initInForce, base)
	case form.Mode == Plain:
		s.appendFinished(&b, segments, initInForce, base)
	default:
		whole := max(0, len(segments)-s.rendition.closedWithParts())
		s.appendFinished(&b, segments[:whole], initInForce, base)
		if whole > 0 {
			initInForce = segments[whole-1].init
		}
		s.appendRecent(&b, segments[whole:], initInForce, base)
	}
	b.plain = p.AppendTail(b.plain)
	return b.text()
}

// skip makes p a delta update, and returns how many of the segments it leaves out.
func (s *Snapshot) skip(p *m3u8.Media, segments []*segment, mode Mode) int {
	boundary := s.rendition.skipBoundary()
	n := s.skippable(segments, boundary)
	if mode == Full || n == 0 {
		return 0
	}
	p.Version, p.Skip = 0, &m3u8.Skip{Segments: int64(n)}
	if mode == DeltaDates {
		skipDates(p, s.events, s.timeOf(p.MediaSequence), s.made, boundary)
	}
	return n
}

// head returns what is common to all forms.
func (s *Snapshot) head(segments []*segment) m3u8.Media {
	return m3u8.Media{
		DateRanges:            dateRanges(s.events, s.timeOf(s.firstOf(segments))),
		Version:               6, // EXT-X-MAP (§8)
		TargetDuration:        s.rendition.view.feed.TargetDuration(),
		MediaSequence:         s.firstOf(segments),
		DiscontinuitySequence: s.sequenceBefore(segments),
	}
}

func (s *Snapshot) timeOf(msn int64) time.Time {
	return s.rendition.view.feed.Grid.SegmentTime(msn).Time()
}

func (s *Snapshot) firstOf(segments []*segment) int64 {
	if len(segments) == 0 {
		return s.next.MSN
	}
	return segments[0].msn
}

func (s *Snapshot) lowLatency(p *m3u8.Media, form Form, base string) {
	part, target := s.rendition.view.feed.PartTarget(), s.rendition.TargetDuration()
	p.ServerControl = m3u8.ServerControl{
		CanBlockReload: true, CanSkipUntil: s.rendition.skipBoundary(), CanSkipDateRanges: true,
		HoldBack: 3 * target, PartHoldBack: 3 * part,
	}
	if form.IFrames {
		return // all playlists have the same server control (§6.2.4); these have no parts
	}
	p.PartTarget = part
	p.PreloadHints = []m3u8.PreloadHint{{Type: m3u8.HintPart, URI: base + partURI(s.next.MSN, s.next.Part)}}
	p.RenditionReports = s.reports()
}

// appendFinished appends finished segments without their parts.
func (s *Snapshot) appendFinished(b *builder, segments []*segment, initInForce, base string) {
	if base != "" {
		s.appendPages(b, segments, initInForce)
		return
	}
	for _, seg := range segments {
		tag := s.finished(seg, initInForce, base)
		b.plain, initInForce = tag.Append(b.plain), seg.init
	}
}

// appendRecent appends the newest finished segments with their parts, and the one in progress.
func (s *Snapshot) appendRecent(b *builder, segments []*segment, initInForce, base string) {
	for _, seg := range segments {
		tag := s.finished(seg, initInForce, base)
		if m := seg.media.Load(); m != nil && !seg.lost.Load() {
			tag.Parts = partTags(base, seg.msn, m.parts, seg.timescale)
		}
		b.plain, initInForce = tag.Append(b.plain), seg.init
	}
	if len(s.open) > 0 {
		open := s.start(s.next.MSN, s.openStart, s.openInit, initInForce, base)
		open.Parts = partTags(base, s.next.MSN, s.open, s.timescale)
		b.plain = open.Append(b.plain)
	}
}

// appendIFrames appends one picture of each segment, shown until the next.
func (s *Snapshot) appendIFrames(b *builder, segments []*segment, initInForce, base string) {
	for _, seg := range segments {
		tag := s.finished(seg, initInForce, base)
		tag.ByteRange.Length, tag.Gap = seg.iframe, seg.iframe == 0
		b.plain, initInForce = tag.Append(b.plain), seg.init
	}
}

// finished returns the tags of a finished segment without its parts. base is what its addresses begin with.
func (s *Snapshot) finished(seg *segment, initInForce, base string) m3u8.Segment {
	tag := s.start(seg.msn, seg.start, seg.init, initInForce, base)
	tag.Gap, tag.Duration, tag.URI = seg.gapIn(base), seg.seconds(), base+strconv.FormatInt(seg.msn, 10)+".m4s"
	return tag
}

// start returns a segment's tags that come before its first part (§4.4.4.9).
func (s *Snapshot) start(msn int64, at discontinuity, init, initInForce, base string) m3u8.Segment {
	tag := m3u8.Segment{Discontinuity: at.here, ProgramDateTime: s.timeOf(msn)}
	if init != initInForce {
		tag.Map = base + "init." + init + ".mp4"
	}
	return tag
}

func partTags(base string, msn int64, parts []part, timescale int64) []m3u8.Part {
	tags := make([]m3u8.Part, len(parts))
	for i, p := range parts {
		gap := p.gap || p.cold && base != ""
		tags[i] = m3u8.Part{Duration: span(p.duration, timescale), URI: base + partURI(msn, i), Independent: p.independent, Gap: gap}
	}
	return tags
}

func partURI(msn int64, part int) string {
	return strconv.FormatInt(msn, 10) + "." + strconv.Itoa(part) + ".m4s"
}

// reports tells of the other renditions, so that a client can switch without a reload (§4.4.5.4).
func (s *Snapshot) reports() []m3u8.RenditionReport {
	var reports []m3u8.RenditionReport
	for _, other := range s.rendition.view.renditions {
		if last, ok := other.Snapshot().LastPart(); ok && other != s.rendition {
			uri := "../" + other.name + "/index.m3u8"
			reports = append(reports, m3u8.RenditionReport{URI: uri, LastMSN: last.MSN, LastPart: last.Part})
		}
	}
	return reports
}

// sequenceBefore returns EXT-X-DISCONTINUITY-SEQUENCE: the first segment's own number counts a tag that it carries.
func (s *Snapshot) sequenceBefore(segments []*segment) int64 {
	first := s.openStart
	if len(segments) > 0 {
		first = segments[0].start
	}
	if first.here {
		return first.sequence - 1
	}
	return first.sequence
}

// skippable returns how many segments lie wholly beyond the skip boundary (§4.4.3.8).
func (s *Snapshot) skippable(segments []*segment, boundary time.Duration) int {
	var behind time.Duration
	for i := len(segments) - 1; i >= 0; i-- {
		if behind > boundary {
			return i + 1
		}
		behind += segments[i].seconds()
	}
	return 0
}

// closedWithParts returns how many finished segments list their parts: all of them and the open segment together stay
// within three target durations of the end (§6.2.2), at least one.
func (r *Rendition) closedWithParts() int {
	return max(1, int(3*r.TargetDuration()/r.view.feed.Grid.Step())-1)
}

// Codecs returns the codecs of the rendition's init section (RFC 6381), empty before it came.
func (s *Snapshot) Codecs() string { return s.codecs }
