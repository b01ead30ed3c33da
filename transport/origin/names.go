package origin

import (
	"strconv"
	"strings"

	"github.com/venuecast/venuecast/pipeline"
)

// file is what the last element of a media address names.
type file struct {
	kind  fileKind
	place pipeline.Position // of a segment or part
	init  string            // version of an init section
}

type fileKind uint8

const (
	noFile fileKind = iota
	playlistFile
	iframesFile
	segmentFile
	partFile
	initFile
)

func (f file) isPlaylist() bool { return f.kind == playlistFile || f.kind == iframesFile }

// parseFile reads index.m3u8, iframes.m3u8, <msn>.m4s, <msn>.<part>.m4s and init.<version>.mp4.
// Each thing has exactly one name, so that caches hold it once.
func parseFile(name string) file {
	switch name {
	case "index.m3u8":
		return file{kind: playlistFile}
	case "iframes.m3u8":
		return file{kind: iframesFile}
	}
	if version, ok := cutAround(name, "init.", ".mp4"); ok && pipeline.ValidID(version) {
		return file{kind: initFile, init: version}
	}
	place, ok := strings.CutSuffix(name, ".m4s")
	if !ok {
		return file{}
	}
	first, second, isPart := strings.Cut(place, ".")
	msn, ok := canonical(first)
	if !ok {
		return file{}
	}
	if !isPart {
		return file{kind: segmentFile, place: pipeline.Position{MSN: msn}}
	}
	part, ok := canonical(second)
	if !ok || part > 10_000 {
		return file{}
	}
	return file{kind: partFile, place: pipeline.Position{MSN: msn, Part: int(part)}}
}

func cutAround(s, prefix, suffix string) (string, bool) {
	s, ok := strings.CutPrefix(s, prefix)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(s, suffix)
}

// canonical reads a number as we write it: without sign or leading zeros.
func canonical(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n >= 0 && strconv.FormatInt(n, 10) == s
}
