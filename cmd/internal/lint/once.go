package lint

import (
	"strings"

	"github.com/venuecast/venuecast/pipeline/rules"
)

// maxKnown bounds what is remembered to tell a standing fault from a new one.
const maxKnown = 100_000

// Once tells new violations from those that stand, which are found again with every reload. It is made with make.
type Once map[string]bool

// New reports whether a violation was not seen before: of the same rule, in the same lines of the same playlist.
func (o Once) New(v *rules.Violation) bool {
	what := v.ID + " " + Place(v) + " " + strings.Join(v.Lines, "\n")
	if len(v.Lines) == 0 {
		what += v.Detail
	}
	if o[what] {
		return false
	}
	if len(o) < maxKnown {
		o[what] = true
	}
	return true
}

// Place returns the URL of a violation without its query.
func Place(v *rules.Violation) string {
	url, _, _ := strings.Cut(v.URL, "?")
	return url
}
