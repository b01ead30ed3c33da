//go:build cgo

package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/venuecast/venuecast/cmd/internal/loadtest"
	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/libav"
	"github.com/venuecast/venuecast/transport/rtsp"
)

// loadCoded reads a media file, all of it into memory.
func loadCoded(file string) (*loadtest.Coded, error) {
	d, err := libav.OpenFile(file)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	c := &loadtest.Coded{}
	for _, t := range d.Tracks() {
		c.Tracks = append(c.Tracks, rtsp.ServerTrack{Format: t.Format})
	}
	last := make([]codecs.Ticks, len(c.Tracks))
	for {
		track, u, dts, err := d.Next()
		if errors.Is(err, io.EOF) {
			return c, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		// The last unit of a track is as long as the one before.
		c.Length = max(c.Length, dts+max(dts-last[track], 0))
		last[track] = dts
		c.Units = append(c.Units, loadtest.CodedUnit{Track: track, DTS: dts, AccessUnit: u})
	}
}
