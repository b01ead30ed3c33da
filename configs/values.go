package configs

import (
	"math"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
)

const maxURLBytes = 2048

// languageTag is the shape of a BCP 47 tag (RFC 5646 §2.1).
var languageTag = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$`)

// id reads a name that becomes a bus subject, a path and a metric label.
func (d *decoder) id(n ast.Node, what string) string {
	s := d.text(n, what)
	if !pipeline.ValidID(s) {
		d.fail(n, "%s %s: want 1 to 64 of a-z, A-Z, 0-9, - and _", what, quote(n))
	}
	return s
}

// unique reads a name that is not in taken, and puts it there.
func (d *decoder) unique(n ast.Node, what string, taken map[string]bool) string {
	s := d.id(n, what)
	if taken[s] {
		d.fail(n, "%s %s is taken: want a name of its own", what, quote(n))
	}
	taken[s] = true
	return s
}

func (d *decoder) secret(n ast.Node, what string) Secret {
	s := d.text(n, what)
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		d.fail(n, "%s holds a space or control character: want a token that fits an HTTP header", what)
	}
	return NewSecret(s)
}

// address reads what a server listens on.
func (d *decoder) address(n ast.Node, what string) string {
	s := d.text(n, what)
	_, port, err := net.SplitHostPort(s)
	number, errPort := strconv.Atoi(port)
	if err != nil || errPort != nil || number < 0 || number > 65535 {
		d.fail(n, "%s %s: want host:port, such as 127.0.0.1:8080 or :8080", what, quote(n))
	}
	return s
}

func (d *decoder) duration(n ast.Node, what string, least, most time.Duration) time.Duration {
	s := d.text(n, what)
	v, err := time.ParseDuration(s)
	if err != nil || v < least || v > most {
		d.fail(n, "%s %s: want a time from %s to %s with its unit", what, quote(n), short(least), short(most))
		return 0
	}
	return v
}

func (d *decoder) integer(n ast.Node, what string, least, most int) int {
	v, err := strconv.Atoi(d.text(n, what))
	if err != nil || v < least || v > most {
		d.fail(n, "%s %s: want a whole number from %d to %d", what, quote(n), least, most)
		return 0
	}
	return v
}

func (d *decoder) frameRate(n ast.Node) codecs.Rational {
	s := d.text(n, "fps")
	rate, err := codecs.ParseRational(s)
	if err != nil || rate.Float() < 1 || rate.Float() > 240 {
		d.fail(n, "fps %s: want 1 to 240 pictures per second, such as 25, 29.97 or 30000/1001; leave it out for the source's", quote(n))
		return codecs.Rational{}
	}
	return rate
}

// bitrate reads "6M", "800k" or a number of bits per second.
func (d *decoder) bitrate(n ast.Node, least, most int64) int64 {
	return d.quantity(n, "bitrate", "bits per second", "6M or 800k", least, most)
}

// multiples is what the letters mean that a quantity may end with.
var multiples = []struct {
	letter string
	times  int64
}{{"T", 1e12}, {"G", 1e9}, {"M", 1e6}, {"k", 1e3}}

// quantity reads a number that may end with T, G, M or k.
func (d *decoder) quantity(n ast.Node, what, unit, example string, least, most int64) int64 {
	number, times := d.text(n, what), int64(1)
	for _, m := range multiples {
		if rest, ok := strings.CutSuffix(number, m.letter); ok {
			number, times = rest, m.times
			break
		}
	}
	v, err := strconv.ParseFloat(number, 64)
	value := math.Round(v * float64(times))
	if err != nil || !(value >= float64(least) && value <= float64(most)) { // NaN is not within
		d.fail(n, "%s %s: want %s to %s %s, such as %s", what, quote(n), quantityText(least), quantityText(most), unit, example)
		return 0
	}
	return int64(value)
}

func (d *decoder) language(n ast.Node) string {
	s := d.text(n, "language")
	if !languageTag.MatchString(s) {
		d.fail(n, "language %s: want a BCP 47 tag, such as de or en-GB", quote(n))
	}
	return s
}

// url reads one URL. Messages do not show it: it may hold a password.
func (d *decoder) url(n ast.Node, what string, schemes ...string) URL {
	s := d.raw(n, what)
	if s == "" {
		return URL{}
	}
	s = d.expandURL(s, n)
	d.checkURL(n, what, s, schemes)
	return NewURL(s)
}

// urls reads comma-separated URLs.
func (d *decoder) urls(n ast.Node, what string, schemes ...string) URL {
	s := d.raw(n, what)
	if s == "" {
		return URL{}
	}
	parts := splitURLs(s)
	for i, p := range parts {
		parts[i] = d.expandURL(strings.TrimSpace(p), n)
		d.checkURL(n, what, parts[i], schemes)
	}
	return NewURL(strings.Join(parts, ","))
}

// expandURL expands variables. One in the place of the password is taken as it is: it needs no escaping.
func (d *decoder) expandURL(s string, n ast.Node) string {
	if scheme, rest, ok := strings.Cut(s, "://"); ok {
		authority, _, _ := strings.Cut(rest, "/")
		at := max(strings.LastIndex(authority, "@"), 0)
		name, password, _ := strings.Cut(authority[:at], ":")
		if strings.Contains(password, "${") {
			escaped := url.UserPassword(d.expand(name, n), d.expand(password, n)).String()
			s = scheme + "://" + escaped + rest[at:]
		}
	}
	return d.expand(s, n)
}

func (d *decoder) checkURL(n ast.Node, what, s string, schemes []string) {
	example := schemes[0] + "://host/"
	parsed, err := url.Parse(s)
	switch {
	case len(s) > maxURLBytes:
		d.fail(n, "%s is longer than %d bytes", what, maxURLBytes)
	case err != nil && !strings.Contains(s, "://"), err == nil && (parsed.Scheme == "" || !strings.Contains(s, "://")):
		d.fail(n, "%s has no scheme: want %s…", what, example)
	case err != nil:
		d.fail(n, "%s is not a URL: want %s…; in a password write @ as %%40, / as %%2F, # as %%23, %% as %%25", what, example)
	case !slices.Contains(schemes, parsed.Scheme):
		d.fail(n, "%s begins with %s://: want %s", what, parsed.Scheme, list(withSuffix(schemes, "://"), "or"))
	case parsed.Hostname() == "":
		d.fail(n, "%s names no host: want %s…", what, example)
	case parsed.Port() != "" && !isPort(parsed.Port()):
		d.fail(n, "%s has a port that is none: want 1 to 65535, or leave it out", what)
	}
}

func isPort(text string) bool {
	port, err := strconv.Atoi(text)
	return err == nil && port > 0 && port <= 65535
}

func withSuffix(words []string, suffix string) []string {
	out := make([]string, len(words))
	for i, s := range words {
		out[i] = s + suffix
	}
	return out
}

// short prints 720h0m0s as 720h.
func short(v time.Duration) string {
	s := v.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func quantityText(v int64) string {
	for _, m := range multiples {
		if v >= m.times && v%m.times == 0 {
			return strconv.FormatInt(v/m.times, 10) + m.letter
		}
	}
	return strconv.FormatInt(v, 10)
}
