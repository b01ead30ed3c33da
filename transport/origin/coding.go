package origin

import (
	"net/http"
	"strings"

	"github.com/venuecast/venuecast/pipeline/live"
)

// The content codings that a playlist can be sent in (RFC 9110 §8.4.1, RFC 8878 §7.2), besides none.
const (
	gzipCoding = "gzip"
	zstdCoding = "zstd"
)

// codingOf returns the coding that a playlist is sent in to who accepts these (RFC 9110 §12.5.3), empty for none: what has the
// highest weight, and of equals zstd before gzip before none. Who names none of them gets none, even if that is what he excludes
// (§12.1 leaves that to us). * stands for gzip, which any client that says so reads, but not for zstd, which few old ones do.
func codingOf(header http.Header) string {
	a := accepted{zstd: unnamed, gzip: unnamed, none: unnamed, other: unnamed}
	for _, value := range header["Accept-Encoding"] {
		for element := range strings.SplitSeq(value, ",") {
			if name, weight, ok := parseCoding(element); ok {
				a.add(name, weight)
			}
		}
	}
	return a.best()
}

// accepted are the weights that a client gives to codings, from 0, not acceptable, to 1000; or unnamed.
type accepted struct{ zstd, gzip, none, other int }

const unnamed = -1

// add takes an element. Of a coding that is named twice the last counts.
func (a *accepted) add(name string, weight int) {
	switch strings.ToLower(name) {
	case zstdCoding:
		a.zstd = weight
	case gzipCoding, "x-gzip": // the same (§8.4.1.3)
		a.gzip = weight
	case "identity":
		a.none = weight
	case "*":
		a.other = weight
	}
}

func (a *accepted) best() string {
	if a.gzip == unnamed {
		a.gzip = a.other
	}
	switch {
	case a.zstd > 0 && a.zstd >= a.gzip && a.zstd >= a.none:
		return zstdCoding
	case a.gzip > 0 && a.gzip >= a.none:
		return gzipCoding
	}
	return ""
}

// parseCoding reads an element of Accept-Encoding: a coding and its weight, 1 unless it is given. What is not as §12.4.2 and
// §12.5.3 have it is not ok.
func parseCoding(element string) (name string, weight int, ok bool) {
	name, param, weighted := strings.Cut(element, ";")
	if name = strings.Trim(name, " \t"); name == "" {
		return "", 0, false
	}
	if !weighted {
		return name, 1000, true
	}
	param = strings.Trim(param, " \t")
	if len(param) < 2 || !strings.EqualFold(param[:2], "q=") {
		return "", 0, false
	}
	weight, ok = parseWeight(param[2:])
	return name, weight, ok
}

// parseWeight reads a qvalue (RFC 9110 §12.4.2), 0 to 1 with up to three decimals, in thousandths.
func parseWeight(text string) (weight int, ok bool) {
	whole, decimals, _ := strings.Cut(text, ".")
	if whole != "0" && whole != "1" || len(decimals) > 3 {
		return 0, false
	}
	for _, c := range []byte((whole + decimals + "000")[:4]) {
		if c < '0' || c > '9' {
			return 0, false
		}
		weight = 10*weight + int(c-'0')
	}
	return weight, weight <= 1000
}

// bytesOf returns a text in a coding.
func bytesOf(text live.Text, coding string) []byte {
	switch coding {
	case zstdCoding:
		return text.Zstd()
	case gzipCoding:
		return text.Gzip()
	}
	return text.Plain
}

// tagOf returns the entity tag of a text in a coding. It is weak: it says what the text is, not its bytes (RFC 9110 §8.8.1).
func tagOf(text live.Text, coding string) string {
	if coding != "" {
		coding = "-" + coding
	}
	return `W/"` + text.Tag + coding + `"`
}

// known reports whether a client has the text with this entity tag already: If-None-Match, by weak comparison (RFC 9110 §13.1.2).
func known(header http.Header, tag string) bool {
	for _, value := range header["If-None-Match"] {
		for element := range strings.SplitSeq(value, ",") {
			element = strings.Trim(element, " \t")
			if element == "*" || strings.TrimPrefix(element, "W/") == strings.TrimPrefix(tag, "W/") {
				return true
			}
		}
	}
	return false
}
