package bus

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
)

// A picture of a 4.5 Mbit/s camera, to the bus and back.
func BenchmarkEnvelope(b *testing.B) {
	r := pipeline.Record{Epoch: 7, Bundle: &codecs.Bundle{
		Format: codecs.Format{Codec: codecs.H264},
		Units:  []codecs.AccessUnit{{PTS: 153_000_000_000_000, RandomAccess: true, Data: make([]byte, 22_000)}},
	}}
	header := headerOf("7")
	b.ReportAllocs()
	for b.Loop() {
		suffix, body, err := marshal(r)
		require.NoError(b, err)
		_, err = unmarshal(subject("lobby", suffix), header, body)
		require.NoError(b, err)
	}
}
