//go:build cgo

package libav

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if n := LedgerTotal(); n != 0 {
		fmt.Fprintf(os.Stderr, "%d native objects were not freed: %v\n", n, Ledger())
		code = 1
	}
	os.Exit(code)
}

const (
	testWidth  = 320
	testHeight = 180
)

// pattern returns picture k of a moving test pattern.
func pattern(t testing.TB, width, height, k int) *Picture {
	y, u, v := patternPlanes(width, height, k)
	p, err := NewPictureYUV(width, height, y, u, v)
	require.NoError(t, err)
	return p
}

func patternPlanes(width, height, k int) (y, u, v []byte) {
	y = make([]byte, width*height)
	for i := range y {
		x, line := i%width, i/width
		y[i] = byte(16 + (x+3*k)%128 + (line/16%2)*40 + (x*line+k)%7)
	}
	cw, ch := planeSize(1, width, height)
	u, v = make([]byte, cw*ch), make([]byte, cw*ch)
	for i := range u {
		u[i], v[i] = byte(64+(i%cw+k)%128), byte(64+(i/cw+2*k)%128)
	}
	return y, u, v
}

func testOptions(codec codecs.Codec, encoder string) EncoderOptions {
	return EncoderOptions{
		Codec: codec, Encoder: encoder, Width: testWidth, Height: testHeight,
		FrameRate: codecs.Rational{Num: 25, Den: 1}, Bitrate: 400_000, Preset: "ultrafast", KeyInterval: 1000,
	}
}

func openTestEncoder(t testing.TB, o EncoderOptions) *Encoder {
	e, err := OpenEncoder(o)
	require.NoError(t, err)
	t.Cleanup(e.Close)
	return e
}

// encode encodes n pictures of the test pattern, numbered from first in steps of step.
func encode(t testing.TB, e *Encoder, first, n, step int64, typeOf func(frame int64) codecs.PictureType) []codecs.Packet {
	var packets []codecs.Packet
	keep := func(p codecs.Packet) error { packets = append(packets, p); return nil }
	for i := range n {
		k := first + i*step
		p := pattern(t, e.o.Width, e.o.Height, int(k))
		require.NoError(t, e.Encode(p, k, typeOf(k), keep))
		p.Release()
	}
	require.NoError(t, e.Flush(keep))
	return packets
}

func every(n int64) func(int64) codecs.PictureType {
	return func(k int64) codecs.PictureType {
		if k%n == 0 {
			return codecs.TypeIDR
		}
		return codecs.TypeAuto
	}
}

// units returns packets as access units with the parameter sets before each key picture, as a camera sends them.
func units(e *Encoder, packets []codecs.Packet) []codecs.AccessUnit {
	var out []codecs.AccessUnit
	for _, p := range packets {
		data := p.Data
		if p.Key {
			data = append(e.ParameterSets(), data...)
		}
		out = append(out, codecs.AccessUnit{PTS: codecs.Ticks(p.PTS * 3600), RandomAccess: p.Key, Data: data})
	}
	return out
}

// testStream returns n pictures of the test pattern as an H.264 or H.265 stream.
func testStream(t testing.TB, o EncoderOptions, n int64) []codecs.AccessUnit {
	e := openTestEncoder(t, o)
	return units(e, encode(t, e, 0, n, 1, every(10)))
}

// av1Options are the test's for AV1.
func av1Options() EncoderOptions {
	o := testOptions(codecs.AV1, "libsvtav1")
	o.Preset = "12"
	return o
}

func software(c codecs.Codec) string {
	if c == codecs.H265 {
		return "libx265"
	}
	return "libx264"
}
