package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Severity says how a rule binds (RFC 2119).
type Severity string

// The severities. A ladder that breaks a Must fails in some player.
const (
	Must   Severity = "MUST"
	Should Severity = "SHOULD"
)

// Rule is one rule of HLS.
type Rule struct {
	ID       string   `json:"rule"`   // stable, in kebab case
	Source   string   `json:"source"` // where it is written
	Severity Severity `json:"severity"`
	Text     string   `json:"text"` // the rule in one sentence
}

// Violation is a rule that was broken once.
type Violation struct {
	Rule
	At     time.Time `json:"at"`
	URL    string    `json:"url"`             // of the answer that shows it
	Lines  []string  `json:"lines,omitempty"` // of the playlist, as they stand
	Detail string    `json:"detail"`
}

// String returns the violation in a line, and each offending line below it.
func (v Violation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %s (%s)\n  %s", v.Severity, v.ID, v.Detail, v.Source, v.URL)
	for _, line := range v.Lines {
		b.WriteString("\n  > " + line)
	}
	return b.String()
}

// All returns every rule, group by group.
func All() []Rule {
	return slices.Concat(multivariantRules, playlistRules, iFrameRules, lowLatencyRules, mediaRules, httpRules)
}

// Find returns the rule of that name.
func Find(id string) (rule Rule, ok bool) {
	for _, group := range [][]Rule{multivariantRules, playlistRules, iFrameRules, lowLatencyRules, mediaRules, httpRules} {
		if i := slices.IndexFunc(group, func(r Rule) bool { return r.ID == id }); i >= 0 {
			return group[i], true
		}
	}
	return Rule{ID: id, Severity: Must}, false
}
