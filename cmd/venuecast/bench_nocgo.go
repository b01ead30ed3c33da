//go:build !cgo

package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/venuecast/venuecast/cmd/internal/loadtest"
)

func newBench() *cobra.Command {
	cmd := &cobra.Command{
		Use: "bench", Short: "Measure what cameras cost (what a ladder costs is not in this build: that needs libav)",
		Example: "  venuecast bench ingest --cameras 100",
	}
	cmd.AddCommand(newBenchIngest())
	return cmd
}

func newBenchRun() *cobra.Command {
	return &cobra.Command{Use: "bench-run", Hidden: true, RunE: func(*cobra.Command, []string) error { return errEdgeBuild }}
}

// loadCoded would read a media file.
func loadCoded(string) (*loadtest.Coded, error) {
	return nil, errors.New("--file: this build cannot read media files: it has no libav")
}
