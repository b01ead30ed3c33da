package m3u8

// Append appends the playlist to dst.
func (m *Multivariant) Append(dst []byte) []byte {
	dst = appendStart(dst, m.Version, m.version(), m.IndependentSegments, m.Start)
	for i := range m.Renditions {
		dst = m.Renditions[i].append(dst)
	}
	for i := range m.Variants {
		dst = m.Variants[i].append(dst)
	}
	for i := range m.IFrames {
		a := list(dst, "I-FRAME-STREAM-INF")
		m.IFrames[i].appendCommon(&a)
		a.uri(m.IFrames[i].URI)
		dst = a.end()
	}
	return dst
}

func (r *Rendition) append(dst []byte) []byte {
	a := list(dst, "MEDIA")
	a.word("TYPE", string(r.Type))
	a.text("GROUP-ID", r.GroupID)
	a.text("NAME", r.Name)
	a.optionalText("LANGUAGE", r.Language)
	a.optionalText("ASSOC-LANGUAGE", r.AssocLanguage)
	a.yes("DEFAULT", r.Default)
	a.yes("AUTOSELECT", r.Autoselect || r.Default)
	a.yes("FORCED", r.Forced)
	a.optionalText("INSTREAM-ID", r.InstreamID)
	a.optionalText("CHARACTERISTICS", r.Characteristics)
	a.optionalText("CHANNELS", r.Channels)
	if r.URI != "" {
		a.uri(r.URI)
	}
	return a.end()
}

func (v *Variant) append(dst []byte) []byte {
	a := list(dst, "STREAM-INF")
	v.appendCommon(&a)
	a.rate("FRAME-RATE", v.FrameRate)
	a.optionalText("AUDIO", v.Audio)
	a.optionalText("SUBTITLES", v.Subtitles)
	if v.ClosedCaptions == NoCaptions {
		a.word("CLOSED-CAPTIONS", NoCaptions)
	} else {
		a.optionalText("CLOSED-CAPTIONS", v.ClosedCaptions)
	}
	return append(appendURI(a.end(), v.URI), '\n')
}

// appendCommon writes what I-frame playlists have, too (§4.4.6.3).
func (v *Variant) appendCommon(a *attributes) {
	a.int("BANDWIDTH", v.Bandwidth)
	if v.AverageBandwidth > 0 {
		a.int("AVERAGE-BANDWIDTH", v.AverageBandwidth)
	}
	a.optionalText("CODECS", v.Codecs)
	a.optionalText("SUPPLEMENTAL-CODECS", v.SupplementalCodecs)
	a.resolution("RESOLUTION", v.Width, v.Height)
	a.word("VIDEO-RANGE", string(v.VideoRange))
}
