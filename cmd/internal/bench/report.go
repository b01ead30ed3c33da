package bench

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// Run is one run of one side.
type Run struct {
	Usage
	Media      time.Duration // what was made
	Renditions []Rendition
	Libav      time.Duration // of CPU, that was spent in libav; 0: not known
	RunsOn     string        // what decoded, scaled and encoded; empty: not known
}

// Spread is a figure over several runs.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// SpreadOf returns the spread of values, of which there must be one.
func SpreadOf(values []float64) Spread {
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	return Spread{Median: (v[(n-1)/2] + v[n/2]) / 2, Min: v[0], Max: v[n-1]}
}

func (s Spread) String() string { return fmt.Sprintf("%.3f (%.3f–%.3f)", s.Median, s.Min, s.Max) }

// Side is all runs of one side.
type Side struct {
	CPU        Spread      `json:"cpu_seconds_per_media_second"`
	Factor     Spread      `json:"realtime_factor"` // media seconds per second of wall time
	Memory     int64       `json:"peak_memory_bytes"`
	Renditions []Rendition `json:"renditions"`
}

// Difference is what a rendition of ours has more than the reference's.
type Difference struct {
	Name    string  `json:"name"`
	PSNR    float64 `json:"psnr_db"`
	SSIM    float64 `json:"ssim"`
	VMAF    float64 `json:"vmaf,omitempty"`
	Bitrate float64 `json:"bitrate_ratio"`
}

// Report is the outcome of bench ladder.
type Report struct {
	File        string       `json:"file"`
	Ladder      string       `json:"ladder"`
	Media       float64      `json:"media_seconds"`
	Processors  int          `json:"processors"`
	Ours        Side         `json:"venuecast"`
	RunsOn      string       `json:"runs_on"`  // what decoded, scaled and encoded in our runs
	Overhead    float64      `json:"overhead"` // share of our processor time that was not spent in libav; median
	Reference   *Side        `json:"ffmpeg,omitempty"`
	CPURatio    float64      `json:"cpu_ratio,omitempty"` // ours to the reference's, median of the pairs
	CPUSpread   *Spread      `json:"cpu_ratio_spread,omitempty"`
	MemoryRatio float64      `json:"memory_ratio,omitempty"`
	Differences []Difference `json:"differences,omitempty"`
}

// Fill makes the figures of the runs. reference may be empty; else its runs are those between ours, in the same order.
func (r *Report) Fill(ours, reference []Run) {
	r.Ours, r.RunsOn = side(ours), ours[0].RunsOn
	var overhead, ratios []float64
	for i, run := range ours {
		overhead = append(overhead, 1-run.Libav.Seconds()/run.CPU.Seconds())
		if len(reference) > 0 {
			ratios = append(ratios, run.perSecond()/reference[i].perSecond())
		}
	}
	r.Overhead = SpreadOf(overhead).Median
	if len(reference) == 0 {
		return
	}
	other, spread := side(reference), SpreadOf(ratios)
	r.Reference, r.CPUSpread, r.CPURatio = &other, &spread, spread.Median
	r.MemoryRatio = float64(r.Ours.Memory) / float64(other.Memory)
	for i, a := range r.Ours.Renditions {
		b := other.Renditions[i]
		r.Differences = append(r.Differences, Difference{
			Name: a.Name, PSNR: a.PSNR - b.PSNR, SSIM: a.SSIM - b.SSIM, VMAF: a.VMAF - b.VMAF,
			Bitrate: float64(a.Bytes) / float64(b.Bytes),
		})
	}
}

// perSecond returns processor seconds per second of media.
func (r Run) perSecond() float64 { return r.CPU.Seconds() / r.Media.Seconds() }

func side(runs []Run) Side {
	var cpu, factor []float64
	s := Side{Renditions: runs[0].Renditions}
	for _, r := range runs {
		cpu = append(cpu, r.perSecond())
		factor = append(factor, r.Media.Seconds()/r.Wall.Seconds())
		s.Memory = max(s.Memory, r.Memory)
	}
	s.CPU, s.Factor = SpreadOf(cpu), SpreadOf(factor)
	return s
}

// Print writes the report as a table.
func (r *Report) Print(w io.Writer) error {
	fmt.Fprintf(w, "ladder %s, %.2f s of %s, %d processors, median (least–most)\n\n", r.Ladder, r.Media, r.File, r.Processors)
	t := tabwriter.NewWriter(w, 2, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\tCPU s per media s\treal-time factor\tpeak memory\n")
	printSide(t, "venuecast", r.Ours)
	if r.Reference != nil {
		printSide(t, "ffmpeg", *r.Reference)
		fmt.Fprintf(t, "ratio\t%v\t\t%.3f\n", *r.CPUSpread, r.MemoryRatio)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\noverhead: %.1f %% of CPU is not libav\n", 100*r.Overhead)
	if r.RunsOn != "" {
		fmt.Fprintf(w, "runs on: %s\n", r.RunsOn)
	}
	fmt.Fprintln(w)
	r.printRenditions(t)
	return t.Flush()
}

func (r *Report) printRenditions(t io.Writer) {
	vmaf := r.Ours.Renditions[0].VMAF != 0
	column := func(on bool, format string, values ...any) {
		if on {
			fmt.Fprintf(t, format+"\t", values...)
		}
	}
	column(true, "rendition\tkbit/s\tPSNR dB\tSSIM")
	column(vmaf, "VMAF")
	column(r.Reference != nil, "against ffmpeg: bitrate\tPSNR\tSSIM")
	column(r.Reference != nil && vmaf, "VMAF")
	fmt.Fprintln(t)
	for i, v := range r.Ours.Renditions {
		column(true, "%s\t%.0f\t%.3f\t%.4f", v.Name, float64(v.Bytes)*8e-3/r.Media, v.PSNR, v.SSIM)
		column(vmaf, "%.2f", v.VMAF)
		if r.Reference != nil {
			d := r.Differences[i]
			column(true, "%.3f\t%+.3f\t%+.4f", d.Bitrate, d.PSNR, d.SSIM)
			column(vmaf, "%+.2f", d.VMAF)
		}
		fmt.Fprintln(t)
	}
}

func printSide(w io.Writer, name string, s Side) {
	fmt.Fprintf(w, "%s\t%v\t%v\t%d MiB\n", name, s.CPU, s.Factor, cmp.Or(s.Memory>>20, 1))
}
