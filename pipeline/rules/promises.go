package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/codecs/m3u8"
)

// promised holds an init section against what the multivariant playlist says of the rendition.
func (t *track) promised(g *page, info *cmaf.InitInfo) {
	m := t.c.multivariant
	if m == nil {
		return
	}
	for i := range m.variants {
		v := &m.variants[i]
		direct := resolve(t.c.url, v.uri) == t.url
		if !direct && !t.inGroupOf(v) {
			continue
		}
		if v.attrs.has("CODECS") && !slices.ContainsFunc(v.codecs(), func(c string) bool { return sameFormat(c, info.Codecs) }) {
			g.found("codecs-wrong", []string{v.line}, "the init section has %s", info.Codecs)
		}
		if direct && info.Codec.Kind() == codecs.Video {
			g.shown(v, info)
		}
	}
	if t.pictures != nil {
		t.pictures.promisedPictures(g, info)
	}
	for i := range m.media {
		n, ok := m.media[i].channels()
		if ok && info.Channels > 0 && n != info.Channels && resolve(t.c.url, m.media[i].attrs.text("URI")) == t.url {
			g.found("channels-wrong", []string{m.media[i].line}, "the init section has %d channels", info.Channels)
		}
	}
}

// channels returns the first parameter of CHANNELS.
func (t *tag) channels() (int, bool) {
	count, _, _ := strings.Cut(t.attrs.text("CHANNELS"), "/")
	n, err := strconv.Atoi(count)
	return n, err == nil
}

// inGroupOf reports whether a rendition is in one of the variant's groups.
func (t *track) inGroupOf(v *variant) bool {
	return slices.ContainsFunc(t.c.multivariant.media, func(m tag) bool {
		uri := m.attrs.text("URI")
		return uri != "" && resolve(t.c.url, uri) == t.url && v.attrs.text(m.attrs.text("TYPE")) == m.attrs.text("GROUP-ID")
	})
}

// shown checks RESOLUTION and VIDEO-RANGE.
func (g *page) shown(v *variant, info *cmaf.InitInfo) {
	var w, h int
	// Pictures whose samples are not square are shown at another width.
	if _, err := fmt.Sscanf(v.attrs.text("RESOLUTION"), "%dx%d", &w, &h); err == nil && w != info.Width && h != info.Height {
		g.found("resolution-wrong", []string{v.line}, "the init section has %dx%d", info.Width, info.Height)
	}
	want, said := videoRange(info), v.attrs.text("VIDEO-RANGE")
	if said == "" {
		said = "SDR"
	}
	if want != "" && want != said {
		g.found("video-range-wrong", []string{v.line}, "the transfer characteristics are those of %s", want)
	}
}

// videoRange returns the VIDEO-RANGE of transfer characteristics (ITU-T H.273 table 3), empty when they are not said.
func videoRange(info *cmaf.InitInfo) string {
	switch info.Colour.Transfer {
	case 1, 6, 13, 14, 15, codecs.TransferPQ, codecs.TransferHLG:
		return string(m3u8.RangeOf(info.Colour))
	}
	return ""
}

// frameRate checks that pictures do not come faster than FRAME-RATE says.
func (t *track) frameRate(g *page, section *initSection, samples []cmaf.Sample) {
	if t.c.multivariant == nil || section.info.Codec.Kind() != codecs.Video || samples[0].Duration == 0 {
		return
	}
	rate := float64(section.info.Timescale) / float64(samples[0].Duration)
	for i := range t.c.multivariant.variants {
		v := &t.c.multivariant.variants[i]
		said, err := strconv.ParseFloat(v.attrs.text("FRAME-RATE"), 64)
		if err == nil && resolve(t.c.url, v.uri) == t.url && rate > said+0.01 {
			g.found("frame-rate-wrong", []string{v.line}, "there are %.3f pictures per second", rate)
		}
	}
}

// rates are the bit rates of a rendition, as measured.
type rates struct {
	peak   int64
	bits   int64
	length time.Duration
}

// enough is how much must be measured to say something of the average.
const enough = time.Minute

// measure counts a segment's bit rate and holds it against what was declared.
func (t *track) measure(g *page, s *listing, size int) {
	if s.duration <= 0 {
		return
	}
	bits := 8 * int64(size)
	rate := codecs.MulDiv(bits, int64(time.Second), int64(s.duration))
	if s.bitrate > 0 && (rate > s.bitrate*1100 || rate < s.bitrate*900) {
		g.found("bit-rate-wrong", []string{s.uri}, "EXT-X-BITRATE is %d, the segment has %d kbit/s", s.bitrate, rate/1000)
	}
	t.rates.bits += bits
	t.rates.length += s.duration
	// The peak is that of runs of half to one and a half target durations (§4.1).
	if t.last != nil && s.duration >= t.last.target/2 && rate > t.rates.peak {
		t.rates.peak = rate
	}
	if t.c.multivariant == nil {
		return
	}
	for i := range t.c.multivariant.variants {
		t.c.checkBandwidth(g, &t.c.multivariant.variants[i])
	}
}

func (r *rates) average() int64 {
	if r.length < enough {
		return 0
	}
	return codecs.MulDiv(r.bits, int64(time.Second), int64(r.length))
}

// checkBandwidth sums what a variant's own playlist and the most of each of its groups need.
func (c *Checker) checkBandwidth(g *page, v *variant) {
	var peak, average int64
	groups := map[string]rates{}
	for _, t := range c.tracks {
		switch {
		case resolve(c.url, v.uri) == t.url:
			peak, average = peak+t.rates.peak, average+t.rates.average()
		case t.inGroupOf(v):
			most := groups[t.format]
			groups[t.format] = rates{peak: max(most.peak, t.rates.peak), bits: max(most.bits, t.rates.average())}
		}
	}
	for _, most := range groups {
		peak, average = peak+most.peak, average+most.bits
	}
	if said, ok := v.attrs.number("BANDWIDTH"); ok && peak > said*5/4 {
		g.found("bandwidth-low", []string{v.line}, "the peak is %d bit/s", peak)
	}
	if said, ok := v.attrs.number("AVERAGE-BANDWIDTH"); ok && average > said*11/10 {
		g.found("average-bandwidth-low", []string{v.line}, "the average is %d bit/s", average)
	}
}

// start is where a segment begins.
type start struct {
	known bool
	time  time.Duration // decoding time
	frame time.Duration // of its first sample
	date  time.Time
	kind  codecs.Kind
}

// align holds a segment's start against those of the same number in other renditions.
func (t *track) align(g *page, s *listing, r run, section *initSection) {
	s.start = start{true, section.span(r.base), r.frame(section), s.date, section.info.Codec.Kind()}
	for _, other := range t.c.tracks {
		o := other.listings[s.msn]
		if other == t || o == nil || !o.start.known {
			continue
		}
		t.compareStarts(g, s, o, other.url)
		return // one reference is enough: faults would only be said again
	}
}

func (t *track) compareStarts(g *page, s, o *listing, url string) {
	tolerance := 2 * rounding
	for _, x := range []*start{&s.start, &o.start} {
		if x.kind == codecs.Audio {
			tolerance = max(tolerance, x.frame) // audio is cut at the frame nearest to the video
		}
	}
	times := s.start.time - o.start.time
	dates := s.start.date.Sub(o.start.date)
	dated := !s.start.date.IsZero() && !o.start.date.IsZero()
	lines := []string{s.dateLine, s.uri}
	apart := times.Abs() > tolerance
	switch {
	case apart && (!dated || dates.Abs() <= tolerance):
		g.found("timestamps-differ", lines, "segment %d begins at %v, at %v in %s", s.msn, s.start.time, o.start.time, url)
	case apart && (times-dates).Abs() <= tolerance:
		g.found("msn-differs", lines, "segment %d begins %v after that of %s", s.msn, times, url)
	case dated && (times-dates).Abs() > tolerance:
		g.found("date-time-differs", lines, "segment %d is dated %v after that of %s, and begins %v after it", s.msn, dates, url, times)
	}
	if !apart && s.number != o.number {
		g.found("discontinuity-differs", lines, "segment %d has Discontinuity Sequence Number %d, %d in %s", s.msn, s.number, o.number, url)
	}
}
