package testcard

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var captured = time.Date(2026, 7, 24, 19, 30, 12, int(345*time.Millisecond), time.UTC)

func draw(width, height int, frame uint32, at time.Time) *YUV {
	img := NewYUV(width, height)
	NewCard(width, height).Draw(img, frame, at)
	return img
}

func TestReadReturnsWhatWasDrawnAtAnySize(t *testing.T) {
	for _, size := range [][2]int{{320, 180}, {426, 240}, {480, 270}, {640, 480}, {854, 480}, {1280, 720}, {1920, 1080}, {333, 187}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			for _, frame := range []uint32{0, 1, 0x55555555, 0xaaaaaaaa, math.MaxUint32} {
				got, at, err := Read(*draw(size[0], size[1], frame, captured))
				require.NoError(t, err)
				require.Equal(t, frame, got)
				require.Equal(t, captured, at)
			}
		})
	}
}

func TestReadSurvivesScalingBlurAndNoise(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, source := range [][2]int{{1920, 1080}, {1280, 720}, {960, 540}} {
		for range 4 {
			frame, at := random.Uint32(), captured.Add(time.Duration(random.Int64N(1e9))*time.Millisecond)
			img := noise(blur(shrink(draw(source[0], source[1], frame, at), 320, 180)), random, 30)
			got, gotAt, err := Read(*img)
			require.NoError(t, err)
			require.Equal(t, frame, got)
			require.Equal(t, at, gotAt)
		}
	}
}

func TestReadNeverReturnsAWrongNumber(t *testing.T) {
	random, card, img := rand.New(rand.NewPCG(3, 4)), NewCard(320, 180), NewYUV(320, 180)
	for range 300 {
		card.Draw(img, 123456, captured)
		for range 1 + random.IntN(8) {
			r := img.block(random.IntN(2), random.IntN(blocksPerRow))
			fillPlane(img.Y, img.StrideY, r, byte(random.IntN(256)))
		}
		frame, at, err := Read(*img)
		if err == nil {
			require.Equal(t, uint32(123456), frame)
			require.Equal(t, captured, at)
		}
	}
}

func TestReadFindsNoBarWhereThereIsNone(t *testing.T) {
	grey := NewYUV(320, 180)
	grey.fill(rect{0, 0, 320, 180}, colour{128, 128, 128})
	noisy := noise(NewYUV(320, 180), rand.New(rand.NewPCG(5, 6)), 255)
	for name, img := range map[string]*YUV{
		"black": NewYUV(320, 180), "grey": grey, "noise": noisy, "slate": Slate(320, 180, "court-1"),
		"tiny": NewYUV(16, 16), "empty": NewYUV(0, 0),
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Read(*img)
			require.ErrorIs(t, err, ErrNoBar)
		})
	}
}

func TestFlashAndBeepCoverTheSameTime(t *testing.T) {
	second := time.Date(2026, 7, 24, 19, 30, 12, 0, time.UTC)
	for ms := 0; ms < 1000; ms += 20 {
		at := second.Add(time.Duration(ms) * time.Millisecond)
		pcm := make([]float32, tonePeriod)
		FillBeep(pcm, SampleAt(at))
		lit := ms < 100
		require.Equal(t, lit, Flash(*shrink(draw(640, 360, uint32(ms), at), 320, 180)), "flash at %d ms", ms)
		require.Equal(t, lit, loudest(pcm) > toneLevel/2, "beep at %d ms", ms)
	}
}

func TestMovingPictureChangesEachFrame(t *testing.T) {
	card, one, two := NewCard(320, 180), NewYUV(320, 180), NewYUV(320, 180)
	for frame := range uint32(100) {
		card.Draw(one, frame, captured)
		card.Draw(two, frame+1, captured)
		r := one.colourArea()
		require.NotEqual(t, one.Y[:r.y1*one.StrideY], two.Y[:r.y1*two.StrideY], "frame %d", frame)
		require.Equal(t, Flash(*one), Flash(*two), "the box must not touch the flash")
	}
}

func TestSlateShowsTheNameAndTakesAnyText(t *testing.T) {
	require.NotEqual(t, Slate(640, 360, "court-1").Y, Slate(640, 360, "court-2").Y)
	for _, name := range []string{"", "ü☃\xff\x00", string(make([]byte, 500))} {
		for _, size := range [][2]int{{1, 1}, {17, 9}, {320, 180}} {
			require.Equal(t, size[0], Slate(size[0], size[1], name).Width)
		}
	}
}

func TestDrawHonoursStride(t *testing.T) {
	padded := &YUV{
		Width: 320, Height: 180, StrideY: 384, StrideC: 192,
		Y: make([]byte, 384*180), U: make([]byte, 192*90), V: make([]byte, 192*90),
	}
	NewCard(320, 180).Draw(padded, 7, captured)
	frame, _, err := Read(*padded)
	require.NoError(t, err)
	require.Equal(t, uint32(7), frame)
	for y := range 180 {
		require.Equal(t, make([]byte, 64), padded.Y[y*384+320:(y+1)*384])
	}
}

func FuzzReadTakesAnyPicture(f *testing.F) {
	f.Add(draw(320, 180, 1, captured).Y, 320, 180)
	f.Add([]byte{}, 0, 0)
	f.Add(make([]byte, 64*36), 64, 36)
	f.Fuzz(func(t *testing.T, luma []byte, width, height int) {
		if width < 0 || height < 0 || width > 4096 || height > 4096 || width*height > len(luma) {
			return
		}
		img := YUV{Width: width, Height: height, StrideY: width, Y: luma}
		frame, at, err := Read(img)
		if err != nil {
			require.ErrorIs(t, err, ErrNoBar)
			return
		}
		again, againAt, err := Read(*draw(320, 180, frame, at))
		require.NoError(t, err)
		require.Equal(t, frame, again)
		require.Equal(t, at, againAt)
	})
}

func BenchmarkDraw1080p(b *testing.B) {
	card, img := NewCard(1920, 1080), NewYUV(1920, 1080)
	for i := range b.N {
		card.Draw(img, uint32(i), captured)
	}
}

func loudest(pcm []float32) float64 {
	top := 0.0
	for _, v := range pcm {
		top = max(top, math.Abs(float64(v)))
	}
	return top
}

// shrink scales the luma by box filter (or nearest pixel where it grows).
func shrink(src *YUV, width, height int) *YUV {
	dst := NewYUV(width, height)
	for y := range height {
		for x := range width {
			r := rect{x * src.Width / width, y * src.Height / height, (x + 1) * src.Width / width, (y + 1) * src.Height / height}
			dst.Y[y*width+x] = byte(src.mean(r))
		}
	}
	return dst
}

// blur is a 3 × 3 box filter.
func blur(src *YUV) *YUV {
	dst := NewYUV(src.Width, src.Height)
	for y := range src.Height {
		for x := range src.Width {
			dst.Y[y*src.Width+x] = byte(src.mean(rect{x - 1, y - 1, x + 2, y + 2}))
		}
	}
	return dst
}

func noise(img *YUV, random *rand.Rand, amplitude int) *YUV {
	for i, v := range img.Y {
		img.Y[i] = byte(min(255, max(0, int(v)+random.IntN(2*amplitude+1)-amplitude)))
	}
	return img
}
