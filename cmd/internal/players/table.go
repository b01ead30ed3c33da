package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// table sums each player up in a line, and says below what was not well.
func table(results []result) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PLAYER\tVERSION\tSTART\tREBUFFERS JOIN\tLATER\tLATENCY MEDIAN/P95\tAT THE END\t"+
		"LOWEST\tHIGHEST\t20 S BACK\tLIVE\tDROPPED\tERRORS\tLOAD\t")
	for i := range results {
		row(w, &results[i])
	}
	_ = w.Flush() // a strings.Builder takes every write
	for i := range results {
		for _, f := range results[i].Failed {
			fmt.Fprintf(&b, "\n%s: %s", results[i].Player, f)
		}
	}
	for i := range results {
		for _, o := range results[i].PlayersOwn {
			fmt.Fprintf(&b, "\n%s, its own: %s", results[i].Player, o)
		}
	}
	return b.String()
}

func row(w *tabwriter.Writer, r *result) {
	verdict := "played well"
	if len(r.Failed) > 0 {
		verdict = "FAILED"
	}
	if r.Start == 0 {
		fmt.Fprintf(w, "%s\t%s\t–\t–\t–\t–\t–\t–\t–\t–\t–\t–\t%d\t%.0f\t%s\n", r.Player, r.Version, len(r.Troubles), r.Load, verdict)
		return
	}
	fmt.Fprintf(w, "%s\t%s\t%.1f s\t%s\t%s\t%.2f/%.2f s%s\t%.2f s\t%s\t%s\t%s\t%s\t%d/%d\t%d\t%.0f\t%s\n",
		r.Player, r.Version, r.Start, total(r.Join), total(r.Rebuffers), r.Latency.Median, r.Latency.P95, mark(r.Latency), r.Latency.End,
		r.step("lowest"), r.step("highest"), r.step("back"), r.step("live"), r.Dropped, r.Decoded, len(r.Troubles), r.Load, verdict)
}

// mark tells latencies that are not read from the screen.
func mark(l latency) string {
	if l.From == "picture" {
		return ""
	}
	return "*"
}

// total sums rebuffers up, and says after which steps they were.
func total(list []rebuffer) string {
	var sum float64
	var steps []string
	for _, b := range list {
		sum += b.Seconds
		steps = append(steps, b.Step)
	}
	if len(list) == 0 {
		return "0"
	}
	return fmt.Sprintf("%d (%.1f s: %s)", len(list), sum, strings.Join(steps, ", "))
}

// step says how long a step took to show; a dash: it was not asked for.
func (r *result) step(name string) string {
	for _, o := range r.Steps {
		if o.Step != name {
			continue
		}
		if !o.OK {
			return "no"
		}
		return fmt.Sprintf("%.1f s", o.Seconds)
	}
	return "–"
}
