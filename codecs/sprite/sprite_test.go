package sprite_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs/sprite"
)

// still returns a JPEG of one colour.
func still(t testing.TB, width, height int, c color.YCbCr) []byte {
	p := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	for i := range p.Y {
		p.Y[i] = c.Y
	}
	for i := range p.Cb {
		p.Cb[i], p.Cr[i] = c.Cb, c.Cr
	}
	var out bytes.Buffer
	require.NoError(t, jpeg.Encode(&out, p, nil))
	return out.Bytes()
}

func requireColour(t *testing.T, p image.Image, x, y int, want color.YCbCr) {
	t.Helper()
	got := p.(*image.YCbCr).YCbCrAt(x, y)
	require.InDelta(t, want.Y, got.Y, 3)
	require.InDelta(t, want.Cb, got.Cb, 3)
	require.InDelta(t, want.Cr, got.Cr, 3)
}

var black = color.YCbCr{Y: 0, Cb: 128, Cr: 128}

func TestTilesLieAtTheirPlaces(t *testing.T) {
	red, blue := color.YCbCr{Y: 80, Cb: 90, Cr: 220}, color.YCbCr{Y: 40, Cb: 220, Cr: 110}
	file, bad, err := sprite.Join(sprite.Sheet{Columns: 3, Rows: 2, Width: 32, Height: 16}, []sprite.Tile{
		{Column: 1, Row: 0, JPEG: still(t, 64, 32, red)},
		{Column: 2, Row: 1, JPEG: still(t, 65, 35, blue)}, // sides that do not halve evenly
	})
	require.NoError(t, err)
	require.Empty(t, bad)
	p, err := jpeg.Decode(bytes.NewReader(file))
	require.NoError(t, err)
	require.Equal(t, image.Rect(0, 0, 96, 32), p.Bounds())
	requireColour(t, p, 48, 8, red)
	requireColour(t, p, 80, 24, blue)
	requireColour(t, p, 16, 8, black)
	requireColour(t, p, 48, 24, black)
}

func TestWhatIsNoTileIsLeftOut(t *testing.T) {
	grey := image.NewGray(image.Rect(0, 0, 32, 16))
	var g bytes.Buffer
	require.NoError(t, jpeg.Encode(&g, grey, nil))
	good := still(t, 32, 16, color.YCbCr{Y: 200, Cb: 128, Cr: 128})
	for name, tile := range map[string]sprite.Tile{
		"no JPEG": {JPEG: []byte("GIF89a")}, "cut": {JPEG: good[:len(good)/2]}, "small": {JPEG: still(t, 30, 16, black)},
		"large": {JPEG: still(t, 64, 16, black)}, "grey": {JPEG: g.Bytes()}, "outside": {Column: 1, JPEG: good}, "before": {Row: -1, JPEG: good},
	} {
		t.Run(name, func(t *testing.T) {
			file, bad, err := sprite.Join(sprite.Sheet{Columns: 1, Rows: 1, Width: 16, Height: 8}, []sprite.Tile{tile})
			require.NoError(t, err)
			require.Len(t, bad, 1)
			p, err := jpeg.Decode(bytes.NewReader(file))
			require.NoError(t, err)
			requireColour(t, p, 8, 4, black)
		})
	}
	for _, s := range []sprite.Sheet{{}, {Columns: 17, Rows: 1, Width: 2, Height: 2}, {Columns: 1, Rows: 1, Width: 3, Height: 2}, {Columns: 1, Rows: 1, Width: 642, Height: 2}} {
		_, _, err := sprite.Join(s, nil)
		require.Error(t, err)
	}
}

func FuzzAnyTileCanBeJoined(f *testing.F) {
	f.Add(still(f, 32, 16, black))
	f.Add([]byte{0xff, 0xd8, 0xff})
	f.Fuzz(func(t *testing.T, file []byte) {
		_, _, err := sprite.Join(sprite.Sheet{Columns: 1, Rows: 1, Width: 16, Height: 8}, []sprite.Tile{{JPEG: file}})
		require.NoError(t, err)
	})
}

// BenchmarkJoin is the work of one sprite.
func BenchmarkJoin(b *testing.B) {
	noisy := image.NewYCbCr(image.Rect(0, 0, 320, 180), image.YCbCrSubsampleRatio420)
	for i := range noisy.Y {
		noisy.Y[i] = byte(i%320/2 + i/320%7*10)
	}
	var out bytes.Buffer
	require.NoError(b, jpeg.Encode(&out, noisy, &jpeg.Options{Quality: 85}))
	var tiles []sprite.Tile
	for i := range 25 {
		tiles = append(tiles, sprite.Tile{Column: i % 5, Row: i / 5, JPEG: out.Bytes()})
	}
	for b.Loop() {
		_, _, err := sprite.Join(sprite.Sheet{Columns: 5, Rows: 5, Width: 160, Height: 90}, tiles)
		require.NoError(b, err)
	}
}
