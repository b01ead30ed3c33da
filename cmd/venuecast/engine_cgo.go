//go:build cgo

package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/libav"
	"github.com/venuecast/venuecast/codecs/testcard"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/transcode"
)

// canTranscode says whether this build has libav.
const canTranscode = true

func capabilities() string {
	return "transcodes with libav; H.264 encoders tried in this order: " + strings.Join(libav.Encoders(codecs.H264), ", ")
}

// engine makes libav's objects for a worker.
type engine struct {
	log  *slog.Logger
	feed string
	// hardware is what may be used besides the processor.
	hardware *hardware
	threads  int // of each encoder; 0: one, which delays least
}

func (e engine) NewDecoder(c codecs.Codec) (transcode.Decoder, error) {
	card := e.hardware.use()
	if card == nil {
		e.hardware.decodes(e.feed, libav.InMemory, e.hardware.without())
	}
	return libav.NewDecoder(libav.DecoderOptions{Codec: c, Card: card, Chosen: func(kind, refused string) {
		e.hardware.decodes(e.feed, kind, refused)
	}})
}

func (e engine) NewScaler(v ladder.Video) (transcode.Scaler, error) {
	return libav.NewScaler(libav.ScalerOptions{Width: v.Width, Height: v.Height, Depth: v.Depth, Card: e.hardware.use()})
}

// Cascade makes several sizes at once.
func (e engine) Cascade(p codecs.Picture, scalers []transcode.Scaler, from []int) ([]codecs.Picture, error) {
	steps := make([]libav.Step, len(scalers))
	for i, s := range scalers {
		own, ok := s.(*libav.Scaler)
		if !ok {
			return nil, nil
		}
		steps[i] = libav.Step{Scaler: own, From: from[i]}
	}
	return libav.Cascade(p, steps)
}

func (e engine) NewEncoder(v ladder.Video, g grid.Grid, l ladder.Latency) (transcode.Encoder, error) {
	enc, err := libav.OpenEncoder(libav.EncoderOptions{
		Codec: v.Codec, Encoder: v.Encoder, Card: e.hardware.use(), Software: e.hardware.software,
		Preset: v.Preset, Bitrate: v.Bitrate, Quality: v.CRF,
		Width: v.Width, Height: v.Height, Depth: v.Depth, Colour: v.Colour,
		FrameRate: g.FrameRate, Divisor: v.Divisor, SetID: v.SetID, LowLatency: l == ladder.LatencyLow, BFrames: -1,
		Threads: e.threads,
	})
	if err != nil {
		return nil, err
	}
	for _, line := range enc.Refused() {
		e.log.Debug("encoder did not open", "feed", e.feed, "rendition", v.Name, "encoder", line)
	}
	e.hardware.encodes(e.feed, v.Name, enc.Name())
	level := slog.LevelInfo
	if v.SetID > 0 {
		level = slog.LevelDebug // it stands in for the camera's own pictures, perhaps in each segment anew
	}
	e.log.Log(context.Background(), level, "encoder is chosen", "feed", e.feed, "rendition", v.Name, "encoder", enc.Name(),
		"size", fmt.Sprintf("%dx%d", v.Width, v.Height), "refused", len(enc.Refused()))
	return enc, nil
}

func (e engine) Slate(width, height int, feed string) (codecs.Picture, error) {
	card := testcard.Slate(width, height, feed)
	return libav.NewPictureYUV(width, height, card.Y, card.U, card.V)
}

func (e engine) NewAudioDecoder(f codecs.Format) (transcode.AudioDecoder, error) {
	return libav.NewAudioDecoder(f)
}

func (e engine) NewAudioEncoder(a ladder.Audio) (transcode.AudioEncoder, error) {
	return libav.NewAudioEncoder(libav.AudioEncoderOptions{Codec: a.Coded(), Bitrate: a.Bitrate, Channels: 2})
}
