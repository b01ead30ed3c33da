//go:build cgo

package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/venuecast/venuecast/cmd/internal/camera"
	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/configs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/transport/rtsp"
)

func newCamera() *cobra.Command {
	var o camera.Options
	var size, fps string
	cmd := &cobra.Command{
		Use:   "camera --listen ADDR [--file F | --size WxH --fps R]",
		Short: "An RTSP camera for tests: synthetic, or a file in a loop with continuous timestamps",
		Example: "  venuecast camera --listen 127.0.0.1:8554 --size 1280x720 --fps 25\n" +
			"  venuecast camera --listen 127.0.0.1:8554 --file match.mp4",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := fmt.Sscanf(size, "%dx%d", &o.Width, &o.Height); err != nil || o.Width < 320 || o.Height < 180 {
				return fmt.Errorf("--size %s: want WIDTHxHEIGHT, at least 320x180, such as 1280x720", size)
			}
			var err error
			if o.FrameRate, err = codecs.ParseRational(fps); err != nil {
				return fmt.Errorf("--fps: %w", err)
			}
			o.Log = newLogger(configs.Log{Level: "info"})
			c, err := camera.New(o)
			if err != nil {
				return err
			}
			fmt.Fprintln(os.Stderr, "venuecast: camera plays at", rtsp.RedactURL(c.URL()))
			return pipeline.Run(cmd.Context(), c)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Listen, "listen", "127.0.0.1:8554", "address to listen on")
	f.StringVar(&o.Path, "path", "camera", "path of the stream")
	f.StringVar(&o.User, "user", "", "user that viewers must give")
	f.StringVar(&o.Password, "password", "", "password that viewers must give")
	f.StringVar(&o.File, "file", "", "media file to play in a loop")
	f.StringVar(&size, "size", "1280x720", "size of the synthetic picture")
	f.StringVar(&fps, "fps", "25", "pictures per second of the synthetic picture")
	f.DurationVar(&o.GOP, "gop", 0, "time between keyframes of the synthetic picture (default 1s)")
	f.Int64Var(&o.Bitrate, "bitrate", 0, "bit/s of the synthetic picture (default 4000000)")
	f.BoolVar(&o.ClockFromZero, "clock-from-zero", false, "RTP times of the synthetic picture count from the start")
	cmd.MarkFlagsMutuallyExclusive("file", "size")
	return cmd
}
