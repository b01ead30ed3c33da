//go:build cgo

package libav

import (
	"bytes"
	"testing"

	"github.com/asticode/go-astiav"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
)

func openTestScaler(t testing.TB, width, height int) *Scaler {
	s, err := NewScaler(ScalerOptions{Width: width, Height: height})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// scaled returns the planes of p scaled by s.
func scaled(t *testing.T, s *Scaler, p codecs.Picture) (y, u, v []byte) {
	out, err := s.Scale(p)
	require.NoError(t, err)
	defer out.Release()
	w, h := out.Size()
	require.Equal(t, [2]int{s.o.Width, s.o.Height}, [2]int{w, h})
	y, u, v, err = out.(*Picture).YUV()
	require.NoError(t, err)
	return y, u, v
}

// flat returns a limited range 4:2:0 picture of one grey.
func flat(t testing.TB, width, height int, y byte) *Picture {
	cw, ch := planeSize(1, width, height)
	grey := bytes.Repeat([]byte{128}, cw*ch)
	p, err := NewPictureYUV(width, height, bytes.Repeat([]byte{y}, width*height), grey, grey)
	require.NoError(t, err)
	return p
}

// camera returns a picture as the decoder makes it of an H.264 stream in any pixel format: of one colour.
func camera(t testing.TB, format astiav.PixelFormat, full bool, y, chroma uint16) *Picture {
	var out *Picture
	keep := func(p codecs.Picture, _ codecs.Ticks) error { out = p.(*Picture); return nil }
	d := openTestDecoder(t, codecs.H264)
	require.NoError(t, d.Decode(codecs.AccessUnit{Data: cameraStill(t, format, full, y, chroma)}, keep))
	require.NoError(t, d.Flush(keep))
	require.NotNil(t, out)
	return out
}

func cameraStill(t testing.TB, format astiav.PixelFormat, full bool, y, chroma uint16) []byte {
	codec := astiav.FindEncoderByName("libx264")
	ctx := astiav.AllocCodecContext(codec)
	defer ctx.Free()
	ctx.SetWidth(testWidth)
	ctx.SetHeight(testHeight)
	ctx.SetPixelFormat(format)
	ctx.SetTimeBase(astiav.NewRational(1, 25))
	if full {
		ctx.SetColorRange(astiav.ColorRangeJpeg)
	}
	require.NoError(t, ctx.PrivateData().Options().Set("crf", "1", 0))
	require.NoError(t, ctx.Open(codec, nil))
	f := astiav.AllocFrame()
	defer f.Free()
	f.SetWidth(testWidth)
	f.SetHeight(testHeight)
	f.SetPixelFormat(format)
	require.NoError(t, f.AllocBuffer(0))
	size, err := f.ImageBufferSize(1)
	require.NoError(t, err)
	require.NoError(t, f.Data().SetBytes(planesOf(format, size, y, chroma), 1))
	require.NoError(t, ctx.SendFrame(f))
	require.NoError(t, ctx.SendFrame(nil))
	p := astiav.AllocPacket()
	defer p.Free()
	require.NoError(t, ctx.ReceivePacket(p))
	return p.Data()
}

// planesOf returns the samples of a picture of one colour.
func planesOf(format astiav.PixelFormat, size int, y, chroma uint16) []byte {
	var b []byte
	add := func(n int, value uint16) {
		for range n {
			if b = append(b, byte(value)); format == astiav.PixelFormatYuv420P10Le {
				b = append(b, byte(value>>8))
			}
		}
	}
	add(testWidth*testHeight, y)
	add((size-len(b))*testWidth*testHeight/max(len(b), 1), chroma)
	return b
}

func TestPictureOfTheRightSizeIsPassedThrough(t *testing.T) {
	s := openTestScaler(t, testWidth, testHeight)
	p := pattern(t, testWidth, testHeight, 0)
	defer p.Release()
	out, err := s.Scale(p)
	require.NoError(t, err)
	defer out.Release()
	require.Equal(t, p.frame.data[0], out.(*Picture).frame.data[0])
	require.Zero(t, Ledger()["scaler"])
}

func TestScalerFollowsTheSizeOfItsInput(t *testing.T) {
	s := openTestScaler(t, 160, 90)
	for _, size := range [][2]int{{320, 180}, {640, 360}, {160, 90}, {33, 17}, {80, 46}} {
		p := flat(t, size[0], size[1], 100)
		y, _, _ := scaled(t, s, p)
		require.Equal(t, bytes.Repeat([]byte{100}, 160*90), y, "%v", size)
		p.Release()
	}
}

func TestEachPixelFormatBecomesLimitedRange420(t *testing.T) {
	for _, c := range []struct {
		format        astiav.PixelFormat
		full          bool
		y, chroma     uint16 // sample values as the format codes them
		wantY, wantUV float64
	}{
		{astiav.PixelFormatYuv420P, false, 100, 90, 100, 90},
		{astiav.PixelFormatYuvj420P, true, 255, 255, 235, 240}, // full range white: 16 + 255·219/255
		{astiav.PixelFormatYuvj420P, true, 0, 128, 16, 128},
		{astiav.PixelFormatYuv422P, false, 100, 90, 100, 90},
		{astiav.PixelFormatYuv444P, false, 100, 90, 100, 90},
		{astiav.PixelFormatYuv420P10Le, false, 400, 360, 100, 90},
		{astiav.PixelFormatYuv420P10Le, true, 1023, 512, 235, 128}, // only the frame says that it is full range
	} {
		for _, s := range []*Scaler{openTestScaler(t, testWidth, testHeight), openTestScaler(t, 160, 90)} {
			p := camera(t, c.format, c.full, c.y, c.chroma)
			y, u, v := scaled(t, s, p)
			require.InDelta(t, c.wantY, mean(y), 1, "%v to width %d", c.format, s.o.Width)
			require.InDelta(t, c.wantUV, mean(u), 1, "%v to width %d", c.format, s.o.Width)
			require.InDelta(t, c.wantUV, mean(v), 1, "%v to width %d", c.format, s.o.Width)
			p.Release()
		}
	}
}

// cea608 is an SEI message with one pair of CEA-608 bytes (ATSC A/53 part 4 §6.2.3) as a NAL unit.
var cea608 = []byte{0, 0, 0, 1, 6, 4, 14, 0xb5, 0, 0x31, 'G', 'A', '9', '4', 3, 0x41, 0xff, 0xfc, 0x94, 0x20, 0xff, 0x80}

func TestCaptionsReachTheScaledStream(t *testing.T) {
	still := cameraStill(t, astiav.PixelFormatYuv420P, false, 100, 128)
	captioned := append(bytes.Clone(cea608), still...)
	d, s := openTestDecoder(t, codecs.H264), openTestScaler(t, 160, 90)
	for _, c := range bothCodecs {
		o := testOptions(c, software(c))
		o.Width, o.Height = 160, 90
		e := openTestEncoder(t, o)
		var coded []byte
		keep := func(p codecs.Packet) error { coded = append(coded, p.Data...); return nil }
		show := func(p codecs.Picture, _ codecs.Ticks) error {
			defer p.Release()
			small, err := s.Scale(p)
			require.NoError(t, err)
			defer small.Release()
			return e.Encode(small, 0, codecs.TypeIDR, keep)
		}
		require.NoError(t, d.Decode(codecs.AccessUnit{Data: captioned}, show))
		require.NoError(t, d.Flush(show))
		require.NoError(t, e.Flush(keep))
		require.Contains(t, string(coded), "GA94", "%v", c)
	}
}

func TestScaledPicturesReuseBuffersAndOutliveTheScaler(t *testing.T) {
	s, err := NewScaler(ScalerOptions{Width: 160, Height: 90, Flags: "bilinear"})
	require.NoError(t, err)
	p := pattern(t, testWidth, testHeight, 0)
	defer p.Release()
	first, err := s.Scale(p)
	require.NoError(t, err)
	address := first.(*Picture).frame.data[0]
	first.Release()
	second, err := s.Scale(p)
	require.NoError(t, err)
	require.Equal(t, address, second.(*Picture).frame.data[0])
	s.Close()
	_, _, _, err = second.(*Picture).YUV()
	require.NoError(t, err)
	second.Release()
}

func TestScalerRefusesWrongOptions(t *testing.T) {
	_, err := NewScaler(ScalerOptions{Width: 0, Height: 90})
	require.ErrorContains(t, err, "sides must be")
	_, err = NewScaler(ScalerOptions{Width: 160, Height: 90, Flags: "blurry"})
	require.ErrorContains(t, err, `scaler flags "blurry"`)
}

func mean(b []byte) float64 {
	sum := 0
	for _, x := range b {
		sum += int(x)
	}
	return float64(sum) / float64(len(b))
}
