//go:build cgo

package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/venuecast/venuecast/cmd/internal/lint"
	"github.com/venuecast/venuecast/pipeline/rules"
)

// lintRun is what lint found, and what happened meanwhile.
type lintRun struct {
	e *experiment

	mu      sync.Mutex // guards the fields below
	once    lint.Once
	seen    map[string]lint.Seen      // by tree
	broken  map[string]map[string]int // by tree and rule
	refused int                       // requests while the origin was away
	isAway  bool
	back    time.Time // when the origin's processes were ready again
	faults  map[string]int
	events  int
	text    strings.Builder // all violations
}

func newLintRun(e *experiment) *lintRun {
	return &lintRun{
		e: e, once: lint.Once{}, seen: map[string]lint.Seen{}, broken: map[string]map[string]int{}, faults: map[string]int{},
	}
}

func (r *lintRun) watch(ctx context.Context, tree string) error {
	seen, err := lint.Watch(ctx, lint.Options{
		URL:    fmt.Sprintf("%s/%s/%s/index.m3u8", r.e.site.originURL, tree, feedID),
		Report: func(v rules.Violation) { r.found(tree, &v) },
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen[tree] = seen
	return err
}

// unavailable are the rules that the origin's absence breaks: advice for players, who ask again. Here they bind at any other time.
var unavailable = []string{"playlist-unavailable", "media-unavailable"}

// returning is how long the origin, once it is back, may answer 503: until the worker's next part is there.
const returning = 3 * time.Second

// found takes a violation. What the origin's absence does to a request is not held against it.
func (r *lintRun) found(tree string, v *rules.Violation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.Contains(unavailable, v.ID) && (r.isAway || time.Since(r.back) < returning) {
		r.refused++
		return
	}
	if !r.once.New(v) {
		return
	}
	if r.broken[tree] == nil {
		r.broken[tree] = map[string]int{}
	}
	r.broken[tree][v.ID]++
	fmt.Fprintf(&r.text, "%s %v\n", v.At.UTC().Format("15:04:05.000"), v)
}

// away says whether the origin is away.
func (r *lintRun) away(is bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.isAway = is
	if !is {
		r.back = time.Now()
	}
}

func (r *lintRun) happened(fault string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults[fault]++
	fmt.Fprintf(&r.text, "%s -- %s\n", time.Now().UTC().Format("15:04:05.000"), fault)
}

func (r *lintRun) announced(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if status == http.StatusCreated {
		r.events++
	}
}

// table says what was watched, what happened, and which rules were broken how often.
func (r *lintRun) table(during time.Duration) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "LADDER\tPLAYLISTS\tPARTS\tSEGMENTS\tI-FRAMES\tOTHER\tMUST BROKEN\tSHOULD BROKEN")
	for _, tree := range linted {
		s := r.seen[tree]
		fmt.Fprintf(w, "/%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", tree, s[rules.MediaPlaylist], s[rules.PartialSegment], s[rules.MediaSegment],
			s[rules.Picture], s[rules.InitSection]+s[rules.Hint]+s[rules.Again]+s[rules.Removed]+s[rules.Probe],
			r.count(tree, rules.Must), r.count(tree, rules.Should))
	}
	for _, tree := range linted {
		for _, id := range slices.Sorted(maps.Keys(r.broken[tree])) {
			rule, _ := rules.Find(id)
			fmt.Fprintf(w, "/%s\t%d × %s\t%s\n", tree, r.broken[tree][id], rule.Severity, id)
		}
	}
	_ = w.Flush() // a strings.Builder takes every write
	for _, name := range slices.Sorted(maps.Keys(r.faults)) {
		fmt.Fprintf(&b, "%d × %s\n", r.faults[name], name)
	}
	fmt.Fprintf(&b, "%d events announced, %d requests failed while the origin was away; %v of %d rules; longest wait of this process %v\n",
		r.events, r.refused, during, len(rules.All()), r.e.pulse.stall().Round(time.Millisecond))
	return b.String()
}

// count returns how often rules of a severity were broken.
func (r *lintRun) count(tree string, severity rules.Severity) (n int) {
	for id, times := range r.broken[tree] {
		rule, _ := rules.Find(id)
		if slices.Contains(unavailable, id) {
			rule.Severity = rules.Must
		}
		if rule.Severity == severity {
			n += times
		}
	}
	return n
}

// keep writes every violation and fault to a file, in order.
func (r *lintRun) keep(file string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.e.log.Info("violations are kept", "file", file)
	return os.WriteFile(file, []byte(r.text.String()), 0o644) //nolint:gosec // figures for everyone
}

// verdict says whether a rule that binds was broken.
func (r *lintRun) verdict() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, tree := range linted {
		if r.seen[tree][rules.MediaSegment] == 0 {
			return fmt.Errorf("lint saw no segment of /%s", tree)
		}
		n += r.count(tree, rules.Must)
	}
	if n > 0 {
		return fmt.Errorf("lint: rules that bind were broken %d times", n)
	}
	return nil
}
