package m3u8

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPlaylist bounds what is parsed, in bytes.
const maxPlaylist = 16 << 20

// tags of which a playlist may have one only share a set of those seen.
type seen map[string]bool

func (s seen) once(tag string) error {
	if s[tag] {
		return errors.New("stands twice")
	}
	s[tag] = true
	return nil
}

// parse walks the lines of a playlist: tag gets each "#EXT" line in two, uri each line that is no tag or comment.
func parse(data []byte, tag func(name, value string) error, uri func(string) error) error {
	if len(data) > maxPlaylist {
		return fmt.Errorf("%d bytes: want at most %d", len(data), maxPlaylist)
	}
	text := string(data)
	if err := checkText(text); err != nil {
		return err
	}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if err := parseLine(line, number, tag, uri); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
	if number == 0 {
		return errors.New("playlist is empty")
	}
	return nil
}

func parseLine(line string, number int, tag func(name, value string) error, uri func(string) error) error {
	name, value, _ := strings.Cut(line, ":")
	switch {
	case number == 1: // the first line of every playlist (§4.4.1.1)
		if line != "#EXTM3U" {
			return errors.New("want #EXTM3U")
		}
		return nil
	case strings.HasPrefix(line, "#EXT"):
		if err := tag(name, value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	case line == "" || line[0] == '#':
		return nil
	}
	if err := checkURI(line); err != nil {
		return err
	}
	return uri(line)
}

// checkText refuses what no playlist may hold (§4.1). Tabs are for RECENTLY-REMOVED-DATERANGES.
func checkText(text string) error {
	if !utf8.ValidString(text) {
		return errors.New("playlist is not UTF-8")
	}
	for _, r := range strings.ReplaceAll(text, "\r\n", "\n") {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return fmt.Errorf("control character %U", r)
		}
	}
	return nil
}

func checkURI(uri string) error {
	if uri == "" {
		return errors.New("URI is empty")
	}
	for i := range len(uri) {
		if c := uri[i]; c <= ' ' || c >= 0x7f || c == '"' {
			return fmt.Errorf("URI %q: byte %#x must be percent-encoded", uri, c)
		}
	}
	return nil
}

// flag checks that a tag has no value.
func flag(value string) error {
	if value != "" {
		return fmt.Errorf("value %q: want none", value)
	}
	return nil
}
