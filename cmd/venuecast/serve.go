package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/venuecast/venuecast/configs"
)

func newServe() *cobra.Command {
	return roleCommand(configs.Serve, "Run all roles on this machine, with embedded NATS unless the configuration names one",
		func(ctx context.Context, h *host) error {
			if !canTranscode {
				return errEdgeBuild
			}
			return h.run(ctx, h.bus, h.origin, h.ingest, h.transcode)
		})
}

func newIngest() *cobra.Command {
	return roleCommand(configs.Ingest, "Take in the cameras and put their access units on the bus", func(ctx context.Context, h *host) error {
		return h.run(ctx, h.bus, h.ingest)
	})
}

func newTranscode() *cobra.Command {
	return roleCommand(configs.Transcode, "Claim feeds from the bus and transcode each in a process of its own",
		func(ctx context.Context, h *host) error {
			if !canTranscode {
				return errEdgeBuild
			}
			return h.run(ctx, h.bus, h.transcode, h.ignoreHangups)
		})
}
