//go:build !cgo

package main

import "github.com/spf13/cobra"

func newDemo() *cobra.Command {
	return &cobra.Command{
		Use: "demo", Short: "Everything on this machine with a synthetic camera (not in this build: it needs libav)",
		Example: "  venuecast demo",
		RunE:    func(*cobra.Command, []string) error { return errEdgeBuild },
	}
}
