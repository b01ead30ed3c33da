package configs

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"

	"github.com/venuecast/venuecast/pipeline/ladder"
)

const (
	maxCaptions     = 4 + 63 // channels of CEA-608 and services of CEA-708
	maxCaptionBytes = 64     // of a name
)

// instream is what INSTREAM-ID may be (RFC 8216bis §4.4.6.1).
var instream = regexp.MustCompile(`^(CC[1-4]|SERVICE([1-9]|[1-5]\d|6[0-3]))$`)

// captions reads auto, none, or a list of what is announced.
func (d *decoder) captions(n ast.Node) ladder.Captions {
	if _, list := n.(*ast.SequenceNode); !list {
		return ladder.Captions{Off: d.oneOf(n, "captions", "auto", "none") == "none"}
	}
	var c ladder.Captions
	channels, names := map[string]bool{}, map[string]bool{}
	for _, n := range d.sequence(n, "captions", maxCaptions) {
		var one ladder.Caption
		channel, name := n, n
		d.mapping(n, "the entry of captions", fields{
			"channel":  func(n ast.Node) { one.Channel, channel = d.text(n, "channel"), n },
			"language": func(n ast.Node) { one.Language = d.language(n) },
			"name":     func(n ast.Node) { one.Name, name = d.text(n, "name"), n },
		}, "channel")
		if one.Channel != "" && !instream.MatchString(one.Channel) {
			d.fail(channel, "channel %s: want CC1 to CC4, or SERVICE1 to SERVICE63", quote(channel))
		}
		if channels[one.Channel] {
			d.fail(channel, "channel %s is there twice", quote(channel))
		}
		if one.Name == "" {
			one.Name = one.Channel
		}
		if len(one.Name) > maxCaptionBytes || strings.ContainsFunc(one.Name, func(r rune) bool { return r == '"' || unicode.IsControl(r) }) {
			d.fail(name, "name %s: want up to %d bytes without quotation marks", quote(name), maxCaptionBytes)
		}
		if names[one.Name] {
			d.fail(name, "name %s is there twice: players would show one of them", quote(name))
		}
		channels[one.Channel], names[one.Name] = true, true
		c.Channels = append(c.Channels, one)
	}
	return c
}
