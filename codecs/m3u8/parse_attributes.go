package m3u8

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/venuecast/venuecast/codecs"
)

// values is a parsed attribute list. The first error sticks. What is asked for is taken out: what remains is unknown.
type values struct {
	list []value
	err  error
}

type value struct {
	name, text string
	quoted     bool
}

// parseList reads an attribute list (§4.2).
func parseList(s string) *values {
	v := &values{}
	for s != "" && v.err == nil {
		s = v.next(s)
	}
	if len(v.list) == 0 && v.err == nil {
		v.err = errors.New("attribute list is empty")
	}
	return v
}

func (v *values) next(s string) (rest string) {
	name, s, ok := strings.Cut(s, "=")
	if !ok || !isName(name) {
		v.fail(name, "no name of an attribute")
		return ""
	}
	a := value{name: name}
	if strings.HasPrefix(s, `"`) {
		a.quoted = true
		if a.text, s, ok = strings.Cut(s[1:], `"`); !ok {
			v.fail(name, "quote is not closed")
			return ""
		}
	} else {
		end := strings.IndexByte(s, ',')
		if end < 0 {
			end = len(s)
		}
		if a.text, s = s[:end], s[end:]; !isWordText(a.text) {
			v.fail(name, "value must be quoted")
			return ""
		}
	}
	if v.index(name) >= 0 {
		v.fail(name, "stands twice")
	}
	v.list = append(v.list, a)
	if s == "" {
		return ""
	}
	if s[0] != ',' || len(s) == 1 {
		v.fail(name, "want a comma and another attribute after it")
		return ""
	}
	return s[1:]
}

func isWordText(s string) bool {
	for i := range len(s) {
		if !isWord(s[i]) {
			return false
		}
	}
	return s != ""
}

func (v *values) fail(name, why string) {
	if v.err == nil {
		v.err = fmt.Errorf("%s: %s", name, why)
	}
}

func (v *values) index(name string) int {
	for i := range v.list {
		if v.list[i].name == name {
			return i
		}
	}
	return -1
}

// take removes an attribute; the text is empty and ok false when it is not there.
func (v *values) take(name string, quoted bool) (text string, ok bool) {
	i := v.index(name)
	if i < 0 {
		return "", false
	}
	a := v.list[i]
	v.list = append(v.list[:i], v.list[i+1:]...)
	if a.quoted != quoted {
		v.fail(name, "quotes where there must be none, or none where there must be")
		return "", false
	}
	return a.text, true
}

// require reports a missing attribute.
func (v *values) require(names ...string) {
	for _, name := range names {
		if v.index(name) < 0 {
			v.fail(name, "is missing")
		}
	}
}

// end returns the first error, or that an attribute is unknown.
func (v *values) end() error {
	if v.err == nil && len(v.list) > 0 {
		v.fail(v.list[0].name, "unknown attribute")
	}
	return v.err
}

// text returns a quoted string, empty when it is not there.
func (v *values) text(name string) string {
	s, ok := v.take(name, true)
	if ok && (s == "" || strings.Contains(s, "\t")) {
		v.fail(name, "is empty, or has a tab in it")
	}
	return s
}

// uri returns the attribute URI.
func (v *values) uri() string {
	const name = "URI"
	s, ok := v.take(name, true)
	if !ok {
		return ""
	}
	if err := checkURI(s); err != nil {
		v.fail(name, err.Error())
	} else if s[0] == '#' {
		v.fail(name, "URI is a fragment only")
	}
	return s
}

// word returns an enumerated string, which must be among those allowed.
func (v *values) word(name string, allowed ...string) string {
	s, ok := v.take(name, false)
	if !ok {
		return ""
	}
	for _, a := range allowed {
		if s == a {
			return s
		}
	}
	v.fail(name, fmt.Sprintf("%q: want one of %s", s, strings.Join(allowed, ", ")))
	return ""
}

func (v *values) yes(name string) bool { return v.word(name, "YES", "NO") == "YES" }

func (v *values) int(name string) int64 {
	s, ok := v.take(name, false)
	if !ok {
		return 0
	}
	n, err := parseInt(s)
	if err != nil {
		v.fail(name, err.Error())
	}
	return n
}

func (v *values) seconds(name string) time.Duration {
	s, ok := v.take(name, false)
	if !ok {
		return 0
	}
	d, err := parseSeconds(s)
	if err != nil {
		v.fail(name, err.Error())
	}
	return d
}

// signedSeconds returns seconds that may be negative.
func (v *values) signedSeconds(name string) time.Duration {
	i := v.index(name)
	if i < 0 || !strings.HasPrefix(v.list[i].text, "-") {
		return v.seconds(name)
	}
	v.list[i].text = v.list[i].text[1:]
	return -v.seconds(name)
}

func (v *values) date(name string) time.Time {
	s, ok := v.take(name, true)
	if !ok {
		return time.Time{}
	}
	t, err := parseTime(s)
	if err != nil {
		v.fail(name, err.Error())
	}
	return t
}

func (v *values) hex(name string) []byte {
	s, ok := v.take(name, false)
	if !ok {
		return nil
	}
	digits, isHex := strings.CutPrefix(s, "0x")
	if !isHex {
		digits, isHex = strings.CutPrefix(s, "0X")
	}
	b, err := hex.DecodeString(digits)
	if !isHex || err != nil || len(b) == 0 {
		v.fail(name, "want hexadecimal digits after 0x")
	}
	return b
}

func (v *values) resolution(name string) (width, height int) {
	s, ok := v.take(name, false)
	if !ok {
		return 0, 0
	}
	w, h, _ := strings.Cut(s, "x")
	a, errA := parseInt(w)
	b, errB := parseInt(h)
	if errA != nil || errB != nil || a < 1 || b < 1 || a > 1<<16 || b > 1<<16 {
		v.fail(name, fmt.Sprintf("%q: want width x height", s))
	}
	return int(a), int(b)
}

func (v *values) rate(name string) codecs.Rational {
	s, ok := v.take(name, false)
	if !ok {
		return codecs.Rational{}
	}
	r, err := parseRate(s)
	if err != nil {
		v.fail(name, err.Error())
	}
	return r
}
