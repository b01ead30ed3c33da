package watch

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is what was seen of a ladder.
type Report struct {
	Renditions []RenditionReport `json:"renditions"` // in the order of the multivariant playlist
}

// RenditionReport is what was seen of one rendition.
type RenditionReport struct {
	Name            string       `json:"name"`
	Kind            string       `json:"kind"`   // video or audio
	Codecs          string       `json:"codecs"` // RFC 6381, from the bitstream
	FirstMSN        int64        `json:"first_msn"`
	LastMSN         int64        `json:"last_msn"`
	Segments        int64        `json:"segments"`         // fetched
	MissingSegments int64        `json:"missing_segments"` // numbers up to LastMSN that were not fetched, gaps included
	Parts           int64        `json:"parts"`            // fetched
	Bytes           int64        `json:"bytes"`            // fetched
	Requests        int64        `json:"requests"`         // made, retries included
	Discontinuities int64        `json:"discontinuities"`  // EXT-X-DISCONTINUITY tags that came
	Gaps            int64        `json:"gaps"`             // EXT-X-GAP segments and GAP=YES parts that came
	HoleTicks       int64        `json:"hole_ticks"`       // missing between segments, in the track's timescale
	OverlapTicks    int64        `json:"overlap_ticks"`    // doubled between segments, in the track's timescale
	LongestWait     float64      `json:"longest_wait"`     // longest time without a new part, in seconds
	Faults          map[Rule]int `json:"faults"`           // by rule; a rule that held is absent
	Details         []Fault      `json:"details"`          // the first ones
}

// Total returns the number of faults in all renditions.
func (r Report) Total() int {
	n := 0
	for i := range r.Renditions {
		for _, count := range r.Renditions[i].Faults {
			n += count
		}
	}
	return n
}

// Count returns how often a rule was broken in all renditions.
func (r Report) Count(rule Rule) int {
	n := 0
	for i := range r.Renditions {
		n += r.Renditions[i].Faults[rule]
	}
	return n
}

// String returns the report as a table, a row for each rendition, and the first faults under it.
func (r Report) String() string {
	var b strings.Builder
	_ = r.write(&b) // a strings.Builder takes every write
	return b.String()
}

func (r Report) write(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	broken := r.broken()
	fmt.Fprint(table, "RENDITION\tCODECS\tSEGMENTS\tNOT FETCHED\tPARTS\tLONGEST WAIT\tDISCONTINUITIES\tGAPS")
	for _, rule := range broken {
		fmt.Fprintf(table, "\t%s", strings.ToUpper(string(rule)))
	}
	fmt.Fprintln(table)
	for i := range r.Renditions {
		r.Renditions[i].writeRow(table, broken)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	for i := range r.Renditions {
		for _, f := range r.Renditions[i].Details {
			fmt.Fprintf(w, "%s  %s  %s: %s\n", f.At.UTC().Format("15:04:05.000"), r.Renditions[i].Name, f.Rule, f.Text)
		}
	}
	return nil
}

func (r *RenditionReport) writeRow(w io.Writer, broken []Rule) {
	wait := time.Duration(r.LongestWait * float64(time.Second)).Round(time.Millisecond)
	fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%v\t%d\t%d",
		r.Name, r.Codecs, r.Segments, r.MissingSegments, r.Parts, wait, r.Discontinuities, r.Gaps)
	for _, rule := range broken {
		fmt.Fprintf(w, "\t%d", r.Faults[rule])
	}
	fmt.Fprintln(w)
}

// broken returns the rules that were broken anywhere.
func (r Report) broken() []Rule {
	var list []Rule
	for _, rule := range Rules() {
		if r.Count(rule) > 0 {
			list = append(list, rule)
		}
	}
	return list
}

// missing returns how many numbers between the first and the last segment were not fetched.
func (f *figures) missing() int64 {
	if f.segments == 0 {
		return 0
	}
	return f.lastMSN - f.firstMSN + 1 - f.segments
}

// report returns what the track has seen.
func (t *track) report() RenditionReport {
	f := &t.figures
	return RenditionReport{
		Name: t.name, Kind: f.kind, Codecs: f.codec,
		FirstMSN: f.firstMSN, LastMSN: f.lastMSN,
		Segments: f.segments, MissingSegments: f.missing(), Parts: f.parts, Bytes: f.bytes, Requests: f.requests,
		Discontinuities: f.discontinuities, Gaps: f.gaps,
		HoleTicks: f.holeTicks, OverlapTicks: f.overlapTicks,
		LongestWait: f.longestWait.Seconds(),
		Faults:      t.faults.copyCounts(), Details: append([]Fault(nil), t.faults.details...),
	}
}
