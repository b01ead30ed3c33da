package m3u8

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/venuecast/venuecast/codecs"
)

// parseInt reads a decimal-integer (§4.2) of up to 63 bits.
func parseInt(s string) (int64, error) {
	if !isDigits(s) {
		return 0, fmt.Errorf("%q: want a decimal integer", s)
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q: want at most 63 bits", s)
	}
	return n, nil
}

// parseSmall reads a decimal-integer that fits into an int anywhere.
func parseSmall(s string) (int, error) {
	n, err := parseInt(s)
	if err == nil && n > 1<<31-1 {
		err = fmt.Errorf("%q: want at most 31 bits", s)
	}
	return int(n), err
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// maxSeconds bounds durations, so that they fit into nanoseconds.
const maxSeconds = 1_000_000_000

// parseSeconds reads a decimal-floating-point (§4.2) number of seconds to the nanosecond.
func parseSeconds(s string) (time.Duration, error) {
	whole, fraction, pointed := strings.Cut(s, ".")
	if !isDigits(whole) || pointed && !isDigits(fraction) || len(fraction) > 30 {
		return 0, fmt.Errorf("%q: want seconds such as 1.92", s)
	}
	n, err := parseInt(whole)
	if err != nil || n > maxSeconds {
		return 0, fmt.Errorf("%q: want at most %d seconds", s, maxSeconds)
	}
	const places = 9
	ns, _ := parseInt((fraction + "000000000")[:places]) // digits only
	return time.Duration(n)*time.Second + time.Duration(ns), nil
}

// parseTime reads a date/time of ISO 8601 with a zone (§4.4.4.6), as UTC.
func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q: want a time such as 2026-01-02T03:04:05.678Z", s)
	}
	if t = t.UTC(); t.Year() < 1970 || t.Year() > 9999 {
		return time.Time{}, fmt.Errorf("%q: want a year from 1970 to 9999", s)
	}
	return t, nil
}

// parseRate reads a FRAME-RATE; the NTSC rates with three decimals are taken for their fractions.
func parseRate(s string) (codecs.Rational, error) {
	whole, fraction, pointed := strings.Cut(s, ".")
	if !isDigits(whole) || pointed && !isDigits(fraction) || len(fraction) > 3 {
		return codecs.Rational{}, fmt.Errorf("%q: want a frame rate with up to three decimals", s)
	}
	if pointed {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	r, err := codecs.ParseRational(s)
	if err != nil || !r.Valid() {
		return codecs.Rational{}, fmt.Errorf("%q: want a frame rate above 0 and up to 1000", s)
	}
	return r, nil
}
