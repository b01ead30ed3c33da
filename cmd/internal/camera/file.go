//go:build cgo

package camera

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/libav"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/transport/rtsp"
)

// file plays a media file in a loop, in real time, with times that go on from one round to the next.
type file struct {
	o      Options
	server *rtsp.Server
	rates  []int64 // the RTP clock of each track
}

func newFile(o Options) (*Camera, error) {
	d, err := libav.OpenFile(o.File)
	if err != nil {
		return nil, fmt.Errorf("camera: %w", err)
	}
	defer d.Close()
	f := &file{o: o}
	var tracks []rtsp.ServerTrack
	for _, t := range d.Tracks() {
		tracks = append(tracks, rtsp.ServerTrack{Format: t.Format})
		rate := int64(codecs.TicksPerSecond)
		if t.Format.Codec.Kind() == codecs.Audio {
			rate = int64(t.Format.SampleRate)
		}
		f.rates = append(f.rates, rate)
	}
	f.server, err = rtsp.NewServer(rtsp.ServerOptions{
		Listen: o.Listen, Path: o.Path, User: o.User, Password: o.Password, Tracks: tracks, Logger: o.Log,
	})
	if err != nil {
		return nil, err
	}
	return &Camera{f.server, []pipeline.Stage{pipeline.Func("rtsp", f.server.Run), pipeline.Func("file", f.play)}}, nil
}

func (f *file) play(ctx context.Context) error {
	start := codecs.TicksAt(time.Now())
	for {
		length, err := f.round(ctx, start)
		if err != nil {
			return err
		}
		start += length
	}
}

// round plays the file once, beginning at a time, and returns its length.
func (f *file) round(ctx context.Context, start codecs.Ticks) (length codecs.Ticks, err error) {
	d, err := libav.OpenFile(f.o.File)
	if err != nil {
		return 0, err
	}
	defer d.Close()
	last := make([]codecs.Ticks, len(f.rates))
	for {
		track, u, dts, err := d.Next()
		if errors.Is(err, io.EOF) {
			return length, nil
		}
		if err != nil {
			return 0, fmt.Errorf("reading %s: %w", f.o.File, err)
		}
		if err := until(ctx, (start + dts).Time()); err != nil {
			return 0, err
		}
		// The round lasts until the end of the longest track: its last unit is as long as the one before.
		length = max(length, dts+max(dts-last[track], 0))
		last[track] = dts
		pts := start + u.PTS
		rtp := uint32(codecs.MulDivRound(int64(pts), f.rates[track], codecs.TicksPerSecond))
		if err := f.server.Write(track, u, rtp, pts.Time()); err != nil {
			f.o.Log.Debug("unit was not sent", "error", err)
		}
	}
}
