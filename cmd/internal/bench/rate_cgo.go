//go:build cgo

package bench

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/libav"
)

// Rate is how fast an encoder is with pictures that move.
type Rate struct {
	Encoder   string  `json:"encoder"`
	Preset    string  `json:"preset,omitempty"`
	Processor float64 `json:"pixels_per_processor_second"` // of this process's time: some encoders have threads of their own
	Wall      float64 `json:"pixels_per_second"`           // of one encoder
}

// Hardware reports whether the encoder is not on the processor: then Wall says what it can do.
func (r Rate) Hardware() bool { return !strings.HasPrefix(r.Encoder, "lib") }

const (
	rateWidth, rateHeight = 1280, 720
	ratePictures          = 8 // drawn before, and encoded to and fro
)

// MeasureRate encodes, nothing else being done in this process, for about as much processor time, or for twice that of wall time.
func MeasureRate(ctx context.Context, codec codecs.Codec, encoder, preset string, budget time.Duration) (Rate, error) {
	e, err := libav.OpenEncoder(libav.EncoderOptions{
		Codec: codec, Encoder: encoder, Preset: preset, Width: rateWidth, Height: rateHeight,
		FrameRate: codecs.Rational{Num: 25, Den: 1}, Bitrate: 3_000_000, BFrames: -1,
	})
	if err != nil {
		return Rate{}, err
	}
	defer e.Close()
	pictures, err := drawPictures()
	defer func() {
		for _, p := range pictures {
			p.Release()
		}
	}()
	if err != nil {
		return Rate{}, err
	}
	r := Rate{Encoder: e.Name(), Preset: preset}
	return r, r.measure(ctx, e, pictures, budget)
}

func drawPictures() (pictures []*libav.Picture, err error) {
	s := newScene(rateWidth, rateHeight)
	const luma, chroma = rateWidth * rateHeight, rateWidth * rateHeight / 4
	for k := range ratePictures {
		b := s.draw(k)
		p, err := libav.NewPictureYUV(rateWidth, rateHeight, b[:luma], b[luma:luma+chroma], b[luma+chroma:])
		if err != nil {
			return pictures, err
		}
		pictures = append(pictures, p)
	}
	return pictures, nil
}

func (r *Rate) measure(ctx context.Context, e *libav.Encoder, pictures []*libav.Picture, budget time.Duration) error {
	var since time.Duration
	var begun time.Time
	first := int64(-1) // the picture with which the lookahead was full and the clock began
	k := int64(0)
	put := func(codecs.Packet) error {
		if first < 0 {
			first, since, begun = k, processTime(), time.Now()
		}
		return nil
	}
	for ; ; k++ {
		if first >= 0 && k > first+1 {
			used, wall := processTime()-since, time.Since(begun)
			if used >= budget || wall >= 2*budget {
				pixels := float64(k-1-first) * rateWidth * rateHeight
				r.Processor, r.Wall = pixels/used.Seconds(), pixels/wall.Seconds()
				return nil
			}
		}
		kind := codecs.TypeAuto
		if k%48 == 0 {
			kind = codecs.TypeIDR
		}
		if err := e.Encode(pictures[toAndFro(k, ratePictures)], k, kind, put); err != nil {
			return fmt.Errorf("measuring %s: %w", r.Encoder, err)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// toAndFro counts 0 to n-1 and back.
func toAndFro(k int64, n int) int {
	at := int(k % int64(2*n-2))
	return min(at, 2*n-2-at)
}
