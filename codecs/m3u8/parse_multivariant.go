package m3u8

import (
	"errors"
	"fmt"
	"strings"
)

// ParseMultivariant reads a Multivariant Playlist as strictly as ParseMedia reads the other kind.
func ParseMultivariant(data []byte) (*Multivariant, error) {
	p := multivariantParser{seen: seen{}}
	err := parse(data, p.tag, p.uri)
	if err == nil {
		err = p.end()
	}
	if err != nil {
		return nil, fmt.Errorf("parsing a multivariant playlist: %w", err)
	}
	return &p.playlist, nil
}

type multivariantParser struct {
	playlist Multivariant
	seen     seen
	variant  *Variant // whose URI is still to come
}

func (p *multivariantParser) tag(name, value string) (err error) {
	if p.variant != nil {
		return errors.New("stands between #EXT-X-STREAM-INF and its URI")
	}
	short, ok := strings.CutPrefix(name, "#EXT-X-")
	if !ok {
		return errors.New("unknown tag")
	}
	m := &p.playlist
	switch short {
	case "MEDIA":
		return parseRendition(m, value)
	case "STREAM-INF":
		p.variant, err = parseVariant(value)
		return err
	case "I-FRAME-STREAM-INF":
		return parseIFrames(m, value)
	}
	if err := p.seen.once(short); err != nil {
		return err
	}
	switch short {
	case "VERSION":
		m.Version, err = parseVersion(value)
	case "INDEPENDENT-SEGMENTS":
		m.IndependentSegments, err = true, flag(value)
	case "START":
		m.Start, err = parseStart(value)
	default:
		err = errors.New("unknown tag")
	}
	return err
}

func (p *multivariantParser) uri(line string) error {
	if p.variant == nil {
		return errors.New("URI without #EXT-X-STREAM-INF")
	}
	p.variant.URI = line
	p.playlist.Variants = append(p.playlist.Variants, *p.variant)
	p.variant = nil
	return nil
}

func (p *multivariantParser) end() error {
	if p.variant != nil {
		return errors.New("the last variant has no URI")
	}
	m := &p.playlist
	if m.Version == 0 {
		m.Version = 1 // what absence means (§4.4.1.2)
	}
	// EXT-X-MEDIA and I-frame playlists are allowed below version 4 (§8).
	if need := m.version(); need > 4 && m.Version < need {
		return fmt.Errorf("version %d: its tags need %d", m.Version, need)
	}
	return nil
}

func parseRendition(m *Multivariant, value string) error {
	v := parseList(value)
	v.require("TYPE", "GROUP-ID", "NAME")
	r := Rendition{
		Type: MediaType(v.word("TYPE",
			string(TypeAudio), string(TypeVideo), string(TypeSubtitles), string(TypeClosedCaptions))),
		GroupID:         v.text("GROUP-ID"),
		Name:            v.text("NAME"),
		Language:        v.text("LANGUAGE"),
		AssocLanguage:   v.text("ASSOC-LANGUAGE"),
		Forced:          v.yes("FORCED"),
		InstreamID:      v.text("INSTREAM-ID"),
		Characteristics: v.text("CHARACTERISTICS"),
		Channels:        v.text("CHANNELS"),
		URI:             v.uri(),
	}
	autoselect := v.word("AUTOSELECT", "YES", "NO")
	r.Default = v.yes("DEFAULT")
	r.Autoselect = autoselect == "YES" || r.Default
	if r.Default && autoselect == "NO" {
		v.fail("AUTOSELECT", "must be YES with DEFAULT=YES")
	}
	m.Renditions = append(m.Renditions, r)
	return v.end()
}

func parseVariant(value string) (*Variant, error) {
	v := parseList(value)
	s := parseCommon(v)
	s.FrameRate = v.rate("FRAME-RATE")
	s.Audio = v.text("AUDIO")
	s.Subtitles = v.text("SUBTITLES")
	if i := v.index("CLOSED-CAPTIONS"); i >= 0 && !v.list[i].quoted {
		s.ClosedCaptions = v.word("CLOSED-CAPTIONS", NoCaptions)
	} else if s.ClosedCaptions = v.text("CLOSED-CAPTIONS"); s.ClosedCaptions == NoCaptions {
		v.fail("CLOSED-CAPTIONS", "a group has the name of the keyword")
	}
	return &s, v.end()
}

func parseIFrames(m *Multivariant, value string) error {
	v := parseList(value)
	v.require("URI")
	s := parseCommon(v)
	s.URI = v.uri()
	m.IFrames = append(m.IFrames, s)
	return v.end()
}

func parseCommon(v *values) Variant {
	v.require("BANDWIDTH")
	s := Variant{
		Bandwidth:          v.int("BANDWIDTH"),
		AverageBandwidth:   v.int("AVERAGE-BANDWIDTH"),
		Codecs:             v.text("CODECS"),
		SupplementalCodecs: v.text("SUPPLEMENTAL-CODECS"),
		VideoRange:         VideoRange(v.word("VIDEO-RANGE", string(SDR), string(HLG), string(PQ))),
	}
	s.Width, s.Height = v.resolution("RESOLUTION")
	return s
}
