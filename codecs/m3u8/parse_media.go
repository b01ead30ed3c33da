package m3u8

import (
	"errors"
	"fmt"
	"strings"
)

// ParseMedia reads a Media Playlist strictly: unknown tags and attributes, tags that stand twice or in the wrong
// place, and a version too low for the tags are errors. Of what Append writes it gives back the same struct.
func ParseMedia(data []byte) (*Media, error) {
	p := mediaParser{seen: seen{}}
	if err := parse(data, p.tag, p.uri); err != nil {
		return nil, fmt.Errorf("parsing a media playlist: %w", err)
	}
	if err := p.end(); err != nil {
		return nil, fmt.Errorf("parsing a media playlist: %w", err)
	}
	return &p.media, nil
}

type mediaParser struct {
	media   Media
	seen    seen
	segment Segment // whose URI is still to come
	begun   bool    // segment has tags
	timed   bool    // segment has its EXTINF
}

func (p *mediaParser) tag(name, value string) error {
	short, ok := strings.CutPrefix(name, "#EXT-X-")
	if !ok {
		if name == "#EXTINF" {
			return p.extinf(value)
		}
		return errors.New("unknown tag")
	}
	if parse, ok := segmentTags[short]; ok {
		p.begun = true
		return parse(p, value)
	}
	if parse, ok := playlistTags[short]; ok {
		return parse(&p.media, value)
	}
	if parse, ok := headTags[short]; ok {
		// These apply to the whole playlist, so they stand once, and before the first segment.
		if p.begun || len(p.media.Segments) > 0 {
			return errors.New("stands after the first segment's tags")
		}
		if err := p.seen.once(short); err != nil {
			return err
		}
		return parse(&p.media, value)
	}
	return errors.New("unknown tag")
}

func (p *mediaParser) extinf(value string) (err error) {
	if p.timed {
		return errors.New("stands twice")
	}
	p.begun, p.timed = true, true
	seconds, title, ok := strings.Cut(value, ",")
	if !ok {
		return errors.New("want a comma after the duration")
	}
	p.segment.Title = title
	p.segment.Duration, err = parseSeconds(seconds)
	return err
}

func (p *mediaParser) uri(line string) error {
	if !p.timed {
		return errors.New("URI without #EXTINF")
	}
	p.segment.URI = line
	p.push()
	return nil
}

func (p *mediaParser) push() {
	p.media.Segments = append(p.media.Segments, p.segment)
	p.segment, p.begun, p.timed = Segment{}, false, false
}

func (p *mediaParser) end() error {
	if p.timed || p.segment.Gap || p.segment.ByteRange.Length > 0 {
		return errors.New("the last segment has no URI")
	}
	if p.begun {
		p.push() // in progress
	}
	if !p.seen["TARGETDURATION"] {
		return errors.New("#EXT-X-TARGETDURATION is missing")
	}
	m := &p.media
	written := m.Version
	if m.Version == 0 {
		m.Version = 1 // what absence means (§4.4.1.2)
	}
	if need := m.version(); m.Version < need {
		return fmt.Errorf("version %d: its tags need %d", written, need)
	}
	return nil
}

// headTags apply to the playlist and stand before the first segment.
var headTags = map[string]func(m *Media, value string) error{
	"VERSION": func(m *Media, value string) (err error) {
		m.Version, err = parseVersion(value)
		return err
	},
	"INDEPENDENT-SEGMENTS": func(m *Media, value string) error {
		m.IndependentSegments = true
		return flag(value)
	},
	"START": func(m *Media, value string) (err error) {
		m.Start, err = parseStart(value)
		return err
	},
	"TARGETDURATION": func(m *Media, value string) (err error) {
		m.TargetDuration, err = parseSmall(value)
		return err
	},
	"SERVER-CONTROL": parseServerControl,
	"PART-INF": func(m *Media, value string) error {
		v := parseList(value)
		v.require("PART-TARGET")
		if m.PartTarget = v.seconds("PART-TARGET"); m.PartTarget == 0 {
			v.fail("PART-TARGET", "want more than 0")
		}
		return v.end()
	},
	"MEDIA-SEQUENCE": func(m *Media, value string) (err error) {
		m.MediaSequence, err = parseInt(value)
		return err
	},
	"DISCONTINUITY-SEQUENCE": func(m *Media, value string) (err error) {
		m.DiscontinuitySequence, err = parseInt(value)
		return err
	},
	"PLAYLIST-TYPE": func(m *Media, value string) error {
		m.PlaylistType = PlaylistType(value)
		if m.PlaylistType != Event && m.PlaylistType != VOD {
			return fmt.Errorf("%q: want %s or %s", value, Event, VOD)
		}
		return nil
	},
	"I-FRAMES-ONLY": func(m *Media, value string) error {
		m.IFramesOnly = true
		return flag(value)
	},
	"SKIP": parseSkip,
}

// playlistTags apply to the playlist and may stand anywhere.
var playlistTags = map[string]func(m *Media, value string) error{
	"DATERANGE": parseDateRange,
	"PRELOAD-HINT": func(m *Media, value string) error {
		v := parseList(value)
		v.require("TYPE", "URI")
		h := PreloadHint{Type: HintType(v.word("TYPE", string(HintPart), string(HintMap))), URI: v.uri()}
		m.PreloadHints = append(m.PreloadHints, h)
		return v.end()
	},
	"RENDITION-REPORT": func(m *Media, value string) error {
		v := parseList(value)
		v.require("URI", "LAST-MSN")
		r := RenditionReport{URI: v.uri(), LastMSN: v.int("LAST-MSN"), LastPart: -1}
		if v.index("LAST-PART") >= 0 {
			r.LastPart = int(min(v.int("LAST-PART"), 1<<31-1))
		}
		m.RenditionReports = append(m.RenditionReports, r)
		return v.end()
	},
	"ENDLIST": func(m *Media, value string) error {
		if m.EndList {
			return errors.New("stands twice")
		}
		m.EndList = true
		return flag(value)
	},
}

// segmentTags apply to the next segment.
var segmentTags = map[string]func(p *mediaParser, value string) error{
	"DISCONTINUITY": func(p *mediaParser, value string) error {
		if p.segment.Discontinuity || len(p.segment.Parts) > 0 {
			return errors.New("stands twice, or after the segment's parts")
		}
		p.segment.Discontinuity = true
		return flag(value)
	},
	"MAP": func(p *mediaParser, value string) error {
		if p.segment.Map != "" || len(p.segment.Parts) > 0 {
			return errors.New("stands twice, or after the segment's parts")
		}
		v := parseList(value)
		v.require("URI")
		p.segment.Map = v.uri()
		return v.end()
	},
	"PROGRAM-DATE-TIME": func(p *mediaParser, value string) (err error) {
		if !p.segment.ProgramDateTime.IsZero() || len(p.segment.Parts) > 0 {
			return errors.New("stands twice, or after the segment's parts")
		}
		p.segment.ProgramDateTime, err = parseTime(value)
		return err
	},
	"GAP": func(p *mediaParser, value string) error {
		if p.segment.Gap {
			return errors.New("stands twice")
		}
		p.segment.Gap = true
		return flag(value)
	},
	"BYTERANGE": func(p *mediaParser, value string) (err error) {
		if p.segment.ByteRange.Length > 0 {
			return errors.New("stands twice")
		}
		p.segment.ByteRange, err = parseByteRange(value)
		return err
	},
	"PART": func(p *mediaParser, value string) error {
		v := parseList(value)
		v.require("URI", "DURATION")
		p.segment.Parts = append(p.segment.Parts, Part{
			URI: v.uri(), Duration: v.seconds("DURATION"), Independent: v.yes("INDEPENDENT"), Gap: v.yes("GAP"),
		})
		return v.end()
	},
}

// parseByteRange reads n@o. An offset that follows from the segment before is not used here.
func parseByteRange(value string) (ByteRange, error) {
	length, offset, ok := strings.Cut(value, "@")
	n, errLength := parseInt(length)
	o, errOffset := parseInt(offset)
	if !ok || errLength != nil || errOffset != nil || n == 0 {
		return ByteRange{}, fmt.Errorf("%q: want length@offset", value)
	}
	return ByteRange{n, o}, nil
}

func parseVersion(value string) (int, error) {
	n, err := parseSmall(value)
	if err == nil && (n < 1 || n > 13) {
		err = fmt.Errorf("%q: want 1 to 13", value)
	}
	return n, err
}

func parseStart(value string) (*Start, error) {
	v := parseList(value)
	v.require("TIME-OFFSET")
	s := Start{TimeOffset: v.signedSeconds("TIME-OFFSET"), Precise: v.yes("PRECISE")}
	return &s, v.end()
}

func parseServerControl(m *Media, value string) error {
	v := parseList(value)
	m.ServerControl = ServerControl{
		CanBlockReload:    v.yes("CAN-BLOCK-RELOAD"),
		CanSkipUntil:      v.seconds("CAN-SKIP-UNTIL"),
		CanSkipDateRanges: v.yes("CAN-SKIP-DATERANGES"),
		HoldBack:          v.seconds("HOLD-BACK"),
		PartHoldBack:      v.seconds("PART-HOLD-BACK"),
	}
	return v.end()
}

func parseSkip(m *Media, value string) error {
	v := parseList(value)
	v.require("SKIPPED-SEGMENTS")
	m.Skip = &Skip{Segments: v.int("SKIPPED-SEGMENTS")}
	if ids, ok := v.take("RECENTLY-REMOVED-DATERANGES", true); ok {
		m.Skip.RemovedDateRanges = []string{}
		if ids != "" {
			m.Skip.RemovedDateRanges = strings.Split(ids, "\t")
		}
	}
	return v.end()
}

func parseDateRange(m *Media, value string) error {
	v := parseList(value)
	v.require("ID")
	d := DateRange{
		ID:              v.text("ID"),
		Class:           v.text("CLASS"),
		StartDate:       v.date("START-DATE"),
		EndDate:         v.date("END-DATE"),
		Duration:        v.seconds("DURATION"),
		PlannedDuration: v.seconds("PLANNED-DURATION"),
		SCTE35Cmd:       v.hex("SCTE35-CMD"),
		SCTE35Out:       v.hex("SCTE35-OUT"),
		SCTE35In:        v.hex("SCTE35-IN"),
		EndOnNext:       v.yes("END-ON-NEXT"),
	}
	for _, a := range v.list {
		if !isClientName(a.name) {
			v.fail(a.name, "unknown attribute")
		}
		if strings.Contains(a.text, "\t") {
			v.fail(a.name, "has a tab in it")
		}
		d.Client = append(d.Client, Attribute{Name: a.name, Value: a.text, Bare: !a.quoted})
	}
	m.DateRanges = append(m.DateRanges, d)
	return v.err
}
