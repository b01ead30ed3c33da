//go:build cgo

package libav

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
)

func BenchmarkDecode(b *testing.B) {
	o := testOptions(codecs.H264, "libx264")
	o.Width, o.Height, o.Bitrate = 1280, 720, 3_000_000
	stream := testStream(b, o, 50)
	d := openTestDecoder(b, codecs.H264)
	release := func(p codecs.Picture, _ codecs.Ticks) error { p.Release(); return nil }
	for i := 0; b.Loop(); i++ {
		require.NoError(b, d.Decode(stream[i%len(stream)], release))
	}
}

func BenchmarkScale(b *testing.B) {
	p := pattern(b, 1280, 720, 0)
	defer p.Release()
	s := openTestScaler(b, 640, 360)
	for b.Loop() {
		small, err := s.Scale(p)
		require.NoError(b, err)
		small.Release()
	}
}

// What the standard ladder scales of each picture, by each path: see path.
func BenchmarkCascade(b *testing.B) {
	p := pattern(b, 1920, 1080, 0)
	defer p.Release()
	for name, way := range map[string]path{"best": bestPath, "avx2": avx2Path, "libswscale": libswscale} {
		b.Run(name, func(b *testing.B) {
			takePath(b, way)
			steps := []Step{{openTestScaler(b, 1280, 720), -1}, {openTestScaler(b, 854, 480), -1}, {openTestScaler(b, 640, 360), 0}}
			_, before, _ := Spent()
			for b.Loop() {
				made, err := Cascade(p, steps)
				require.NoError(b, err)
				for _, small := range made {
					small.Release()
				}
			}
			_, after, _ := Spent()
			b.ReportMetric(float64((after-before).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	o := testOptions(codecs.H264, "libx264")
	o.Width, o.Height, o.Preset, o.Bitrate = 640, 360, "veryfast", 800_000
	e := openTestEncoder(b, o)
	var pictures [10]*Picture
	for k := range pictures {
		pictures[k] = pattern(b, o.Width, o.Height, k)
		b.Cleanup(pictures[k].Release)
	}
	none := func(codecs.Packet) error { return nil }
	for k := int64(0); b.Loop(); k++ {
		require.NoError(b, e.Encode(pictures[k%10], k, every(50)(k), none))
	}
}
