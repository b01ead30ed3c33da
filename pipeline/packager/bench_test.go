package packager_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/packager"
)

// One coded picture of a 6 Mbit/s rendition; every eighth ends a part.
func BenchmarkVideo(b *testing.B) {
	g := newGrid(b, codecs.Rational{Num: 25, Den: 1})
	p, err := packager.NewVideo(g, ladder.Video{Name: "1080p", Codec: codecs.H264, Width: 640, Height: 360, Divisor: 1}, parameterSets(b))
	require.NoError(b, err)
	data := make([]byte, 30_000)
	copy(data, []byte{0, 0, 0, 1, 0x41, 0x9a})
	for i := 6; i < len(data); i++ {
		data[i] = byte(i) | 1 // no start codes within
	}
	frame, size := g.PartFrame(5000, 0), 0
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, p.Add(codecs.Packet{PTS: frame, Key: frame%g.StepFrames == 0, Data: data}, func(part *pipeline.Part) error {
			size += len(part.Data)
			return nil
		}))
		frame++
	}
	require.True(b, size > 0 || b.N < int(g.PartFrames))
}
