package capacity_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/capacity"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

func TestOfRenditionsOnDemandTheLargestCounts(t *testing.T) {
	f := pipeline.Feed{Grid: grid.Grid{FrameRate: codecs.Rational{Num: 25, Den: 1}}}
	for _, height := range []int{1000, 500, 400, 100} {
		v := ladder.Video{Width: height, Height: height, Codec: codecs.H264, Preset: "veryfast", Divisor: 1}
		if height == 500 || height == 400 {
			v.Encode = ladder.EncodeOnDemand
		}
		f.Ladder.Video = append(f.Ladder.Video, v)
	}
	require.InDelta(t, 25*(1000*1000+500*500+100*100), capacity.Pixels(f), 1)
	require.Len(t, f.Ladder.Video, 4)
}
