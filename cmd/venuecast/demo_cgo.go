//go:build cgo

package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/venuecast/venuecast/cmd/internal/camera"
	"github.com/venuecast/venuecast/configs"
	"github.com/venuecast/venuecast/pipeline"
)

func newDemo() *cobra.Command {
	var listen, metrics, data, rtsp string
	cmd := &cobra.Command{
		Use:     "demo",
		Short:   "Run everything on this machine with a synthetic camera",
		Long:    "Demo is serve with one synthetic RTSP camera. It prints the URL of a page that plays it; Ctrl-C ends it.",
		Example: "  venuecast demo\n  venuecast demo --origin 0.0.0.0:8080",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo(cmd.Context(), listen, metrics, data, rtsp)
		},
	}
	f := cmd.Flags()
	f.StringVar(&listen, "origin", "127.0.0.1:8080", "address of the origin and its page")
	f.StringVar(&metrics, "metrics", "127.0.0.1:9090", "address of the metrics")
	f.StringVar(&rtsp, "camera", "127.0.0.1:0", "address of the synthetic camera")
	f.StringVar(&data, "data", "", "folder for the bus and the DVR (default: one that is removed at the end)")
	return cmd
}

func demo(ctx context.Context, listen, metrics, data, rtsp string) (err error) {
	if data == "" {
		if data, err = os.MkdirTemp("", "venuecast-demo-"); err != nil {
			return fmt.Errorf("making a folder for the demo: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	}
	cam, err := camera.New(camera.Options{Listen: rtsp, Path: "camera-1"})
	if err != nil {
		return err
	}
	c, err := configs.Demo{Data: data, Origin: listen, Metrics: metrics, Camera: cam.URL()}.Config()
	if err != nil {
		return err
	}
	h := newHost(c, configs.Serve)
	play := func(context.Context) ([]pipeline.Stage, error) { return []pipeline.Stage{cam}, nil }
	hello := func(context.Context) ([]pipeline.Stage, error) {
		fmt.Printf("\n  Watch it:  http://%s/watch/camera-1\n  HLS:       http://%[1]s/live/camera-1/index.m3u8\n"+
			"  Metrics:   http://%s/metrics\n  Ctrl-C ends it.\n\n", h.originAddr, h.metricsAddr)
		return nil, nil
	}
	return h.run(ctx, h.bus, h.origin, play, h.ingest, h.transcode, hello)
}
