package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
)

// ability is what a player can be told to do.
type ability int

const (
	switches ability = 1 << iota // force the lowest or the highest rendition
	seeks                        // go 20 s back and return to live
)

// player is one way to play a feed.
type player struct {
	name    string
	plain   bool // it is given the playlists without low latency
	can     ability
	own     []allowance
	version func(ctx context.Context) (string, error) // fails when the player is not installed
	play    func(ctx context.Context, url string, r *recorder) error
}

// players are all, in the order in which they play.
func players(o options) []player {
	b := &browsers{files: o.files, dir: o.dir, query: o.query}
	chromium, firefox, webkit := b.chromium, b.firefox, b.webkit
	p := &pipes{dir: o.dir, ffmpeg: filepath.Join(o.ffmpeg, "ffmpeg")}
	g := &gstreamer{script: filepath.Join(o.files, "gst.py"), dir: o.dir}
	// Shaka Player is tried as pages should use it: without low latency, or with it and one rendition. With parts a change of its rendition
	// may end playback (docs/players.md, "When the rendition changes").
	return []player{
		b.player("hls.js", "hlsjs", "hls.js/dist/hls.min.js", chromium, player{can: switches | seeks, own: ownHLSJS}),
		b.player("shaka", "shaka", "shaka-player/dist/shaka-player.compiled.js", chromium, player{plain: true, can: switches | seeks}),
		b.player("shaka-ll", "shaka", "shaka-player/dist/shaka-player.compiled.js", chromium, player{can: seeks}),
		b.player("chromium", "native", "", chromium, player{can: seeks, own: ownNative}),
		b.player("video.js", "videojs", "video.js/dist/video.min.js", chromium, player{plain: true, can: switches | seeks, own: ownVideoJS}),
		{name: "ffmpeg", version: p.ffmpegVersion, play: p.playFFmpeg},
		{name: "gstreamer", can: switches | seeks, version: g.version, play: g.play},
		{name: "vlc", version: p.vlcVersion, play: p.playVLC},
		{name: "gohlslib", own: ownGohlslib, version: gohlslibVersion, play: playGohlslib},
		b.player("firefox", "hlsjs", "hls.js/dist/hls.min.js", firefox, player{can: switches | seeks, own: ownHLSJS}),
		b.player("webkit", "hlsjs", "hls.js/dist/hls.min.js", webkit, player{can: switches | seeks, own: ownHLSJS}),
	}
}

// hls.js reports each stall as an error that it then repairs; the rebuffers are counted from the picture.
var ownHLSJS = []allowance{
	{pattern: regexp.MustCompile(`^buffer(StalledError|NudgeOnStall|SeekOverHole) `), why: "its word for a rebuffer, which is counted"},
	{pattern: regexp.MustCompile(`^aborted Aborted`), why: "a request that it ended itself, to switch"},
}

// gohlslib hands out what has arrived. Pictures for an absent camera come later than the camera's, by the time after
// which a source counts as away, and those of a worker's successor by the time that it takes.
var ownGohlslib = []allowance{{pattern: regexp.MustCompile(`^rebuffer (cut|kill)$`), most: 1.5, why: "it has no buffer"}}

// VHS forces a rendition by fastQualityChange_, which throws away what is buffered.
var ownVideoJS = []allowance{
	{pattern: regexp.MustCompile(`^rebuffer (lowest|highest)$`), most: 1, why: "it throws its buffer away when a rendition is forced"},
}

// Chromium's own HLS says itself how far back it can seek.
var ownNative = []allowance{
	{pattern: regexp.MustCompile(`^back: .* is outside`), why: "its seekable range, which it does not take from the playlist"},
	{pattern: regexp.MustCompile(`^step (back|live)$`), why: "it cannot seek there"},
}

// packageVersion returns the version of an npm package that is installed.
func packageVersion(modules, name string) (string, error) {
	data, err := os.ReadFile(filepath.Join(modules, name, "package.json")) //nolint:gosec // what install.sh has put there
	if err != nil {
		return "", err
	}
	var p struct{ Version string }
	if err := json.Unmarshal(data, &p); err != nil {
		return "", fmt.Errorf("package %s: %w", name, err)
	}
	return p.Version, nil
}

// moduleVersion returns the version of a Go module in this binary.
func moduleVersion(path string) string {
	info, _ := debug.ReadBuildInfo()
	for _, m := range info.Deps {
		if m.Path == path {
			return strings.TrimPrefix(m.Version, "v")
		}
	}
	return "unknown"
}

// word returns the first thing in a text that looks like a version.
func word(text string) string {
	if v := regexp.MustCompile(`\d+\.\d+[.\w]*`).FindString(text); v != "" {
		return v
	}
	return strings.TrimSpace(text)
}
