package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gohlslib/v2"
	"github.com/bluenviron/gohlslib/v2/pkg/codecs"

	"github.com/venuecast/venuecast/pipeline"
)

func gohlslibVersion(context.Context) (string, error) {
	return moduleVersion("github.com/bluenviron/gohlslib/v2"), nil
}

// playGohlslib reads the feed with gohlslib's client, which hands out each access unit at its time.
func playGohlslib(ctx context.Context, url string, r *recorder) error {
	g := &gohlslibPlayer{}
	quiet := func(string) {}
	g.client = &gohlslib.Client{
		URI:                       url,
		OnDownloadPrimaryPlaylist: quiet, OnDownloadStreamPlaylist: quiet, OnDownloadSegment: quiet, OnDownloadPart: quiet,
		OnDecodeError: func(err error) { r.trouble(err.Error(), false) },
		OnTracks:      g.tracks,
	}
	r.loading()
	if err := g.client.Start(); err != nil {
		return fmt.Errorf("starting: %w", err)
	}
	return pipeline.Run(ctx,
		pipeline.Func("client", func(ctx context.Context) error {
			if err := g.client.Wait2(); ctx.Err() == nil {
				return fmt.Errorf("it ended: %w", err)
			}
			return nil
		}),
		pipeline.Func("end", func(ctx context.Context) error {
			defer g.client.Close()
			return untilDone(ctx)
		}),
		pipeline.Func("sampling", func(ctx context.Context) error { return g.sample(ctx, r) }),
	)
}

// gohlslibPlayer is what has been handed out.
type gohlslibPlayer struct {
	client *gohlslib.Client
	last   atomic.Pointer[sample]
}

func (g *gohlslibPlayer) tracks(tracks []*gohlslib.Track) error {
	for _, track := range tracks {
		if _, ok := track.Codec.(*codecs.H264); !ok {
			continue
		}
		n := 0
		g.client.OnDataH26x(track, func(pts, _ int64, _ [][]byte) {
			n++
			s := sample{position: float64(pts) / float64(track.ClockRate), decoded: n}
			s.date, _ = g.client.AbsoluteTime(track)
			g.last.Store(&s)
		})
	}
	return nil
}

func (g *gohlslibPlayer) sample(ctx context.Context, r *recorder) error {
	tick := time.NewTicker(sampleTime)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		if s := g.last.Load(); s != nil {
			at := *s
			at.at = time.Now()
			r.add(at)
		}
	}
}
