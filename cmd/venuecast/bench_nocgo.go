//go:build !cgo

package main

import "github.com/spf13/cobra"

func newBench() *cobra.Command {
	return &cobra.Command{
		Use: "bench", Short: "Measure what a ladder costs (not in this build: it needs libav)",
		Example: "  venuecast bench ladder",
		RunE:    func(*cobra.Command, []string) error { return errEdgeBuild },
	}
}

func newBenchRun() *cobra.Command {
	return &cobra.Command{Use: "bench-run", Hidden: true, RunE: func(*cobra.Command, []string) error { return errEdgeBuild }}
}
