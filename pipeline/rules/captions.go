package rules

import (
	"regexp"
	"slices"

	"github.com/venuecast/venuecast/codecs/captions"
	"github.com/venuecast/venuecast/codecs/cmaf"
)

// instream is what INSTREAM-ID of captions may be (§4.4.6.1).
var instream = regexp.MustCompile(`^(CC[1-4]|SERVICE([1-9]|[1-5]\d|6[0-3]))$`)

// instreamIDs checks INSTREAM-ID of captions.
func (g *page) instreamIDs(m *multivariant) {
	type place struct{ group, id string }
	var seen []place
	for i := range m.media {
		t := &m.media[i]
		id, ok := t.attrs.get("INSTREAM-ID")
		if !ok || t.attrs.text("TYPE") != "CLOSED-CAPTIONS" {
			continue
		}
		here := place{t.attrs.text("GROUP-ID"), id}
		if !instream.MatchString(id) {
			g.found("instream-id-form", []string{t.line}, "INSTREAM-ID is %q", id)
		}
		if slices.Contains(seen, here) {
			g.found("instream-id-form", []string{t.line}, "group %q has another member of %s", here.group, id)
		}
		seen = append(seen, here)
	}
}

// speaks holds the captions within pictures against what the variants of the rendition say; each channel once.
func (t *track) speaks(g *page, section *initSection, samples []cmaf.Sample) {
	var heard captions.Channels
	for i := range samples {
		heard |= captions.InSample(section.info.Codec, samples[i].Data)
	}
	m, fresh := t.c.multivariant, heard&^t.spoken
	if m == nil || fresh == 0 {
		return
	}
	t.spoken |= fresh
	for i := range m.variants {
		v := &m.variants[i]
		group, said := v.attrs.get("CLOSED-CAPTIONS")
		if !said || resolve(t.c.url, v.uri) != t.url {
			continue
		}
		for _, channel := range fresh.Names() {
			if group == "NONE" || !slices.ContainsFunc(m.group("CLOSED-CAPTIONS", group), func(member *tag) bool {
				return member.attrs.text("INSTREAM-ID") == channel
			}) {
				g.found("captions-unannounced", []string{v.line}, "the pictures have captions in %s", channel)
			}
		}
	}
}
