package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuecast/venuecast/transport/rtsp"
)

func newProbe() *cobra.Command {
	var asJSON bool
	var during time.Duration
	cmd := &cobra.Command{
		Use:     "probe RTSP_URL",
		Short:   "Say what a camera sends: tracks, codecs, parameter sets, GOP, frame rate, clock, loss",
		Example: "  venuecast probe rtsp://admin:secret@10.0.8.21/stream1\n  venuecast probe --json rtsp://10.0.8.21/stream1",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			fmt.Fprintf(os.Stderr, "venuecast: watching %s for %v\n", rtsp.RedactURL(args[0]), during)
			report, err := rtsp.Probe(cmd.Context(), rtsp.SourceOptions{URL: args[0]}, during)
			if err != nil {
				return err
			}
			if asJSON {
				out := json.NewEncoder(os.Stdout)
				out.SetIndent("", "  ")
				return out.Encode(report)
			}
			_, err = fmt.Println(report)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().DurationVar(&during, "for", 5*time.Second, "how long to watch")
	return cmd
}
