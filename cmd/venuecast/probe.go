package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuecast/venuecast/configs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/transport/rtsp"
)

func newProbe() *cobra.Command {
	var file string
	var asJSON bool
	var during time.Duration
	cmd := &cobra.Command{
		Use:   "probe RTSP_URL | -c FILE [FEED …]",
		Short: "Say what a camera sends: tracks, codecs, parameter sets, GOP, frame rate, clock, loss",
		Long: "Probe watches a camera, or those of a configuration's feeds, all unless some are named, and says what they send and what is " +
			"wrong with it. It exits with 1 when one of them does not play.\n" +
			"With -c passwords come from where the feeds have them, and do not show in the list of processes.",
		Example: "  venuecast probe rtsp://admin:secret@10.0.8.21/stream1\n  venuecast probe --json rtsp://10.0.8.21/stream1\n" +
			"  venuecast probe -c venue.yaml\n  venuecast probe -c venue.yaml court-1 court-2",
		Args: func(_ *cobra.Command, args []string) error {
			if file == "" && len(args) != 1 {
				return errors.New("probe: want the URL of a camera, or -c FILE")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if file != "" {
				return probeFeeds(cmd, file, args, during, asJSON)
			}
			fmt.Fprintf(os.Stderr, "venuecast: watching %s for %v\n", rtsp.RedactURL(args[0]), during)
			report, err := rtsp.Probe(cmd.Context(), rtsp.SourceOptions{URL: args[0]}, during)
			if err != nil {
				return err
			}
			return printReport(cmd.OutOrStdout(), asJSON, report)
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "", "configuration file (YAML), for its cameras")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON; with -c, an object for each feed")
	cmd.Flags().DurationVar(&during, "for", 5*time.Second, "how long to watch")
	cmd.SetOut(os.Stdout)
	return cmd
}

// printReport prints what is read by programs as JSON, or by people.
func printReport(out io.Writer, asJSON bool, report any) error {
	if asJSON {
		return printJSON(out, report)
	}
	_, err := fmt.Fprintln(out, report)
	return err
}

// printJSON prints what is read by programs, and by people now and then.
func printJSON(out io.Writer, v any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// probedAtOnce bounds the cameras that are watched at the same time.
const probedAtOnce = 32

// feedReport is what was seen of a feed's camera.
type feedReport struct {
	Feed        string `json:"feed"`
	Error       string `json:"error,omitempty"` // why it does not play
	rtsp.Report        // what came until then
}

// String returns the report for people.
func (r feedReport) String() string {
	if r.Error != "" {
		return fmt.Sprintf("%s %s\n  ! %s\n", r.Feed, r.URL, r.Error)
	}
	return r.Feed + " " + r.Report.String()
}

// probeFeeds watches the cameras of feeds, of all when none is named, and reports in the order of the file.
func probeFeeds(cmd *cobra.Command, file string, named []string, during time.Duration, asJSON bool) error {
	c, err := configs.Load(file, os.LookupEnv)
	if err != nil {
		return err
	}
	feeds, err := chosen(c, named)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "venuecast: watching %d cameras for %v\n", len(feeds), during)
	silent := 0
	for some := range slices.Chunk(feeds, probedAtOnce) {
		for _, r := range probeAll(cmd.Context(), some, during) {
			if r.Error != "" {
				silent++
			}
			if err := printReport(cmd.OutOrStdout(), asJSON, r); err != nil {
				return err
			}
		}
	}
	if silent > 0 {
		return fmt.Errorf("probe: %d of %d cameras do not play", silent, len(feeds))
	}
	return nil
}

// chosen returns the feeds that are named, all when none is.
func chosen(c *configs.Config, named []string) ([]configs.Feed, error) {
	for _, id := range named {
		if !slices.ContainsFunc(c.Feeds, func(f configs.Feed) bool { return f.ID == id }) {
			return nil, fmt.Errorf("probe: %s has no feed %q", c.File, id)
		}
	}
	feeds := slices.DeleteFunc(slices.Clone(c.Feeds), func(f configs.Feed) bool { return len(named) > 0 && !slices.Contains(named, f.ID) })
	if len(feeds) == 0 {
		return nil, fmt.Errorf("probe: %s has no feeds", c.File)
	}
	return feeds, nil
}

// probeAll watches cameras at the same time.
func probeAll(ctx context.Context, feeds []configs.Feed, during time.Duration) []feedReport {
	reports := make([]feedReport, len(feeds))
	stages := make([]pipeline.Stage, len(feeds))
	for i, f := range feeds {
		stages[i] = pipeline.Func(f.ID, func(ctx context.Context) error {
			report, err := rtsp.Probe(ctx, rtsp.SourceOptions{Name: f.ID, URL: f.Source.Reveal(), Transport: f.Transport}, during)
			reports[i] = feedReport{Feed: f.ID, Report: report}
			if err != nil {
				reports[i].Error = err.Error()
			}
			return nil // the others go on
		})
	}
	_ = pipeline.Run(ctx, stages...) // none fails
	return reports
}
