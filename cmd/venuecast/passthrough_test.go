//go:build cgo

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/libav"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/transcode"
)

const passWidth, passHeight = 320, 180

// passFeed is a feed whose only rendition may be the camera's own pictures.
func passFeed(sets []byte) pipeline.Feed {
	return pipeline.Feed{
		ID:   "court-1",
		Grid: grid.Grid{FrameRate: codecs.Rational{Num: 25, Den: 1}, StepFrames: 48, PartFrames: 8},
		Ladder: ladder.Ladder{Video: []ladder.Video{{
			Name: "high", Width: passWidth, Height: passHeight, Bitrate: 2_000_000, Codec: codecs.H264, Preset: "veryfast",
			Encoder: "libx264", Divisor: 1, SetID: 1,
		}}},
		Passthrough: &pipeline.Passthrough{Rendition: "high", ParameterSets: sets},
	}
}

const passFirst = 1000 * 48

// luma draws a moving pattern, another for each frame.
func luma(frame int64) []byte {
	y := make([]byte, passWidth*passHeight)
	for i := range y {
		column, row := float64(i%passWidth), float64(i/passWidth)
		y[i] = byte(126 + 50*math.Sin((column+3*float64(frame))/17) + 50*math.Cos((row-2*float64(frame))/23))
	}
	return y
}

// passMissed is a frame that the camera has no picture of.
const passMissed = 48 + 10

// passCamera encodes n frames like a camera with a random access picture every interval frames, from offset on.
func passCamera(t *testing.T, n, interval, offset int64) (units []codecs.AccessUnit, sets []byte) {
	t.Helper()
	enc, err := libav.OpenEncoder(libav.EncoderOptions{
		Codec: codecs.H264, Encoder: "libx264", Width: passWidth, Height: passHeight, FrameRate: codecs.Rational{Num: 25, Den: 1},
		Bitrate: 1_000_000, LowLatency: true,
	})
	require.NoError(t, err)
	defer enc.Close()
	grey := bytes.Repeat([]byte{128}, passWidth*passHeight/4)
	for k := range n {
		if k == passMissed || k < offset {
			continue
		}
		p, err := libav.NewPictureYUV(passWidth, passHeight, luma(k), grey, grey)
		require.NoError(t, err)
		kind := codecs.TypeAuto
		if k%interval == offset {
			kind = codecs.TypeIDR
		}
		err = enc.Encode(p, k, kind, func(pkt codecs.Packet) error {
			u := codecs.AccessUnit{PTS: codecs.Ticks(pkt.PTS), RandomAccess: pkt.Key, Data: pkt.Data}
			if pkt.Key {
				u.Data = append(bytes.Clone(enc.ParameterSets()), pkt.Data...)
			}
			units = append(units, u)
			return nil
		})
		p.Release()
		require.NoError(t, err)
	}
	return units, bytes.Clone(enc.ParameterSets())
}

// passBus hands out the units that keep wants; where one is missing because of the bus, it says so.
type passBus struct {
	units []codecs.AccessUnit
	grid  grid.Grid
	lost  func(k int64) bool // lost by the bus
	gap   bool
}

func (b *passBus) Next(ctx context.Context) (pipeline.Record, error) {
	for len(b.units) > 0 {
		u := b.units[0]
		b.units = b.units[1:]
		if b.lost(int64(u.PTS)) {
			b.gap = true
			continue
		}
		if b.gap {
			b.gap = false
			b.units = append([]codecs.AccessUnit{u}, b.units...)
			return pipeline.Record{}, pipeline.ErrGap
		}
		u.PTS = b.grid.FrameTime(passFirst + int64(u.PTS))
		return pipeline.Record{Bundle: &codecs.Bundle{Format: codecs.Format{Codec: codecs.H264}, Units: []codecs.AccessUnit{u}}}, ctx.Err()
	}
	return pipeline.Record{}, pipeline.ErrClosed
}

// passOrigin keeps what it gets; after limit parts it ends the worker.
type passOrigin struct {
	mu    sync.Mutex
	init  []byte
	parts []pipeline.Part
	limit int
	end   func()
}

func (o *passOrigin) PutInit(_ context.Context, i pipeline.Init) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.init != nil && !bytes.Equal(o.init, i.Data) {
		return errors.New("another init section")
	}
	o.init = i.Data
	return nil
}

func (o *passOrigin) PutPart(ctx context.Context, p pipeline.Part) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.parts) == o.limit {
		o.end()
		return context.Cause(ctx)
	}
	o.parts = append(o.parts, p)
	return nil
}

// passMeter keeps what became of segments.
type passMeter struct {
	mu       sync.Mutex
	segments []string
}

func (*passMeter) Pictures(string, int64)           {}
func (*passMeter) Samples(string, int64)            {}
func (*passMeter) Put(pipeline.Part, time.Duration) {}
func (m *passMeter) Segment(_, outcome string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.segments = append(m.segments, outcome)
}

func (o *passOrigin) run(t *testing.T, f pipeline.Feed, b *passBus, limit int, resume pipeline.State) []string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o.limit, o.end = limit, cancel
	log := slog.New(slog.DiscardHandler)
	e, m := engine{log: log, hardware: newHardware(log, prometheus.NewRegistry(), true)}, &passMeter{}
	w, err := transcode.New(transcode.Options{
		Feed: f, Epoch: 1, Resume: resume, Video: e, Audio: e, Out: o, Meter: m, Drain: time.Millisecond,
		Open: func(context.Context) (transcode.Reader, error) { return b, nil },
	})
	require.NoError(t, err)
	if err := w.Run(ctx); !errors.Is(err, context.Canceled) {
		require.NoError(t, err)
	}
	return m.segments
}

// decodeAll returns the luma of each picture of a file, by its frame.
func decodeAll(t *testing.T, file string) map[int64][]byte {
	t.Helper()
	d, err := libav.OpenFile(file)
	require.NoError(t, err)
	defer d.Close()
	dec, err := libav.NewDecoder(libav.DecoderOptions{Codec: codecs.H264})
	require.NoError(t, err)
	defer dec.Close()
	pictures := map[int64][]byte{}
	emit := func(p codecs.Picture, pts codecs.Ticks) error {
		defer p.Release()
		y, _, _, err := p.(*libav.Picture).YUV()
		k := int64(pts) / 3600
		require.NotContains(t, pictures, k)
		pictures[k] = y
		return err
	}
	for {
		_, u, _, err := d.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		require.NoError(t, dec.Decode(u, emit))
	}
	require.NoError(t, dec.Flush(emit))
	return pictures
}

func psnr(a, b []byte) float64 {
	sum := 0.0
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	if sum == 0 {
		return math.Inf(1)
	}
	return 10 * math.Log10(255*255*float64(len(a))/sum)
}

// decoded returns the pictures of all parts. They must follow each other on the grid, and ffmpeg must not complain of anything.
func (o *passOrigin) decoded(t *testing.T) map[int64][]byte {
	t.Helper()
	out := bytes.Clone(o.init)
	for i, p := range o.parts {
		first := o.parts[0].MSN
		require.Equal(t, pipeline.Position{MSN: first + int64(i/6), Part: i % 6}, p.Position())
		out = append(out, p.Data...)
	}
	whole := filepath.Join(t.TempDir(), "whole.mp4")
	require.NoError(t, os.WriteFile(whole, out, 0o600))
	tool := filepath.Join(os.Getenv("VENUECAST_FFMPEG"), "ffmpeg")
	said, err := exec.CommandContext(t.Context(), tool, "-v", "warning", "-xerror", "-i", whole, "-f", "null", "-").CombinedOutput()
	require.NoError(t, err, string(said))
	require.Empty(t, string(said), "ffmpeg has nothing to complain of")
	return decodeAll(t, whole)
}

// TestAPieceIsEncodedUpToTheCamerasRandomAccessPicture is of a camera whose clock has drifted by 7 pictures: the encoder ends,
// and the camera's pictures go on, in the middle of a part.
func TestAPieceIsEncodedUpToTheCamerasRandomAccessPicture(t *testing.T) {
	const frames, offset = 6 * 48, 7
	units, sets := passCamera(t, frames, 24, offset)
	f, o := passFeed(sets), &passOrigin{}
	outcomes := o.run(t, f, &passBus{units: units, grid: f.Grid, lost: func(int64) bool { return false }}, 1000, nil)
	require.Equal(t, []string{"no_idr", "no_idr", "no_idr", "no_idr", "no_idr"}, outcomes)
	got := o.decoded(t)
	source, first := decodeUnits(t, units), int64(48) // the first segment that has all its pictures
	require.Len(t, slices.Collect(maps.Keys(got)), 5*48-1, "all but the one that the camera has missed")
	for k, y := range got {
		quality := psnr(y, source[first+k])
		require.Greater(t, quality, 30.0, "frame %d", k)
		require.Equal(t, k%48 >= offset, math.IsInf(quality, 1), "frame %d is the camera's", k)
	}
}

// TestPassedAndEncodedSegmentsAreOneStream drops pictures of a camera, hands the feed to a successor in the middle of a segment,
// and decodes the outcome.
func TestPassedAndEncodedSegmentsAreOneStream(t *testing.T) {
	const frames = 7 * 48
	units, sets := passCamera(t, frames, 48, 0)
	f := passFeed(sets)
	bus := func() *passBus {
		return &passBus{
			units: units, grid: f.Grid,
			lost: func(k int64) bool { return k >= 2*48+20 && k < 3*48+5 },
		}
	}
	o := &passOrigin{}
	first := o.run(t, f, bus(), 5*6+3, nil)
	require.Equal(t, []string{"passed", "passed", "no_picture", "no_picture", "passed"}, first[:5])
	require.Len(t, o.parts, 5*6+3)
	next := pipeline.Position{MSN: 1005, Part: 3}
	second := o.run(t, f, bus(), 1000, pipeline.State{"high": next})
	require.Equal(t, []string{"resumed", "passed"}, second)
	require.Len(t, o.parts, 7*6)

	got := o.decoded(t)
	const held = 1 + 4 // the one that the camera has missed, and those of the outage up to the end of a part
	require.Len(t, slices.Collect(maps.Keys(got)), frames-held, "a picture that is held is longer, and not repeated")
	source := decodeUnits(t, units)
	passed := 0
	for k, y := range got {
		i := k
		if i >= 2*48+20 && i < 4*48 {
			i = 2*48 + 19 // up to the next random access picture it is repeated, and then the slate is shown
			if k >= 2*48+20+25 {
				continue
			}
		}
		quality := psnr(y, source[i])
		require.Greater(t, quality, 30.0, "frame %d", k)
		if math.IsInf(quality, 1) {
			passed++
		}
	}
	encoded := 4*48 - (2*48 + 24) + 3*8 // the outage from its next part on, and the rest of the segment of the takeover
	require.Equal(t, frames-held-encoded, passed, "pictures that are the camera's bit by bit")
}

func decodeUnits(t *testing.T, units []codecs.AccessUnit) map[int64][]byte {
	t.Helper()
	dec, err := libav.NewDecoder(libav.DecoderOptions{Codec: codecs.H264})
	require.NoError(t, err)
	defer dec.Close()
	pictures := map[int64][]byte{}
	emit := func(p codecs.Picture, pts codecs.Ticks) error {
		defer p.Release()
		y, _, _, err := p.(*libav.Picture).YUV()
		pictures[int64(pts)] = y
		return err
	}
	for _, u := range units {
		require.NoError(t, dec.Decode(u, emit))
	}
	require.NoError(t, dec.Flush(emit))
	return pictures
}
