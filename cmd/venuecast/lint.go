package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuecast/venuecast/cmd/internal/lint"
	"github.com/venuecast/venuecast/pipeline/rules"
)

func newLint() *cobra.Command {
	var during time.Duration
	var asJSON, list bool
	cmd := &cobra.Command{
		Use:   "lint URL",
		Short: "Watch a live HLS ladder like a strict client, and say which rules it breaks",
		Long: "Lint follows every rendition of a live ladder, fetches all media, and prints what breaks the rules of HLS " +
			"(RFC 8216bis, its low-latency profile, Apple's authoring specification) with the lines that show it.\n" +
			"It exits with 1 when a MUST is broken. Watch for at least twice the length of the playlist: some faults show only " +
			"when something leaves it.",
		Example: "  venuecast lint http://127.0.0.1:8080/live/camera-1/index.m3u8\n" +
			"  venuecast lint --for 10m --json https://example.com/live.m3u8\n" +
			"  venuecast lint --list",
		Args: func(_ *cobra.Command, args []string) error {
			if !list && len(args) != 1 {
				return errors.New("lint: want the URL of a playlist, or --list")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if list {
				return printRules(cmd.OutOrStdout(), asJSON)
			}
			fmt.Fprintf(os.Stderr, "venuecast: watching %s for %v\n", args[0], during)
			return runLint(cmd.Context(), args[0], during, newFindings(cmd.OutOrStdout(), asJSON))
		},
	}
	f := cmd.Flags()
	f.DurationVar(&during, "for", time.Minute, "how long to watch")
	f.BoolVar(&asJSON, "json", false, "print JSON: an object for each violation, and a last one that counts them")
	f.BoolVar(&list, "list", false, "print all rules")
	return cmd
}

// errRulesBroken makes lint exit with 1.
var errRulesBroken = errors.New("lint: rules that bind were broken")

func runLint(ctx context.Context, url string, during time.Duration, f *findings) error {
	ctx, stop := context.WithTimeout(ctx, during)
	defer stop()
	seen, err := lint.Watch(ctx, lint.Options{URL: url, Report: f.add})
	if err != nil {
		return fmt.Errorf("lint: %w", err)
	}
	if err := errors.Join(f.err, f.summary(seen)); err != nil {
		return fmt.Errorf("printing what was found: %w", err)
	}
	if f.broken(rules.Must) > 0 {
		return errRulesBroken
	}
	return nil
}

// maxShown is how often one rule's violations are printed for one URL without its query. All are counted.
const maxShown = 3

// findings prints violations as they come, each once, and counts them.
type findings struct {
	out    io.Writer
	asJSON bool
	known  lint.Once
	shown  map[string]int
	counts map[string]int // by rule
	err    error          // the first of printing
}

func newFindings(out io.Writer, asJSON bool) *findings {
	return &findings{out: out, asJSON: asJSON, known: lint.Once{}, shown: map[string]int{}, counts: map[string]int{}}
}

func (f *findings) add(v rules.Violation) {
	if !f.known.New(&v) {
		return
	}
	key := v.ID + " " + lint.Place(&v)
	f.counts[v.ID]++
	f.shown[key]++
	if f.asJSON {
		f.err = cmp.Or(f.err, json.NewEncoder(f.out).Encode(v))
		return
	}
	if f.shown[key] > maxShown {
		return
	}
	_, err := fmt.Fprintf(f.out, "%s %v\n", v.At.UTC().Format("15:04:05.000"), v)
	f.err = cmp.Or(f.err, err)
}

// broken returns how many violations of a severity there were.
func (f *findings) broken(severity rules.Severity) (n int) {
	for id, count := range f.counts {
		if rule, _ := rules.Find(id); rule.Severity == severity {
			n += count
		}
	}
	return n
}

func (f *findings) summary(seen lint.Seen) error {
	must, should := f.broken(rules.Must), f.broken(rules.Should)
	if f.asJSON {
		return json.NewEncoder(f.out).Encode(map[string]any{"must": must, "should": should, "counts": f.counts, "seen": seen})
	}
	table := tabwriter.NewWriter(f.out, 0, 0, 2, ' ', 0)
	for _, id := range slices.Sorted(maps.Keys(f.counts)) {
		rule, _ := rules.Find(id)
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\n", f.counts[id], rule.Severity, id, rule.Text)
	}
	fmt.Fprintf(table, "%d violations of a MUST, %d of a SHOULD, of %d rules; in %d playlists, %d parts, %d segments and %d other answers\n",
		must, should, len(rules.All()), seen[rules.MediaPlaylist], seen[rules.PartialSegment], seen[rules.MediaSegment],
		seen[rules.InitSection]+seen[rules.Picture]+seen[rules.Hint]+seen[rules.Again]+seen[rules.Removed]+seen[rules.Probe])
	return table.Flush()
}

func printRules(out io.Writer, asJSON bool) error {
	if asJSON {
		return printJSON(out, rules.All())
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, r := range rules.All() {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.ID, r.Severity, r.Source, r.Text)
	}
	return table.Flush()
}
