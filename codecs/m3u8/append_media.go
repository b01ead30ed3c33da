package m3u8

import "strconv"

// Append appends the playlist to dst. Once rendered, its bytes may be shared; m may be changed again.
func (m *Media) Append(dst []byte) []byte {
	dst = m.AppendHead(dst)
	for i := range m.Segments {
		dst = m.Segments[i].Append(dst)
	}
	return m.AppendTail(dst)
}

// AppendHead appends what stands before the segments. With Segment.Append and AppendTail it makes a playlist whose
// segments are not all in m; Version must be set then.
func (m *Media) AppendHead(dst []byte) []byte {
	dst = m.appendHead(dst)
	for i := range m.DateRanges { // some readers refuse them after the last segment
		dst = m.DateRanges[i].append(dst)
	}
	return dst
}

// AppendTail appends what stands after the segments.
func (m *Media) AppendTail(dst []byte) []byte {
	for i := range m.PreloadHints {
		a := list(dst, "PRELOAD-HINT")
		a.word("TYPE", string(m.PreloadHints[i].Type))
		a.uri(m.PreloadHints[i].URI)
		dst = a.end()
	}
	for i := range m.RenditionReports {
		dst = m.RenditionReports[i].append(dst)
	}
	if m.EndList {
		dst = append(dst, "#EXT-X-ENDLIST\n"...)
	}
	return dst
}

func (m *Media) appendHead(dst []byte) []byte {
	dst = appendStart(dst, m.Version, m.version(), m.IndependentSegments, m.Start)
	dst = appendNumber(dst, "#EXT-X-TARGETDURATION:", int64(m.TargetDuration))
	if m.ServerControl != (ServerControl{}) {
		dst = m.ServerControl.append(dst)
	}
	if m.PartTarget > 0 {
		a := list(dst, "PART-INF")
		a.seconds("PART-TARGET", m.PartTarget)
		dst = a.end()
	}
	dst = appendNumber(dst, "#EXT-X-MEDIA-SEQUENCE:", m.MediaSequence)
	dst = appendNumber(dst, "#EXT-X-DISCONTINUITY-SEQUENCE:", m.DiscontinuitySequence)
	if m.PlaylistType != "" {
		dst = append(appendWord(append(dst, "#EXT-X-PLAYLIST-TYPE:"...), string(m.PlaylistType)), '\n')
	}
	if m.IFramesOnly {
		dst = append(dst, "#EXT-X-I-FRAMES-ONLY\n"...)
	}
	if m.Skip != nil {
		dst = m.Skip.append(dst)
	}
	return dst
}

// appendStart writes the tags that both kinds of playlist begin with. Version 1 is what no tag means.
func appendStart(dst []byte, version, lowest int, independent bool, start *Start) []byte {
	dst = append(dst, "#EXTM3U\n"...)
	if version == 0 {
		version = lowest
	}
	if version > 1 {
		dst = appendNumber(dst, "#EXT-X-VERSION:", int64(version))
	}
	if independent {
		dst = append(dst, "#EXT-X-INDEPENDENT-SEGMENTS\n"...)
	}
	if start == nil {
		return dst
	}
	a := list(dst, "START")
	a.seconds("TIME-OFFSET", start.TimeOffset)
	a.yes("PRECISE", start.Precise)
	return a.end()
}

func appendNumber(dst []byte, tag string, n int64) []byte {
	return append(strconv.AppendInt(append(dst, tag...), n, 10), '\n')
}

func (c *ServerControl) append(dst []byte) []byte {
	a := list(dst, "SERVER-CONTROL")
	a.yes("CAN-BLOCK-RELOAD", c.CanBlockReload)
	a.optionalSeconds("CAN-SKIP-UNTIL", c.CanSkipUntil)
	a.yes("CAN-SKIP-DATERANGES", c.CanSkipDateRanges)
	a.optionalSeconds("HOLD-BACK", c.HoldBack)
	a.optionalSeconds("PART-HOLD-BACK", c.PartHoldBack)
	return a.end()
}

func (s *Skip) append(dst []byte) []byte {
	a := list(dst, "SKIP")
	a.int("SKIPPED-SEGMENTS", s.Segments)
	if s.RemovedDateRanges != nil {
		a.name("RECENTLY-REMOVED-DATERANGES")
		a.dst = append(a.dst, '"')
		for i, id := range s.RemovedDateRanges {
			if i > 0 {
				a.dst = append(a.dst, '\t')
			}
			a.dst = appendText(a.dst, id)
		}
		a.dst = append(a.dst, '"')
	}
	return a.end()
}

// Append appends the segment with its tags, as it stands in a playlist. A segment that has all its parts is always
// written alike, so that its bytes may be kept.
func (s *Segment) Append(dst []byte) []byte {
	if s.Discontinuity {
		dst = append(dst, "#EXT-X-DISCONTINUITY\n"...)
	}
	if s.Map != "" {
		a := list(dst, "MAP")
		a.uri(s.Map)
		dst = a.end()
	}
	if !s.ProgramDateTime.IsZero() {
		dst = append(appendTime(append(dst, "#EXT-X-PROGRAM-DATE-TIME:"...), s.ProgramDateTime), '\n')
	}
	for i := range s.Parts {
		dst = s.Parts[i].append(dst)
	}
	if s.URI == "" {
		return dst
	}
	if s.Gap {
		dst = append(dst, "#EXT-X-GAP\n"...)
	}
	if s.ByteRange.Length > 0 {
		dst = strconv.AppendInt(append(dst, "#EXT-X-BYTERANGE:"...), s.ByteRange.Length, 10)
		dst = append(strconv.AppendInt(append(dst, '@'), s.ByteRange.Offset, 10), '\n')
	}
	dst = append(appendSeconds(append(dst, "#EXTINF:"...), s.Duration), ',')
	dst = append(appendText(dst, s.Title), '\n')
	return append(appendURI(dst, s.URI), '\n')
}

func (p *Part) append(dst []byte) []byte {
	a := list(dst, "PART")
	a.seconds("DURATION", p.Duration)
	a.uri(p.URI)
	a.yes("INDEPENDENT", p.Independent)
	a.yes("GAP", p.Gap)
	return a.end()
}

func (r *RenditionReport) append(dst []byte) []byte {
	a := list(dst, "RENDITION-REPORT")
	a.uri(r.URI)
	a.int("LAST-MSN", r.LastMSN)
	if r.LastPart >= 0 {
		a.int("LAST-PART", int64(r.LastPart))
	}
	return a.end()
}

func (d *DateRange) append(dst []byte) []byte {
	a := list(dst, "DATERANGE")
	a.text("ID", d.ID)
	a.optionalText("CLASS", d.Class)
	a.date("START-DATE", d.StartDate)
	a.date("END-DATE", d.EndDate)
	a.optionalSeconds("DURATION", d.Duration)
	a.optionalSeconds("PLANNED-DURATION", d.PlannedDuration)
	for i := range d.Client {
		d.Client[i].append(&a)
	}
	a.hex("SCTE35-CMD", d.SCTE35Cmd)
	a.hex("SCTE35-OUT", d.SCTE35Out)
	a.hex("SCTE35-IN", d.SCTE35In)
	a.yes("END-ON-NEXT", d.EndOnNext)
	return a.end()
}

func (c *Attribute) append(a *attributes) {
	if !isClientName(c.Name) {
		return // it could be taken for an attribute of the standard
	}
	if c.Bare {
		a.word(c.Name, c.Value)
		return
	}
	a.text(c.Name, c.Value)
}

// ValidClient reports whether the attribute can stand in a date range as it is: an X- name, and a value that needs no cleaning.
func (c Attribute) ValidClient() bool {
	if !isClientName(c.Name) {
		return false
	}
	if c.Bare {
		return c.Value != "" && string(appendWord(nil, c.Value)) == c.Value
	}
	return string(appendText(nil, c.Value)) == c.Value
}

// ValidText reports whether s can stand in a quoted string as it is (§4.2).
func ValidText(s string) bool { return string(appendText(nil, s)) == s }

// isClientName reports whether name is one that a client may define: X- and then upper case, digits and hyphens.
func isClientName(name string) bool { return len(name) > 2 && name[:2] == "X-" && isName(name) }

func isName(name string) bool {
	for i := range len(name) {
		if c := name[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return name != ""
}
