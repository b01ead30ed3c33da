//go:build cgo

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuecast/venuecast/cmd/internal/bench"
	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/libav"
	"github.com/venuecast/venuecast/pipeline/capacity"
)

// encodingShare is how much of a ladder's processor time goes into encoding; the rest decodes, scales and packs. See
// docs/performance.md.
const encodingShare = 0.75

// hostReport is what this machine can carry.
type hostReport struct {
	Processors int        `json:"processors"`
	Encoders   []hostRate `json:"encoders"`
	Refused    []string   `json:"refused,omitempty"`
}

// hostRate is one encoder: its speed, and how many ladders of each class it carries in real time with the spare left.
type hostRate struct {
	bench.Rate
	Ladders map[string]int `json:"ladders"`
}

func newBenchHost() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "host",
		Short: "Measure how many ladders this machine can carry",
		Long: "Host encodes moving pictures with each encoder that opens, for about 2 s each. The unit is encoded pixels per second, and\n" +
			"that is how a worker counts its capacity, too. A ladder of a class is its size and all of 1080, 720, 480 and 360 lines\n" +
			"below it, at 25 pictures per second; 15 % are kept free.",
		Example: "  venuecast bench host",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := measureHost(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(os.Stdout).Encode(r)
			}
			return r.print(os.Stdout)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// hostPresets are those worth a look in real time.
var hostPresets = map[string][]string{
	"libx264":   {"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow"},
	"libx265":   {"ultrafast", "superfast", "veryfast", "medium"},
	"libsvtav1": {"8", "10", "12"},
}

func measureHost(ctx context.Context) (hostReport, error) {
	r := hostReport{Processors: runtime.GOMAXPROCS(0)}
	for _, codec := range []codecs.Codec{codecs.H264, codecs.H265, codecs.AV1} {
		for _, name := range libav.Encoders(codec) {
			presets := hostPresets[name]
			if presets == nil {
				presets = []string{""}
			}
			for _, preset := range presets {
				rate, err := bench.MeasureRate(ctx, codec, name, preset, 2*time.Second)
				if ctx.Err() != nil {
					return r, context.Cause(ctx)
				}
				if err != nil {
					r.Refused = append(r.Refused, err.Error())
					continue
				}
				ladders, err := laddersOf(rate)
				if err != nil {
					return r, err
				}
				r.Encoders = append(r.Encoders, hostRate{rate, ladders})
			}
		}
	}
	return r, nil
}

func laddersOf(r bench.Rate) (map[string]int, error) {
	o := capacity.Options{Rate: r.Processor * encodingShare, Processors: float64(runtime.GOMAXPROCS(0))}
	if r.Hardware() {
		o.Rate, o.Processors = r.Wall, 1
	}
	w, err := capacity.New(o)
	if err != nil {
		return nil, err
	}
	return w.State().Fits, nil
}

func (r hostReport) print(w io.Writer) error {
	fmt.Fprintf(w, "%d processors; ladders in real time, with 15 %% left\n\n", r.Processors)
	t := tabwriter.NewWriter(w, 2, 0, 2, ' ', 0)
	fmt.Fprint(t, "encoder\tpreset\tMpixel/s per processor")
	for _, c := range capacity.Classes() {
		fmt.Fprintf(t, "\t%s", c.Name)
	}
	fmt.Fprintln(t)
	for _, e := range r.Encoders {
		speed := fmt.Sprintf("%.1f", e.Processor/1e6)
		if e.Hardware() {
			speed = fmt.Sprintf("%.1f on the card", e.Wall/1e6)
		}
		fmt.Fprintf(t, "%s\t%s\t%s", e.Encoder, e.Preset, speed)
		for _, c := range capacity.Classes() {
			fmt.Fprintf(t, "\t%d", e.Ladders[c.Name])
		}
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, line := range slices.Compact(r.Refused) {
		fmt.Fprintln(w, "not here: "+line)
	}
	return nil
}

// calibrate returns the pixels of a ladder's renditions that a second of processor time encodes, by a short trial.
func calibrate(ctx context.Context) (float64, error) {
	r, err := bench.MeasureRate(ctx, codecs.H264, "libx264", "veryfast", 400*time.Millisecond)
	return r.Processor * encodingShare, err
}
