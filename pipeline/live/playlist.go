package live

import (
	"strconv"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/m3u8"
)

// Parts returns the number of parts per segment.
func (r *Rendition) Parts() int { return r.parts }

// AdvancePartLimit returns how many parts ahead of the newest one a client may ask for (RFC 8216bis §6.2.5.2):
// three divided by the part target if that is below a second, else three; rounded up.
func (r *Rendition) AdvancePartLimit() int64 {
	target := r.view.feed.Grid.PartTarget()
	if target >= time.Second {
		return 3
	}
	return codecs.CeilDiv(int64(3*time.Second), int64(target))
}

// Playlist returns the media playlist in one of its forms. It is rendered once, whoever asks.
func (s *Snapshot) Playlist(form Form) Text {
	return s.rendered[form].get(func() []byte { return s.render(form) })
}

func (s *Snapshot) listed() []*segment {
	if len(s.kept) == 0 {
		return nil
	}
	return s.kept[max(0, s.first-s.kept[0].msn):]
}

func (s *Snapshot) render(form Form) []byte {
	g := s.rendition.view.feed.Grid
	target := time.Duration(g.TargetDuration()) * time.Second
	segments := s.listed()
	p := m3u8.Media{
		TargetDuration:        g.TargetDuration(),
		MediaSequence:         s.first,
		DiscontinuitySequence: s.sequenceBefore(segments),
	}
	if form == Plain {
		p.Segments = s.finished(segments, "", 0)
		return p.Append(nil)
	}
	p.PartTarget = g.PartTarget()
	p.ServerControl = m3u8.ServerControl{CanBlockReload: true, CanSkipUntil: 6 * target, HoldBack: 3 * target, PartHoldBack: 3 * g.PartTarget()}
	initInForce := ""
	if n := s.skippable(segments, 6*target); form == Delta && n > 0 {
		p.Skip = &m3u8.Skip{Segments: int64(n)}
		initInForce = segments[n-1].init
		segments = segments[n:]
	}
	p.Segments = s.finished(segments, initInForce, s.closedWithParts())
	if len(segments) > 0 {
		initInForce = segments[len(segments)-1].init
	}
	if len(s.open) > 0 {
		open := s.start(s.next.MSN, s.openStart, s.openInit, initInForce)
		open.Parts = partTags(s.next.MSN, s.open, s.timescale)
		p.Segments = append(p.Segments, open)
	}
	p.PreloadHints = []m3u8.PreloadHint{{Type: m3u8.HintPart, URI: partURI(s.next.MSN, s.next.Part)}}
	p.RenditionReports = s.reports()
	return p.Append(nil)
}

// finished returns the tags of finished segments, the last withParts of them with their parts.
func (s *Snapshot) finished(segments []*segment, initInForce string, withParts int) []m3u8.Segment {
	tags := make([]m3u8.Segment, 0, len(segments)+1)
	for i, seg := range segments {
		tag := s.start(seg.msn, seg.start, seg.init, initInForce)
		tag.Gap, tag.Duration, tag.URI = seg.gap, seg.seconds(), strconv.FormatInt(seg.msn, 10)+".m4s"
		if m := seg.media.Load(); m != nil && i >= len(segments)-withParts {
			tag.Parts = partTags(seg.msn, m.parts, seg.timescale)
		}
		tags, initInForce = append(tags, tag), seg.init
	}
	return tags
}

// start returns a segment's tags that come before its first part (§4.4.4.9).
func (s *Snapshot) start(msn int64, at discontinuity, init, initInForce string) m3u8.Segment {
	tag := m3u8.Segment{Discontinuity: at.here, ProgramDateTime: s.rendition.view.feed.Grid.SegmentTime(msn).Time()}
	if init != initInForce {
		tag.Map = "init." + init + ".mp4"
	}
	return tag
}

func partTags(msn int64, parts []part, timescale int64) []m3u8.Part {
	tags := make([]m3u8.Part, len(parts))
	for i, p := range parts {
		tags[i] = m3u8.Part{Duration: span(p.duration, timescale), URI: partURI(msn, i), Independent: p.independent, Gap: p.gap}
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
func (s *Snapshot) closedWithParts() int {
	g := s.rendition.view.feed.Grid
	return max(1, int(3*time.Duration(g.TargetDuration())*time.Second/g.Step())-1)
}

// Codecs returns the codecs of the rendition's init section (RFC 6381), empty before it came.
func (s *Snapshot) Codecs() string { return s.codecs }
