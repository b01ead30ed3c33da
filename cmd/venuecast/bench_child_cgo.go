//go:build cgo

package main

import (
	"context"
	"time"

	"github.com/venuecast/venuecast/cmd/internal/bench"
	"github.com/venuecast/venuecast/codecs/libav"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/transcode"
)

// childReport is what a measured child writes at its end: processor time in libav, in nanoseconds.
type childReport struct {
	Decode int64  `json:"decode"`
	Scale  int64  `json:"scale"`
	Encode int64  `json:"encode"`
	Sound  int64  `json:"sound"`
	JPEG   int64  `json:"jpeg"`
	RunsOn string `json:"runs_on"` // what decoded, scaled and encoded
}

func (r childReport) total() time.Duration {
	return time.Duration(r.Decode + r.Scale + r.Encode + r.Sound + r.JPEG)
}

// runMeasured transcodes up to the first absence of the source, writes the report and returns errEnded.
func runMeasured(ctx context.Context, o transcode.Options, file string, h *hardware) error {
	work := &bench.Work{}
	e := bench.Engine{Video: o.Video, Audio: o.Audio, Work: work}
	o.Video, o.Audio, o.Thumbnails = e, e, e.Measured(o.Thumbnails)
	open := o.Open
	o.Open = func(ctx context.Context) (transcode.Reader, error) {
		r, err := open(ctx)
		return untilAbsence{r}, err
	}
	w, err := transcode.New(o)
	if err != nil {
		return err
	}
	if err := w.Run(ctx); err != nil {
		return err
	}
	decode, scale, encode := libav.Spent()
	err = writeJSON(file, childReport{
		Decode: decode.Nanoseconds(), Scale: scale.Nanoseconds(),
		Encode: encode.Nanoseconds() + work.Encode.Load(), Sound: work.Sound.Load(), JPEG: work.Thumbnails.Load(),
		RunsOn: h.summary(),
	})
	if err != nil {
		return err
	}
	return errEnded
}

// untilAbsence ends with the first absence of the source.
type untilAbsence struct{ transcode.Reader }

func (u untilAbsence) Next(ctx context.Context) (pipeline.Record, error) {
	r, err := u.Reader.Next(ctx)
	if err == nil && r.Absence != nil {
		return r, pipeline.ErrClosed
	}
	return r, err
}
