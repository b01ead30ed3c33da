package configs

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

const (
	maxLadders    = 100
	maxRenditions = 16 // of one kind in a ladder

	minHeight, maxHeight             = 90, 4320
	minVideoBitrate, maxVideoBitrate = 50_000, 200_000_000
	minCRF, maxCRF                   = 1, 51
	minAudioBitrate, maxAudioBitrate = 16_000, 512_000
)

func (d *decoder) ladders(n ast.Node, out map[string]Ladder) {
	pairs, _ := d.pairs(n, "ladders")
	if len(pairs) > maxLadders {
		d.fail(pairs[maxLadders].Key, "%d ladders: want at most %d", len(pairs), maxLadders)
		return
	}
	names := map[string]bool{}
	for _, pair := range pairs {
		name := d.unique(pair.Key, "ladder", names)
		out[name] = Ladder{Name: name, Renditions: d.ladder(pair.Value)}
	}
}

func (d *decoder) ladder(n ast.Node) ladder.Ladder {
	l := emptyLadder()
	names := map[string]bool{}
	segment, part, container := n, n, n
	d.mapping(n, "the ladder", fields{
		"segment": func(n ast.Node) {
			l.Segment, segment = d.duration(n, "segment", 500*time.Millisecond, 10*time.Second), n
		},
		"part":        func(n ast.Node) { l.Part, part = d.duration(n, "part", 100*time.Millisecond, 10*time.Second), n },
		"dvr":         func(n ast.Node) { l.DVR = d.duration(n, "dvr", 30*time.Second, 30*24*time.Hour) },
		"fps":         func(n ast.Node) { l.FrameRate = d.frameRate(n) },
		"latency":     func(n ast.Node) { l.Latency = ladder.Latency(d.oneOf(n, "latency", "normal", "low")) },
		"passthrough": func(n ast.Node) { l.Passthrough = d.oneOf(n, "passthrough", "auto", "never") == "auto" },
		"container": func(n ast.Node) {
			l.Container, container = containers[d.oneOf(n, "container", "cmaf", "ts")], n
		},
		"video":    func(n ast.Node) { l.Video = d.videos(n, names) },
		"audio":    func(n ast.Node) { l.Audio = d.audios(n, names) },
		"captions": func(n ast.Node) { l.Captions = d.captions(n) },
	}, "video")
	if l.Container == ladder.MPEGTS && slices.ContainsFunc(l.Video, func(v ladder.Video) bool { return v.Codec == codecs.AV1 }) {
		d.fail(container, "container ts with an av1 rendition: HLS knows AV1 in cmaf only")
	}
	if l.Container == ladder.MPEGTS && slices.ContainsFunc(l.Audio, func(a ladder.Audio) bool { return a.Codec == codecs.Opus }) {
		d.fail(container, "container ts with an opus rendition: HLS knows Opus in cmaf only")
	}
	if l.Segment > 0 && l.Part > l.Segment {
		d.fail(part, "part %v is longer than segment %v: want at most the segment", l.Part, l.Segment)
		return l
	}
	d.fits(l, segment)
	return l
}

// fits reports targets from which no grid can be made at the ladder's own frame rate.
func (d *decoder) fits(l ladder.Ladder, at ast.Node) {
	if l.Segment == 0 || l.Part == 0 || !l.FrameRate.Valid() {
		return
	}
	if _, err := grid.New(l.FrameRate, l.Segment, l.Part, someDay); err != nil {
		d.fail(at, "no grid for these targets: %v", err)
	}
}

func (d *decoder) videos(n ast.Node, names map[string]bool) []ladder.Video {
	entries := d.sequence(n, "video", maxRenditions)
	if len(entries) == 0 {
		d.fail(n, "video is empty: want at least one rendition")
	}
	videos := make([]ladder.Video, 0, len(entries))
	for _, n := range entries {
		videos = append(videos, d.video(n, names))
	}
	slices.SortStableFunc(videos, func(a, b ladder.Video) int { return b.Height - a.Height })
	if last := len(videos) - 1; last >= 0 && videos[last].Encode == ladder.EncodeOnDemand {
		d.fail(n, "the lowest rendition, %s, is encoded on_demand: want always, players begin with it", videos[last].Name)
	}
	return videos
}

func (d *decoder) video(n ast.Node, names map[string]bool) ladder.Video {
	v := ladder.Video{Codec: codecs.H264, Divisor: 1}
	preset, encoder, crf := n, n, n
	capped := false
	d.mapping(n, "the video rendition", fields{
		"name":    func(n ast.Node) { v.Name = d.unique(n, "name", names) },
		"height":  func(n ast.Node) { v.Height = d.height(n) },
		"bitrate": func(n ast.Node) { v.Bitrate = d.bitrate(n, minVideoBitrate, maxVideoBitrate) },
		"codec":   func(n ast.Node) { v.Codec = videoCodecs[d.oneOf(n, "codec", "h264", "h265", "av1")] },
		"preset":  func(n ast.Node) { v.Preset, preset = d.text(n, "preset"), n },
		"encoder": func(n ast.Node) { v.Encoder, encoder = d.text(n, "encoder"), n },
		"fps":     func(n ast.Node) { v.Divisor = divisors[d.oneOf(n, "fps", "full", "half")] },
		"encode":  func(n ast.Node) { v.Encode = encodes[d.oneOf(n, "encode", "always", "on_demand")] },
		"rate":    func(n ast.Node) { capped = d.oneOf(n, "rate", "bitrate", "crf") == "crf" },
		"crf":     func(n ast.Node) { v.CRF, crf = d.crf(n), n },
	}, "name", "height", "bitrate")
	switch {
	case capped && v.CRF == 0:
		v.CRF = defaultCRF[v.Codec]
	case !capped && v.CRF != 0:
		d.fail(crf, "crf without rate: crf: write both, or leave crf out")
	}
	if choices := encoders[v.Codec]; v.Encoder != "" && v.Codec != 0 && !slices.Contains(choices, v.Encoder) {
		d.fail(encoder, "encoder %s does not make %v: %s", quote(encoder), v.Codec, suggest(v.Encoder, choices))
	}
	d.preset(&v, preset)
	return v
}

// preset checks the preset of a software encoder, or sets its default. Hardware encoders have names of their own.
func (d *decoder) preset(v *ladder.Video, at ast.Node) {
	names, standard := presets, defaultPreset
	if v.Codec == codecs.AV1 {
		names, standard = av1Presets, defaultAV1Preset
	}
	software := v.Encoder == "" || strings.HasPrefix(v.Encoder, "lib")
	switch {
	case v.Preset == "" && software:
		v.Preset = standard
	case software && !slices.Contains(names, v.Preset):
		d.fail(at, "preset %s: %s", quote(at), suggest(v.Preset, names))
	}
}

func (d *decoder) audios(n ast.Node, names map[string]bool) []ladder.Audio {
	entries := d.sequence(n, "audio", maxRenditions)
	audios := make([]ladder.Audio, 0, len(entries))
	for _, n := range entries {
		a := ladder.Audio{}
		d.mapping(n, "the audio rendition", fields{
			"name":     func(n ast.Node) { a.Name = d.unique(n, "name", names) },
			"codec":    func(n ast.Node) { a.Codec = audioCodecs[d.oneOf(n, "codec", "aac", "opus")] },
			"bitrate":  func(n ast.Node) { a.Bitrate = d.bitrate(n, minAudioBitrate, maxAudioBitrate) },
			"language": func(n ast.Node) { a.Language = d.language(n) },
		}, "name")
		if a.Bitrate == 0 {
			a.Bitrate = defaultAudioBitrates[a.Coded()]
		}
		audios = append(audios, a)
	}
	return audios
}

// crf takes a constant rate factor on the scale of x264 and x265.
func (d *decoder) crf(n ast.Node) float64 {
	s := d.text(n, "crf")
	factor, err := strconv.ParseFloat(s, 64)
	if err != nil || !(factor >= minCRF && factor <= maxCRF) {
		d.fail(n, "crf %s: want a number from %d to %d", quote(n), minCRF, maxCRF)
		return minCRF
	}
	return factor
}

func (d *decoder) height(n ast.Node) int {
	s := d.text(n, "height")
	lines, err := strconv.Atoi(s)
	// 4:2:0 pictures have an even number of lines.
	if err != nil || lines < minHeight || lines > maxHeight || lines%2 != 0 {
		d.fail(n, "height %s: want an even number of lines from %d to %d", quote(n), minHeight, maxHeight)
	}
	return lines
}
