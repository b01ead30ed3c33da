package rules

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// multivariant is a multivariant playlist as it was read.
type multivariant struct {
	tags     map[string][]tag
	media    []tag
	variants []variant
	wrong    []wrongLine
	version  int64
	needs    int64
	advised  int64 // the version that its tags came with
}

// variant is an EXT-X-STREAM-INF and its URI.
type variant struct {
	tag
	uri string
}

func (v *variant) codecs() []string {
	var list []string
	for c := range strings.SplitSeq(v.attrs.text("CODECS"), ",") {
		if c = strings.TrimSpace(c); c != "" {
			list = append(list, c)
		}
	}
	return list
}

// videoFormats begin the names of video formats (RFC 6381).
var videoFormats = []string{"avc1", "avc3", "hvc1", "hev1", "dvh1", "dvhe", "av01", "vp09"}

// hasVideo reports whether a variant says it has video.
func (v *variant) hasVideo() bool {
	return v.attrs.has("RESOLUTION") || slices.ContainsFunc(v.codecs(), func(c string) bool {
		return len(c) >= 4 && slices.Contains(videoFormats, c[:4])
	})
}

func readMultivariant(body []byte) *multivariant {
	m := &multivariant{tags: map[string][]tag{}, version: 1, needs: 1, advised: 1}
	var open *tag
	onTag := func(t tag) {
		m.tags[t.name] = append(m.tags[t.name], t)
		switch t.name {
		case "EXT-X-VERSION":
			m.version, _ = strconv.ParseInt(t.value, 10, 64)
		case "EXT-X-STREAM-INF":
			if open != nil {
				m.variants = append(m.variants, variant{tag: *open})
			}
			open = &t
		case "EXT-X-MEDIA":
			m.media = append(m.media, t)
		}
		m.needs, m.advised = max(m.needs, neededBy(t)), max(m.advised, advisedBy(t))
	}
	onURI := func(line string) {
		if open != nil {
			m.variants = append(m.variants, variant{tag: *open, uri: line})
			open = nil
		}
	}
	lines(body, onTag, onURI, func(line, why string) { m.wrong = append(m.wrong, wrongLine{line, why}) })
	if open != nil {
		m.variants = append(m.variants, variant{tag: *open})
	}
	return m
}

// neededBy returns the version that a tag of a multivariant playlist needs (§8).
func neededBy(t tag) int64 {
	instream := t.attrs.text("INSTREAM-ID")
	switch {
	case t.name == "EXT-X-MEDIA" && instream != "" && t.attrs.text("TYPE") != "CLOSED-CAPTIONS":
		return 13
	case slices.ContainsFunc(t.attrs, func(a attribute) bool { return strings.HasPrefix(a.name, "REQ-") }):
		return 12
	case t.name == "EXT-X-DEFINE" && t.attrs.has("QUERYPARAM"):
		return 11
	case t.name == "EXT-X-DEFINE":
		return 8
	case strings.HasPrefix(instream, "SERVICE"):
		return 7
	}
	return 1
}

// advisedBy returns the version that a tag came with: a server may declare it (§8).
func advisedBy(t tag) int64 {
	if t.name == "EXT-X-MEDIA" || t.name == iFrameStream {
		return 4
	}
	return 1
}

// multivariant checks what a multivariant playlist says by itself.
func (g *page) multivariant(m *multivariant) {
	g.syntax(m.wrong)
	g.version(m.version, m.needs, m.advised, m.tags)
	for name := range m.tags {
		if mediaTags[name] {
			g.found("playlist-mixed", []string{m.tags[name][0].line}, "%s stands in a multivariant playlist", name)
		}
	}
	if len(m.variants) == 0 {
		g.found("multivariant-empty", nil, "there is no EXT-X-STREAM-INF")
	}
	video := false
	for i := range m.variants {
		g.variant(m, &m.variants[i])
		video = video || m.variants[i].hasVideo()
	}
	g.variants(m)
	for i := range m.media {
		g.media(&m.media[i])
	}
	g.groups(m)
	g.instreamIDs(m)
	g.iFrameStreams(m)
	g.steering(m)
	g.defines(m.tags)
	if video && len(m.tags[iFrameStream]) == 0 {
		g.found("i-frame-playlist-missing", nil, "there is no EXT-X-I-FRAME-STREAM-INF")
	}
	if video && len(m.tags["EXT-X-INDEPENDENT-SEGMENTS"]) == 0 {
		g.found("independent-segments-missing", nil, "there is no EXT-X-INDEPENDENT-SEGMENTS")
	}
}

// variant checks one EXT-X-STREAM-INF.
func (g *page) variant(m *multivariant, v *variant) {
	line := []string{v.line}
	if v.uri == "" {
		g.found("variant-uri-missing", line, "no URI follows")
	}
	for _, required := range []struct{ attribute, rule string }{
		{"BANDWIDTH", "bandwidth-missing"}, {"AVERAGE-BANDWIDTH", "average-bandwidth-missing"}, {"CODECS", "codecs-missing"},
	} {
		if !v.attrs.has(required.attribute) {
			g.found(required.rule, line, "%s is missing", required.attribute)
		}
	}
	for _, group := range []string{"AUDIO", "VIDEO", "SUBTITLES", "CLOSED-CAPTIONS"} {
		id, ok := v.attrs.get(group)
		if ok && !(group == "CLOSED-CAPTIONS" && id == "NONE") && len(m.group(group, id)) == 0 {
			g.found("group-missing", line, "no EXT-X-MEDIA of type %s has GROUP-ID %q", group, id)
		}
	}
	g.supplemental(v)
	if rate, ok := v.attrs.get("FRAME-RATE"); ok && !threeDecimals(rate) {
		g.found("frame-rate-form", line, "FRAME-RATE is %s", rate)
	}
	if !v.hasVideo() {
		return
	}
	for _, required := range []struct{ attribute, rule string }{
		{"RESOLUTION", "resolution-missing"}, {"FRAME-RATE", "frame-rate-missing"}, {"CLOSED-CAPTIONS", "captions-missing"},
	} {
		if !v.attrs.has(required.attribute) {
			g.found(required.rule, line, "%s is missing", required.attribute)
		}
	}
}

// threeDecimals reports whether a number has at most three decimals.
func threeDecimals(s string) bool {
	_, fraction, _ := strings.Cut(s, ".")
	_, err := strconv.ParseFloat(s, 64)
	return err == nil && len(fraction) <= 3
}

func (g *page) supplemental(v *variant) {
	list, ok := v.attrs.get("SUPPLEMENTAL-CODECS")
	if !ok {
		return
	}
	for element := range strings.SplitSeq(list, ",") {
		format, _, _ := strings.Cut(strings.TrimSpace(element), "/")
		if len(format) < 4 || len(v.codecs()) == 0 {
			g.found("supplemental-codecs-form", []string{v.line}, "%q has no format, or no base in CODECS", element)
		}
	}
}

// variants holds the variants against each other.
func (g *page) variants(m *multivariant) {
	var scores, none, low int
	narrow, wide := math.Inf(1), 0.0
	for i := range m.variants {
		v := &m.variants[i]
		if v.attrs.has("SCORE") {
			scores++
		}
		if v.attrs.text("CLOSED-CAPTIONS") == "NONE" {
			none++
		}
		if n, ok := v.attrs.number("BANDWIDTH"); ok && n <= 192_000 {
			low++
		}
		if ratio := aspectRatio(v.attrs.text("RESOLUTION")); ratio > 0 {
			narrow, wide = min(narrow, ratio), max(wide, ratio)
		}
	}
	all := len(m.variants)
	if scores > 0 && scores < all {
		g.found("score-partial", m.lines("EXT-X-STREAM-INF"), "%d of %d variants have SCORE", scores, all)
	}
	if none > 0 && none < all {
		g.found("captions-partial", m.lines("EXT-X-STREAM-INF"), "%d of %d variants have CLOSED-CAPTIONS=NONE", none, all)
	}
	if low == 0 && all > 0 {
		g.found("low-variant-missing", nil, "no variant has BANDWIDTH up to 192000")
	}
	// Sizes are rounded to what codecs can have.
	if wide > narrow*1.05 {
		g.found("aspect-ratio-differs", m.lines("EXT-X-STREAM-INF"), "aspect ratios are from %.2f to %.2f", narrow, wide)
	}
}

func (m *multivariant) lines(name string) (list []string) {
	for i := range m.tags[name] {
		list = append(list, m.tags[name][i].line)
	}
	return list
}

// aspectRatio returns width by height of a RESOLUTION, 0 when there is none.
func aspectRatio(resolution string) float64 {
	var w, h float64
	if _, err := fmt.Sscanf(resolution, "%fx%f", &w, &h); err != nil || h <= 0 {
		return 0
	}
	return w / h
}

// group returns the members of a group.
func (m *multivariant) group(kind, id string) (members []*tag) {
	for i := range m.media {
		if t := &m.media[i]; t.attrs.text("TYPE") == kind && t.attrs.text("GROUP-ID") == id {
			members = append(members, t)
		}
	}
	return members
}

// media checks one EXT-X-MEDIA.
func (g *page) media(t *tag) {
	line := []string{t.line}
	kind := t.attrs.text("TYPE")
	for _, name := range []string{"TYPE", "GROUP-ID", "NAME"} {
		if !t.attrs.has(name) {
			g.found("media-form", line, "%s is missing", name)
		}
	}
	switch {
	case kind == "CLOSED-CAPTIONS" && (t.attrs.has("URI") || !t.attrs.has("INSTREAM-ID")):
		g.found("media-form", line, "captions need INSTREAM-ID and no URI")
	case kind == "SUBTITLES" && !t.attrs.has("URI"):
		g.found("media-form", line, "subtitles need a URI")
	case kind != "SUBTITLES" && t.attrs.has("FORCED"):
		g.found("media-form", line, "FORCED is for subtitles")
	case kind != "AUDIO" && t.attrs.has("CHANNELS"):
		g.found("media-form", line, "CHANNELS is for audio")
	}
	if t.attrs.yes("DEFAULT") && t.attrs.text("AUTOSELECT") == "NO" {
		g.found("media-default-autoselect", line, "DEFAULT is YES and AUTOSELECT is NO")
	}
	if kind == "AUDIO" && !t.attrs.has("CHANNELS") {
		g.found("channels-missing", line, "CHANNELS is missing")
	}
	if (kind == "AUDIO" || kind == "SUBTITLES") && !t.attrs.has("LANGUAGE") {
		g.found("language-missing", line, "LANGUAGE is missing")
	}
}

// groups holds the members of groups, and the groups of a type, against each other.
func (g *page) groups(m *multivariant) {
	type key struct{ kind, id string }
	names := map[key][]string{}
	for i := range m.media {
		t := &m.media[i]
		k := key{t.attrs.text("TYPE"), t.attrs.text("GROUP-ID")}
		name := t.attrs.text("NAME")
		if slices.Contains(names[k], name) {
			g.found("media-name-twice", []string{t.line}, "group %q has another member named %q", k.id, name)
		}
		if t.attrs.yes("DEFAULT") && slices.ContainsFunc(m.media[:i], func(o tag) bool {
			return o.attrs.yes("DEFAULT") && o.attrs.text("TYPE") == k.kind && o.attrs.text("GROUP-ID") == k.id
		}) {
			g.found("media-default-twice", []string{t.line}, "group %q has another default", k.id)
		}
		names[k] = append(names[k], name)
	}
	first := map[string]key{}
	for i := range m.media {
		k := key{m.media[i].attrs.text("TYPE"), m.media[i].attrs.text("GROUP-ID")}
		other, ok := first[k.kind]
		if !ok {
			first[k.kind] = k
			continue
		}
		if !slices.Equal(sorted(names[k]), sorted(names[other])) {
			g.found("media-groups-differ", []string{m.media[i].line}, "group %q has %q, group %q has %q", k.id, names[k], other.id, names[other])
		}
	}
}

func sorted[T cmp.Ordered](list []T) []T { return slices.Sorted(slices.Values(list)) }

func (g *page) steering(m *multivariant) {
	for _, t := range m.tags["EXT-X-CONTENT-STEERING"] {
		if !t.attrs.has("SERVER-URI") {
			g.found("steering-form", []string{t.line}, "SERVER-URI is missing")
		}
		id, ok := t.attrs.get("PATHWAY-ID")
		if ok && !slices.ContainsFunc(m.variants, func(v variant) bool {
			own, said := v.attrs.get("PATHWAY-ID")
			return own == id || !said && id == "." // the default pathway
		}) {
			g.found("steering-form", []string{t.line}, "no variant has PATHWAY-ID %q", id)
		}
	}
}
