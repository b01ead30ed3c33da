//go:build cgo

package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// table sums the runs of each fault up in a line: the worst, and the median of the time to the next part.
func table(results []figures) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FAULT\tRUNS\tFAILED\tSEGMENTS MISSING/DOUBLED/CHANGED/REMADE\tMSN\tDISCONT.\tTICKS\tDECODE\t"+
		"FRAMES MISSING/DOUBLED/BACKWARD/SLATE\tSTALE\tNEXT PART MEDIAN/WORST\tWAIT\tCAUGHT UP\tBACK\tHOST STALL")
	for len(results) > 0 {
		n := 1
		for n < len(results) && results[n].Fault == results[0].Fault {
			n++
		}
		row(w, results[:n])
		results = results[n:]
	}
	_ = w.Flush() // a strings.Builder takes every write
	return b.String()
}

func row(w *tabwriter.Writer, runs []figures) {
	var next []float64
	worst, failed := figures{}, 0
	for i := range runs {
		f := &runs[i]
		next = append(next, f.NextPart)
		if len(f.Failed) > 0 {
			failed++
		}
		worst.raise(f)
	}
	slices.Sort(next)
	fmt.Fprintf(w, "%s\t%d\t%d\t%d/%d/%d/%d\t%d\t%d\t%d\t%d\t%d/%d/%d/%d\t%.2f s\t%.2f/%.2f s\t%.2f s\t%.1f s\t%.2f s\t%.2f s\n",
		runs[0].Fault, len(runs), failed, worst.Missing, worst.Doubled, worst.Changed, worst.Remade, worst.Sequence, worst.Discontinuities,
		worst.HoleTicks+worst.OverlapTicks, worst.DecodeErrors,
		worst.FramesMissing, worst.FramesDoubled, worst.FramesBackward, worst.Unreadable, worst.Stale,
		next[len(next)/2], next[len(next)-1], worst.LongestWait, worst.CaughtUp, worst.Back, worst.HostStall)
}

// raise takes the worse of each figure.
func (f *figures) raise(g *figures) {
	f.Missing, f.Doubled, f.Changed = max(f.Missing, g.Missing), max(f.Doubled, g.Doubled), max(f.Changed, g.Changed)
	f.Remade = max(f.Remade, g.Remade)
	f.Sequence, f.Discontinuities = max(f.Sequence, g.Sequence), max(f.Discontinuities, g.Discontinuities)
	f.HoleTicks, f.OverlapTicks = max(f.HoleTicks, g.HoleTicks), max(f.OverlapTicks, g.OverlapTicks)
	f.DecodeErrors, f.Unreadable = max(f.DecodeErrors, g.DecodeErrors), max(f.Unreadable, g.Unreadable)
	f.FramesMissing, f.FramesDoubled = max(f.FramesMissing, g.FramesMissing), max(f.FramesDoubled, g.FramesDoubled)
	f.FramesBackward = max(f.FramesBackward, g.FramesBackward)
	f.Stale, f.LongestWait = max(f.Stale, g.Stale), max(f.LongestWait, g.LongestWait)
	f.CaughtUp, f.Back = max(f.CaughtUp, g.CaughtUp), max(f.Back, g.Back)
	f.HostStall = max(f.HostStall, g.HostStall)
}
