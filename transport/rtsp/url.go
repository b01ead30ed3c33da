package rtsp

import (
	"errors"
	"net/url"
	"strings"

	"github.com/bluenviron/gortsplib/v5/pkg/base"
)

const redacted = "xxxxx"

// RedactURL returns raw with its password and the values of its query hidden: some cameras take the password there.
// It goes by the text, and so also hides a password whose special characters nobody has escaped.
func RedactURL(raw string) string {
	scheme, rest, isURL := strings.Cut(raw, "://")
	if !isURL {
		return "(not a URL)"
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		if user, _, hasPassword := strings.Cut(rest[:i], ":"); hasPassword {
			rest = user + ":" + redacted + rest[i:]
		}
	}
	rest, _, _ = strings.Cut(rest, "#")
	if path, query, hasQuery := strings.Cut(rest, "?"); hasQuery {
		rest = path + "?" + redactQuery(query)
	}
	return scheme + "://" + rest
}

func redactQuery(query string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		if name, _, has := strings.Cut(pair, "="); has {
			pairs[i] = name + "=" + redacted
		}
	}
	return strings.Join(pairs, "&")
}

// parseURL reads a camera's URL. Its errors never quote the URL.
func parseURL(raw string) (*base.URL, error) {
	u, err := base.ParseURL(raw)
	if err != nil || u.Fragment != "" { // RTSP has no fragments: there, a # stands in a password
		return nil, errors.New("not a valid URL: want rtsp://user:password@host:554/path, special characters as %XX")
	}
	if u.Host == "" {
		return nil, errors.New("the URL names no host: want rtsp://user:password@host:554/path")
	}
	return u, nil
}

// secrets returns the parts of u that may not stand in a log.
func secrets(u *base.URL) []string {
	var list []string
	if password, has := u.User.Password(); has && password != "" {
		list = append(list, password, url.QueryEscape(password), url.PathEscape(password))
	}
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		if _, value, has := strings.Cut(pair, "="); has && value != "" {
			list = append(list, value)
		}
	}
	return list
}
