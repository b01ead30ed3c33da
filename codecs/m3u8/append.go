package m3u8

import (
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/venuecast/venuecast/codecs"
)

// attributes writes an attribute list (§4.2).
type attributes struct {
	dst  []byte
	more bool // something stands in the list already
}

// list begins the line of a tag with attributes; "#EXT-X-" and ":" are added.
func list(dst []byte, tag string) attributes {
	dst = append(append(append(dst, "#EXT-X-"...), tag...), ':')
	return attributes{dst: dst}
}

func (a *attributes) end() []byte { return append(a.dst, '\n') }

func (a *attributes) name(name string) {
	if a.more {
		a.dst = append(a.dst, ',')
	}
	a.more = true
	a.dst = append(append(a.dst, name...), '=')
}

func (a *attributes) int(name string, n int64) {
	a.name(name)
	a.dst = strconv.AppendInt(a.dst, n, 10)
}

func (a *attributes) seconds(name string, d time.Duration) {
	a.name(name)
	a.dst = appendSeconds(a.dst, d)
}

// optionalSeconds writes d unless it is zero.
func (a *attributes) optionalSeconds(name string, d time.Duration) {
	if d != 0 {
		a.seconds(name, d)
	}
}

// yes writes NAME=YES, or nothing: some players take the presence of an attribute for YES.
func (a *attributes) yes(name string, is bool) {
	if is {
		a.word(name, "YES")
	}
}

// word writes an enumerated string, unless it is empty.
func (a *attributes) word(name, s string) {
	if s == "" {
		return
	}
	a.name(name)
	a.dst = appendWord(a.dst, s)
}

// text writes a quoted string.
func (a *attributes) text(name, s string) {
	a.name(name)
	a.dst = append(appendText(append(a.dst, '"'), s), '"')
}

// optionalText writes a quoted string unless it is empty.
func (a *attributes) optionalText(name, s string) {
	if s != "" {
		a.text(name, s)
	}
}

// uri writes the attribute URI.
func (a *attributes) uri(uri string) {
	a.name("URI")
	a.dst = append(appendURI(append(a.dst, '"'), uri), '"')
}

// date writes a time as a quoted string, unless it is zero.
func (a *attributes) date(name string, t time.Time) {
	if t.IsZero() {
		return
	}
	a.name(name)
	a.dst = append(appendTime(append(a.dst, '"'), t), '"')
}

// hex writes a hexadecimal sequence, unless it is empty.
func (a *attributes) hex(name string, b []byte) {
	if len(b) == 0 {
		return
	}
	a.name(name)
	a.dst = append(a.dst, "0x"...)
	for _, c := range b {
		a.dst = append(a.dst, hexDigits[c>>4], hexDigits[c&15])
	}
}

func (a *attributes) resolution(name string, width, height int) {
	if width <= 0 || height <= 0 {
		return
	}
	a.name(name)
	a.dst = strconv.AppendInt(a.dst, int64(width), 10)
	a.dst = strconv.AppendInt(append(a.dst, 'x'), int64(height), 10)
}

// rate writes a frame rate with three decimals (§4.4.6.2), unless it is not known.
func (a *attributes) rate(name string, r codecs.Rational) {
	if !r.Valid() {
		return
	}
	a.name(name)
	milli := codecs.MulDivRound(r.Num, 1000, r.Den)
	a.dst = strconv.AppendInt(a.dst, milli/1000, 10)
	a.dst = append(a.dst, '.', digit(milli/100), digit(milli/10), digit(milli))
}

func digit(n int64) byte { return '0' + byte(n%10) }

// appendSeconds writes d in seconds, exactly, without trailing zeros.
func appendSeconds(dst []byte, d time.Duration) []byte {
	if d < 0 {
		dst, d = append(dst, '-'), -d
	}
	dst = strconv.AppendInt(dst, int64(d/time.Second), 10)
	rest := int64(d % time.Second)
	if rest == 0 {
		return dst
	}
	dst = append(dst, '.')
	for unit := int64(time.Second / 10); rest > 0; unit /= 10 {
		dst = append(dst, digit(rest/unit))
		rest %= unit
	}
	return dst
}

// appendTime writes t as a date/time of ISO 8601 in UTC, with milliseconds, or more digits where t has them.
func appendTime(dst []byte, t time.Time) []byte {
	switch ns := t.Nanosecond(); {
	case ns%int(time.Millisecond) == 0:
		return t.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z07:00")
	case ns%int(time.Microsecond) == 0:
		return t.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000Z07:00")
	}
	return t.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000000Z07:00")
}

// appendText writes what may stand in a quoted string (§4.2) and anywhere in a playlist (§4.1): no double quote,
// no control characters, valid UTF-8.
func appendText(dst []byte, s string) []byte {
	for _, r := range s {
		switch {
		case r == '"':
			dst = append(dst, '\'')
		case unicode.IsControl(r):
			dst = append(dst, ' ')
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}

const hexDigits = "0123456789ABCDEF"

// appendURI writes a URI with all but visible ASCII percent-encoded (RFC 3986 §2.1), and what would begin a tag, too.
func appendURI(dst []byte, uri string) []byte {
	for i := range len(uri) {
		c := uri[i]
		if c <= ' ' || c >= 0x7f || c == '"' || i == 0 && c == '#' {
			dst = append(dst, '%', hexDigits[c>>4], hexDigits[c&15])
			continue
		}
		dst = append(dst, c)
	}
	return dst
}

// appendWord writes what may stand in an enumerated string (§4.2), a number or an attribute name.
func appendWord(dst []byte, s string) []byte {
	for i := range len(s) {
		if isWord(s[i]) {
			dst = append(dst, s[i])
		}
	}
	return dst
}

func isWord(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '+'
}
