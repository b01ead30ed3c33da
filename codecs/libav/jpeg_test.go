//go:build cgo

package libav

import (
	"bytes"
	"image/color"
	"image/jpeg"
	"testing"

	"github.com/stretchr/testify/require"
)

func openTestJPEG(t testing.TB, width, height int) *JPEGEncoder {
	e, err := NewJPEGEncoder(JPEGOptions{Width: width, Height: height})
	require.NoError(t, err)
	t.Cleanup(e.Close)
	return e
}

func TestAJPEGIsReadByAnotherDecoderInItsSizeAndBrightness(t *testing.T) {
	e := openTestJPEG(t, 320, 180)
	// Limited range 16, 126 and 235 are black, half and white in a JPEG's full range.
	for _, c := range []struct {
		luma byte
		want int
	}{{16, 0}, {126, 128}, {235, 255}} {
		for _, size := range [][2]int{{640, 360}, {320, 180}, {1280, 720}} {
			p := flat(t, size[0], size[1], c.luma)
			file, err := e.JPEG(p)
			p.Release()
			require.NoError(t, err)
			require.Equal(t, []byte{0xff, 0xd8}, file[:2])
			require.Equal(t, []byte{0xff, 0xd9}, file[len(file)-2:])
			img, err := jpeg.Decode(bytes.NewReader(file))
			require.NoError(t, err)
			require.Equal(t, [2]int{320, 180}, [2]int{img.Bounds().Dx(), img.Bounds().Dy()})
			grey := color.GrayModel.Convert(img.At(160, 90)).(color.Gray)
			require.InDelta(t, c.want, int(grey.Y), 2)
		}
	}
}

func TestColoursOfHDAreThoseOfBT709(t *testing.T) {
	for _, hd := range []bool{false, true} {
		e, err := NewJPEGEncoder(JPEGOptions{Width: 64, Height: 64, HD: hd})
		require.NoError(t, err)
		// Green of full saturation: Y, Cb and Cr in limited range by either matrix.
		y, u, v := byte(145), byte(54), byte(34)
		if hd {
			y, u, v = 173, 42, 26
		}
		p, err := NewPictureYUV(64, 64, bytes.Repeat([]byte{y}, 64*64), bytes.Repeat([]byte{u}, 32*32), bytes.Repeat([]byte{v}, 32*32))
		require.NoError(t, err)
		file, err := e.JPEG(p)
		p.Release()
		e.Close()
		require.NoError(t, err)
		img, err := jpeg.Decode(bytes.NewReader(file))
		require.NoError(t, err)
		got := color.RGBAModel.Convert(img.At(32, 32)).(color.RGBA)
		require.InDelta(t, 0, got.R, 4)
		require.InDelta(t, 255, got.G, 4)
		require.InDelta(t, 0, got.B, 4)
	}
}

func TestHDRIsToneMappedAsInTheRenditions(t *testing.T) {
	p := hdr(t, 721)
	defer p.Release()
	y, _, _ := scaled(t, openTestScaler(t, 64, 64), p)
	file, err := openTestJPEG(t, 64, 64).JPEG(p)
	require.NoError(t, err)
	img, err := jpeg.Decode(bytes.NewReader(file))
	require.NoError(t, err)
	full := (mean(y) - 16) * 255 / 219
	require.InDelta(t, full, float64(color.GrayModel.Convert(img.At(32, 32)).(color.Gray).Y), 2)
}

func TestTheSamePictureGivesTheSameJPEG(t *testing.T) {
	e := openTestJPEG(t, 160, 90)
	p := pattern(t, 640, 360, 3)
	defer p.Release()
	one, err := e.JPEG(p)
	require.NoError(t, err)
	two, err := e.JPEG(p)
	require.NoError(t, err)
	require.Equal(t, one, two)
}

func TestAbsurdJPEGsAreRefused(t *testing.T) {
	for _, o := range []JPEGOptions{{}, {Width: 3, Height: 2}, {Width: 2, Height: 1 << 20}, {Width: 2, Height: 2, Quality: 32}} {
		_, err := NewJPEGEncoder(o)
		require.Error(t, err)
	}
	_, err := openTestJPEG(t, 2, 2).JPEG(nil)
	require.Error(t, err)
}

func TestCaptionsBelongToOneReference(t *testing.T) {
	p := flat(t, 16, 16, 16)
	defer p.Release()
	require.Nil(t, p.Captions())
	p.SetCaptions([]byte{0xfc, 0x94, 0x2c})
	other := p.retain()
	defer other.Release()
	require.Equal(t, []byte{0xfc, 0x94, 0x2c}, other.Captions())
	other.SetCaptions(nil)
	require.Nil(t, other.Captions())
	require.Equal(t, []byte{0xfc, 0x94, 0x2c}, p.Captions())
}

// BenchmarkJPEG is the work of one thumbnail: a picture of the smallest rendition, scaled and coded.
func BenchmarkJPEG(b *testing.B) {
	e := openTestJPEG(b, 320, 180)
	p := pattern(b, 640, 360, 0)
	defer p.Release()
	size := 0
	for b.Loop() {
		file, err := e.JPEG(p)
		require.NoError(b, err)
		size = len(file)
	}
	b.ReportMetric(float64(size), "bytes")
}
