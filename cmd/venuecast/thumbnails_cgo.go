//go:build cgo

package main

import (
	"context"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/libav"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/transcode"
	"github.com/venuecast/venuecast/transport/metrics"
)

// thumbnails returns how the child makes a feed's thumbnails.
func (c *child) thumbnails(feed pipeline.Feed, meter *metrics.TranscodeFeed) *transcode.Thumbnails {
	a := c.job.Assignment
	hd := len(feed.Ladder.Video) > 0 && feed.Ladder.Video[0].Colour.Matrix == codecs.BT709.Matrix
	return &transcode.Thumbnails{
		New: func(width, height int) (transcode.JPEGCoder, error) {
			return libav.NewJPEGEncoder(libav.JPEGOptions{Width: width, Height: height, HD: hd})
		},
		Out: session{c.origin, a.Feed, a.Epoch},
		Note: func(fate string, err error) {
			meter.Thumbnail(fate)
			if err != nil {
				c.log.Debug("thumbnail is left out", "feed", a.Feed, "reason", fate, "error", err)
			}
		},
	}
}

// PutThumbnail puts a thumbnail.
func (s session) PutThumbnail(ctx context.Context, t pipeline.Thumbnail) error {
	return s.client.PutThumbnail(ctx, s.feed, s.epoch, t)
}
