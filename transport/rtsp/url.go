package rtsp

import (
	"errors"
	"net/url"
	"strings"

	"github.com/bluenviron/gortsplib/v5/pkg/base"
)

const redacted = "xxxxx"

// RedactURL returns raw with its password, and the values of its query, hidden: some cameras take the password in the query.
// What is not a URL at all becomes a fixed text.
func RedactURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(not a URL)"
	}
	if _, has := u.User.Password(); has {
		u.User = url.UserPassword(u.User.Username(), redacted)
	}
	u.RawQuery = redactQuery(u.RawQuery)
	return u.String()
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
	if err != nil {
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
