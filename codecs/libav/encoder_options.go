//go:build cgo

package libav

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// presets are those of an encoder. The zero value has none.
type presets struct {
	names    []string
	standard string
}

var (
	x26xNames   = []string{"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo"}
	x264Presets = presets{x26xNames, "veryfast"} // x264 itself complains of others on standard error
	x265Presets = presets{x26xNames, "superfast"}
	svtPresets  = presets{[]string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13"}, "10"}

	nvencPresets = presets{[]string{"p1", "p2", "p3", "p4", "p5", "p6", "p7"}, "p4"}
)

// isPreset reports whether some encoder has a preset of this name.
func isPreset(name string) bool {
	return slices.ContainsFunc([]presets{x264Presets, x265Presets, svtPresets, nvencPresets}, func(p presets) bool {
		return slices.Contains(p.names, name)
	})
}

// choose returns the preset to open with.
func (p presets) choose(o EncoderOptions) (string, error) {
	switch {
	case slices.Contains(p.names, o.Preset):
		return o.Preset, nil
	case o.Encoder != "" && o.Preset != "" && len(p.names) > 0:
		return "", fmt.Errorf("preset %q: want one of %s", o.Preset, strings.Join(p.names, ", "))
	}
	return p.standard, nil
}

// liveVeryfast takes out of the preset what costs much and gives little on pictures of cameras: inter partitions below
// 16×16. And of B-pictures, one after each P-picture without a choice is better than up to three by choice: at the end of
// each part there is a P-picture in any case. docs/performance.md has the figures.
const liveVeryfast = ":partitions=i4x4,i8x8"

// lookahead is how many pictures liveVeryfast looks ahead with large pictures, of largeHeight lines or more, instead of 10: each
// is a copy, 6 MB at 1080p, and the last two gain 0.09 dB at most. Smaller renditions need them, and they cost little there.
const (
	lookahead   = 8
	largeHeight = 720
)

// x264Options returns libx264's own options.
func x264Options(o EncoderOptions) map[string]string {
	// force-cfr drops the one picture of delay that x264 needs to measure durations. nal-hrd none writes no filler.
	params := "scenecut=0:open-gop=0:force-cfr=1:nal-hrd=none"
	options := map[string]string{"preset": o.Preset, "forced-idr": "1"}
	if options["preset"] == "veryfast" {
		params += liveVeryfast
		if o.BFrames < 0 && !o.LowLatency {
			params += ":bframes=1:b-adapt=0"
		}
		if o.Lookahead == 0 && o.Height >= largeHeight {
			o.Lookahead = lookahead
		}
	}
	if o.SetID > 0 {
		params += ":sps-id=" + strconv.Itoa(o.SetID)
	}
	switch {
	case o.LowLatency:
		params += ":sync-lookahead=0"
		options["rc-lookahead"], options["mbtree"] = "0", "0"
	case o.Lookahead > 0:
		options["rc-lookahead"] = strconv.Itoa(o.Lookahead)
	}
	options["x264-params"] = params
	return withFactor(options, o)
}

// x265Options returns libx265's own options. x265 writes its log to standard error itself, and takes all cores unless told not to.
func x265Options(o EncoderOptions) map[string]string {
	params := "log-level=none:info=0:scenecut=0:open-gop=0:repeat-headers=0:frame-threads=1:pools="
	if o.Threads > 1 {
		params += strconv.Itoa(o.Threads)
	} else {
		params += "none"
	}
	switch {
	case o.LowLatency:
		params += ":rc-lookahead=0:b-adapt=0:cutree=0"
	case o.Lookahead > 0:
		params += ":rc-lookahead=" + strconv.Itoa(o.Lookahead)
	}
	return withFactor(map[string]string{
		"preset":      o.Preset,
		"forced-idr":  "1",
		"a53cc":       "1",
		"x265-params": params,
	}, o)
}

// withFactor adds the constant rate factor. It works only without an average bitrate: see configure.
func withFactor(options map[string]string, o EncoderOptions) map[string]string {
	if o.Quality > 0 {
		options["crf"] = number(o.Quality)
	}
	return options
}

func number(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// svtOptions returns SVT-AV1's own options. Short hierarchies without lookahead hold 15 pictures back, instead of 74.
// There is no low latency: its low-delay structure takes no random access pictures on demand.
func svtOptions(o EncoderOptions) map[string]string {
	return map[string]string{
		"preset": o.Preset,
		"crf":    strconv.Itoa(int(math.Round(o.Quality))),
		"svtav1-params": "pred-struct=2:hierarchical-levels=3:lookahead=0:scd=0:enable-force-key-frames=1:lp=" +
			strconv.Itoa(o.Threads),
	}
}

func nvencOptions(o EncoderOptions) map[string]string {
	options := map[string]string{"preset": o.Preset, "tune": "hq", "rc": "vbr", "forced-idr": "1", "no-scenecut": "1", "delay": "0"}
	if o.LowLatency {
		options["tune"], options["zerolatency"] = "ll", "1"
	} else if o.Lookahead > 0 {
		options["rc-lookahead"] = strconv.Itoa(o.Lookahead)
	}
	if o.Quality > 0 {
		options["cq"] = number(o.Quality)
	}
	return options
}

func vaapiOptions(EncoderOptions) map[string]string {
	return map[string]string{"rc_mode": "VBR", "async_depth": "1"}
}

func qsvOptions(EncoderOptions) map[string]string {
	return map[string]string{"forced_idr": "1", "async_depth": "1"}
}
