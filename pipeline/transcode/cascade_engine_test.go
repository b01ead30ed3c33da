package transcode

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

// atOnceEngine makes all sizes at once; its scalers make none by themselves.
type atOnceEngine struct {
	*fakeEngine
	asked [][]int
}

type noScaler struct{ fakeScaler }

func (s *noScaler) Scale(codecs.Picture) (codecs.Picture, error) { panic("one size by itself") }

func (e *atOnceEngine) NewScaler(ladder.Video) (Scaler, error) {
	e.add(1)
	return &noScaler{fakeScaler{e.fakeEngine}}, nil
}

func (e *atOnceEngine) Cascade(p codecs.Picture, scalers []Scaler, from []int) (made []codecs.Picture, err error) {
	e.asked = append(e.asked, from)
	for range scalers {
		made = append(made, p.Retain())
	}
	return made, nil
}

func TestAllSizesOfAPictureAreMadeAtOnce(t *testing.T) {
	feed := testFeed
	feed.Ladder.Video = []ladder.Video{
		{Name: "high", Width: 640, Height: 360, Codec: codecs.H264, Divisor: 1},
		{Name: "mid", Width: 480, Height: 270, Codec: codecs.H264, Divisor: 1},
		{Name: "low", Width: 240, Height: 134, Codec: codecs.H264, Divisor: 1},
	}
	run := func(video VideoEngine, engine *fakeEngine) *fakeOrigin {
		o := newOrigin(0)
		w, err := New(Options{
			Feed: feed, Epoch: 1, Video: video, Audio: engine, Out: o, Meter: noMeter{},
			Open: func(context.Context) (Reader, error) { return &fakeReader{records(200, nothing)}, nil },
		})
		require.NoError(t, err)
		require.NoError(t, w.Run(t.Context()))
		require.Zero(t, engine.live, "native objects left")
		return o
	}
	one, all := &fakeEngine{}, &atOnceEngine{fakeEngine: &fakeEngine{}}
	want, got := run(one, one), run(all, all.fakeEngine)
	require.NotEmpty(t, want.parts["low"])
	require.Equal(t, want.parts, got.parts)
	require.NotEmpty(t, all.asked)
	for _, from := range all.asked {
		require.Equal(t, []int{-1, 0, 1}, from)
	}
}
