package rules

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// tag is one line that begins with #EXT.
type tag struct {
	name  string // without #
	value string
	line  string // as it stands
	attrs attributes
}

// attributes is an attribute list (§4.2).
type attributes []attribute

type attribute struct {
	name, value string
	quoted      bool
}

func (a attributes) get(name string) (string, bool) {
	for i := range a {
		if a[i].name == name {
			return a[i].value, true
		}
	}
	return "", false
}

func (a attributes) text(name string) string {
	v, _ := a.get(name)
	return v
}

func (a attributes) has(name string) bool {
	_, ok := a.get(name)
	return ok
}

func (a attributes) yes(name string) bool { return a.text(name) == "YES" }

// seconds returns a duration, 0 when there is none.
func (a attributes) seconds(name string) time.Duration {
	d, _ := seconds(a.text(name))
	return d
}

func (a attributes) number(name string) (int64, bool) {
	n, err := strconv.ParseInt(a.text(name), 10, 64)
	return n, err == nil
}

// seconds reads a decimal-floating-point to the nanosecond.
func seconds(s string) (time.Duration, bool) {
	whole, fraction, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n < 0 || n > 1e9 {
		return 0, false
	}
	ns, err := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	return time.Duration(n)*time.Second + time.Duration(ns), err == nil && ns >= 0
}

// lines walks the lines of a playlist. A tag that cannot be read is given to wrong.
func lines(body []byte, onTag func(tag), onURI func(string), wrong func(line, why string)) {
	text := string(body)
	if !utf8.ValidString(text) {
		wrong("", "the playlist is not UTF-8")
	}
	first := true
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if first && line != "#EXTM3U" {
			wrong(line, "the first line is not #EXTM3U")
		}
		switch {
		case first || line == "":
		case strings.HasPrefix(line, "#EXT"):
			t, err := readTag(line)
			if err != nil {
				wrong(line, err.Error())
			}
			onTag(t)
		case line[0] != '#':
			onURI(line)
		}
		first = false
	}
	if first {
		wrong("", "the playlist is empty")
	}
}

// listTags are the tags whose value is an attribute list.
var listTags = map[string]bool{
	"EXT-X-DEFINE": true, "EXT-X-START": true, "EXT-X-PART-INF": true, "EXT-X-SERVER-CONTROL": true, "EXT-X-KEY": true,
	"EXT-X-MAP": true, "EXT-X-PART": true, "EXT-X-DATERANGE": true, "EXT-X-SKIP": true, "EXT-X-PRELOAD-HINT": true,
	"EXT-X-RENDITION-REPORT": true, "EXT-X-MEDIA": true, "EXT-X-STREAM-INF": true, "EXT-X-I-FRAME-STREAM-INF": true,
	"EXT-X-SESSION-DATA": true, "EXT-X-SESSION-KEY": true, "EXT-X-CONTENT-STEERING": true,
}

func readTag(line string) (tag, error) {
	name, value, _ := strings.Cut(line[1:], ":")
	t := tag{name: name, value: value, line: line}
	if !listTags[name] {
		return t, nil
	}
	var err error
	t.attrs, err = readAttributes(value)
	return t, err
}

func readAttributes(s string) (attributes, error) {
	var list attributes
	for s != "" {
		name, rest, ok := strings.Cut(s, "=")
		if !ok || name == "" || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
			return list, fmt.Errorf("%q is no attribute", s)
		}
		if list.has(name) {
			return list, fmt.Errorf("attribute %s stands twice", name)
		}
		a := attribute{name: name}
		var err error
		if a, s, err = readValue(a, rest); err != nil {
			return list, fmt.Errorf("attribute %s: %w", name, err)
		}
		list = append(list, a)
	}
	if len(list) == 0 {
		return nil, errors.New("the attribute list is empty")
	}
	return list, nil
}

// readValue takes the value of an attribute, and the comma after it.
func readValue(a attribute, s string) (attribute, string, error) {
	if strings.HasPrefix(s, `"`) {
		value, rest, ok := strings.Cut(s[1:], `"`)
		if !ok {
			return a, "", errors.New("the quote is not closed")
		}
		if rest != "" && rest[0] != ',' || rest == "," {
			return a, "", errors.New("something stands after the quote")
		}
		a.value, a.quoted = value, true
		return a, strings.TrimPrefix(rest, ","), nil
	}
	value, rest, more := strings.Cut(s, ",")
	if value == "" || strings.ContainsAny(value, "\" \t") {
		return a, "", errors.New("the value is empty, or must be quoted")
	}
	if more && rest == "" {
		return a, "", errors.New("nothing stands after the comma")
	}
	a.value = value
	return a, rest, nil
}

// readDate reads a date of ISO 8601; form is false without a zone or milliseconds (§4.4.4.6).
func readDate(s string) (t time.Time, form, ok bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, s); err == nil {
			_, fraction, _ := strings.Cut(s, ".")
			digits := len(fraction) - len(strings.TrimLeft(fraction, "0123456789"))
			return t.UTC(), digits >= 3 && layout != "2006-01-02T15:04:05.999999999", true
		}
	}
	return time.Time{}, false, false
}
