package transcode

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/packager"
)

// lookaheadEngine makes encoders that hold a number of pictures back, and put one packet out for each picture that comes after
// them. As libav's they take as many as depth pictures before they put out what comes of the first; with 0 they wait for each.
type lookaheadEngine struct {
	fakeEngine
	delay, depth int
}

func (e *lookaheadEngine) NewEncoder(ladder.Video, grid.Grid, ladder.Latency) (Encoder, error) {
	e.add(1)
	return &lookaheadEncoder{fakeEncoder: fakeEncoder{e: &e.fakeEngine}, delay: e.delay, depth: e.depth}, nil
}

type lookaheadEncoder struct {
	fakeEncoder

	delay, depth, pending int
}

func (e *lookaheadEncoder) Submit(
	_ codecs.Picture, frame int64, t codecs.PictureType, emit func(codecs.Packet) error,
) (pending int, err error) {
	if e.depth > 0 && e.pending == e.depth {
		if err := e.Collect(emit); err != nil {
			return 0, err
		}
	}
	e.held = append(e.held, codecs.Packet{PTS: frame, Key: t == codecs.TypeIDR, Data: []byte{0, 0, 0, 1, 0x65, 0x88}})
	if len(e.held) > e.delay {
		e.made, e.held = append(e.made, e.held[0]), e.held[1:]
	}
	if e.depth == 0 {
		return 0, e.Collect(emit)
	}
	e.pending++
	return e.pending, nil
}

func (e *lookaheadEncoder) Collect(emit func(codecs.Packet) error) error {
	e.pending = 0
	return e.fakeEncoder.Collect(emit)
}

// partsByPicture encodes frames at a rate that is halved in the third segment, and says with which picture each part came out.
func partsByPicture(t *testing.T, delay, depth int) (came []string) {
	t.Helper()
	e := &lookaheadEngine{delay: delay, depth: depth}
	w, err := New(Options{
		Feed: testFeed, Epoch: 1, Video: e, Audio: e, Out: newOrigin(0), Meter: noMeter{},
		Open: func(context.Context) (Reader, error) { return &fakeReader{}, nil },
	})
	require.NoError(t, err)
	r := w.renditions[0]
	require.NoError(t, r.open())
	defer r.close()
	r.pack, err = packager.NewVideo(w.grid, r.video, r.sets)
	require.NoError(t, err)
	packed := func(p codecs.Packet) error {
		return r.pack.Add(p, func(part *pipeline.Part) error { return r.parts.Push(t.Context(), output{part: part}, 0) })
	}
	for k, step := int64(1000*48), int64(1); k < 1004*48; k += step {
		if w.grid.Segment(k) == 1002 {
			step = 2
		}
		p := e.picture(fmt.Sprint(k))
		require.NoError(t, r.take(framed{frame: k, step: step, picture: p}, packed))
		p.Release()
		for r.parts.Len() > 0 {
			out, err := r.parts.Pop(t.Context())
			require.NoError(t, err)
			came = append(came, fmt.Sprintf("%d.%d with %d", out.part.MSN, out.part.Index, k))
		}
	}
	return came
}

func TestAPartComesOutWithTheSamePictureWhetherOrNotEachIsWaitedFor(t *testing.T) {
	for _, delay := range []int{0, 1, 2, 7, 8, 9, 30} {
		t.Run(fmt.Sprint(delay), func(t *testing.T) {
			waited := partsByPicture(t, delay, 0)
			require.Greater(t, len(waited), 15)
			for depth := 1; depth <= 4; depth++ {
				require.Equal(t, waited, partsByPicture(t, delay, depth), "%d pictures at once", depth)
			}
		})
	}
}
