package origin

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/live"
)

// directives are the query parameters of a playlist request (RFC 8216bis §6.2.5), and ours.
type directives struct {
	hasMSN  bool
	msn     int64
	hasPart bool
	part    int64
	skip    live.Mode // the delta update that is asked for, if any
	plain   bool      // ll=0: the playlist without low latency, for players that fare better so
}

var errMalformed = errors.New("malformed delivery directive")

// parseQuery reads the query part of a playlist's address. Parameters that are not known are ignored:
// players and CDNs add tokens and CMCD of their own.
func parseQuery(raw string) (directives, error) {
	var d directives
	seen := make([]string, 0, 4) // of our directives: there are three
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		key, value, err := unescape(pair)
		if err != nil {
			continue
		}
		if strings.HasPrefix(key, "_HLS_") {
			if slices.Contains(seen, key) {
				return directives{}, fmt.Errorf("%w: %s twice", errMalformed, key)
			}
			seen = append(seen, key)
		}
		if err := d.set(key, value); err != nil {
			return directives{}, err
		}
	}
	// RFC 8216bis §6.2.5.2: _HLS_part without _HLS_msn must get Bad Request.
	if d.hasPart && !d.hasMSN {
		return directives{}, fmt.Errorf("%w: _HLS_part without _HLS_msn", errMalformed)
	}
	return d, nil
}

func unescape(pair string) (key, value string, err error) {
	key, value, _ = strings.Cut(pair, "=")
	if key, err = url.QueryUnescape(key); err != nil {
		return "", "", fmt.Errorf("reading a query key: %w", err)
	}
	if value, err = url.QueryUnescape(value); err != nil && !strings.HasPrefix(key, "_HLS_") {
		return "", "", fmt.Errorf("reading a query value: %w", err)
	}
	return key, value, nil
}

func (d *directives) set(key, value string) (err error) {
	switch key {
	case "_HLS_msn":
		d.hasMSN = true
		d.msn, err = decimal(value)
	case "_HLS_part":
		d.hasPart = true
		d.part, err = decimal(value)
	case "_HLS_skip":
		d.skip = skips[value]
	case "ll":
		d.plain = value == "0"
	}
	if err != nil {
		return fmt.Errorf("%w: %s", errMalformed, key)
	}
	return nil
}

// skips are the values of _HLS_skip; others are not directives.
var skips = map[string]live.Mode{"YES": live.Delta, "v2": live.DeltaDates}

func (d directives) mode() live.Mode {
	if d.plain {
		return live.Plain
	}
	return d.skip
}

// decimal reads a decimal-integer (RFC 8216bis §4.2): digits, without a sign.
func decimal(s string) (int64, error) {
	if s == "" || s[0] < '0' || s[0] > '9' {
		return 0, errMalformed
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, errMalformed
	}
	return n, nil
}

// wanted returns the place to wait for in a rendition with so many parts per segment, of which last is the newest.
// It is not ok when the request is too far ahead (RFC 8216bis §6.2.5.2).
func (d directives) wanted(last pipeline.Position, parts int, advance int64) (want pipeline.Position, ok bool) {
	lastSegment := last.MSN
	if last.Part < parts-1 {
		lastSegment--
	}
	if d.msn > lastSegment+2 {
		return pipeline.Position{}, false
	}
	if !d.hasPart {
		return pipeline.Position{MSN: d.msn, Part: parts - 1}, true // the whole segment
	}
	want = pipeline.Position{MSN: d.msn, Part: int(min(d.part, int64(parts)))}
	if want.Part == parts {
		want = pipeline.Position{MSN: d.msn + 1} // beyond the last part: the first of the next segment
	}
	ahead := (want.MSN-last.MSN)*int64(parts) + int64(want.Part-last.Part)
	return want, ahead <= advance
}
