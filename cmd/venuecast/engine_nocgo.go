//go:build !cgo

package main

import (
	"github.com/spf13/cobra"
)

// canTranscode says whether this build has libav.
const canTranscode = false

func capabilities() string {
	return "static edge build: ingest and origin only, cannot transcode"
}

func newChild() *cobra.Command {
	return &cobra.Command{Use: childCommand, Hidden: true, RunE: func(*cobra.Command, []string) error { return errEdgeBuild }}
}

func newCamera() *cobra.Command {
	return &cobra.Command{
		Use: "camera", Short: "An RTSP camera for tests (not in this build: it needs libav)",
		Example: "  venuecast camera --listen 127.0.0.1:8554",
		RunE:    func(*cobra.Command, []string) error { return errEdgeBuild },
	}
}
