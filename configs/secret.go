package configs

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

const hidden = "***"

// Secret is a text that no log, error or printed configuration shows.
type Secret struct{ text string }

// NewSecret hides s.
func NewSecret(s string) Secret { return Secret{s} }

// Reveal returns the text itself, for the one place that sends it.
func (s Secret) Reveal() string { return s.text }

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.text == "" }

// String returns "***", or nothing for no secret.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return hidden
}

// Format keeps the text out of every verb of fmt, %d and %#v included.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, s.String()) }

// MarshalText keeps the text out of JSON, YAML and slog.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// URL is one or more comma-separated URLs whose passwords no log, error or printed configuration shows.
type URL struct{ text string }

// NewURL hides the passwords in s.
func NewURL(s string) URL { return URL{s} }

// Reveal returns the URL with its passwords, for the one place that dials it.
func (u URL) Reveal() string { return u.text }

// IsZero reports whether there is no URL.
func (u URL) IsZero() bool { return u.text == "" }

// String returns the URL with *** for its passwords.
func (u URL) String() string {
	parts := splitURLs(u.text)
	for i, p := range parts {
		parts[i] = redact(p)
	}
	return strings.Join(parts, ",")
}

// Format keeps the passwords out of every verb of fmt.
func (u URL) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, u.String()) }

// MarshalText keeps the passwords out of JSON, YAML and slog.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// nextURL is where one URL of a list ends: a comma alone may be part of a password.
var nextURL = regexp.MustCompile(`,\s*[a-z]+://`)

func splitURLs(s string) []string {
	var parts []string
	for at := nextURL.FindStringIndex(s); at != nil; at = nextURL.FindStringIndex(s) {
		parts, s = append(parts, s[:at[0]]), s[at[0]+1:]
	}
	return append(parts, s)
}

// redact hides the password of one URL. What does not parse may hold one anywhere, so nothing of it is shown.
func redact(s string) string {
	parsed, err := url.Parse(s)
	if err != nil {
		return hidden
	}
	if _, ok := parsed.User.Password(); ok {
		parsed.User = url.UserPassword(parsed.User.Username(), hidden)
	}
	parsed.RawQuery = redactQuery(parsed.RawQuery)
	text := parsed.String()
	return strings.Replace(text, url.QueryEscape(hidden)+"@", hidden+"@", 1)
}

// redactQuery hides the values of keys that name a password: many cameras take theirs in the query.
func redactQuery(query string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		key, _, _ := strings.Cut(pair, "=")
		telling := func(word string) bool { return strings.Contains(strings.ToLower(key), word) }
		if slices.ContainsFunc([]string{"pass", "pwd", "token", "secret", "key", "auth"}, telling) {
			pairs[i] = key + "=" + hidden
		}
	}
	return strings.Join(pairs, "&")
}
