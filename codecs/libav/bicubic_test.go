//go:build cgo && linux

package libav

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

func takePath(t testing.TB, p path) {
	before := ownScaling
	ownScaling = p
	t.Cleanup(func() { ownScaling = before })
}

// own returns the planes of p scaled in one of our own ways; false if the processor cannot.
func own(t *testing.T, way path, p *Picture, width, height int) ([3][]byte, bool) {
	takePath(t, way)
	s := openTestScaler(t, width, height)
	y, u, v := scaled(t, s, p)
	return [3][]byte{y, u, v}, s.own != nil
}

// edged returns a copy of p whose planes end, and if begin is set begin, where no memory is: who reads outside is killed.
func edged(t *testing.T, p *Picture, begin bool, slack int) *Picture {
	edge := p.retain()
	t.Cleanup(edge.Release)
	for i := range 3 {
		w, h := planeSize(i, int(p.frame.width), int(p.frame.height))
		stride := w + slack
		mapped := guarded(t, stride*(h-1)+w, begin)
		for y := range h {
			row := unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(p.frame.data[i]), y*int(p.frame.linesize[i]))), w)
			copy(mapped[y*stride:], row)
		}
		setPointer(&edge.frame.data[i], unsafe.Pointer(&mapped[0]))
		setNumber(&edge.frame.linesize[i], stride)
	}
	return edge
}

// setPointer and setNumber set what has a type of C's, which tests cannot name.
func setPointer[T any](to **T, p unsafe.Pointer) { *to = (*T)(p) }

func setNumber[T ~int32](to *T, n int) { *to = T(n) }

// guarded returns size bytes right before, or right after, a page that cannot be read.
func guarded(t *testing.T, size int, begin bool) []byte {
	page := syscall.Getpagesize()
	whole := (size + page - 1) / page * page
	m, err := syscall.Mmap(-1, 0, whole+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, syscall.Munmap(m)) })
	require.NoError(t, syscall.Mprotect(m[:page], syscall.PROT_NONE))
	require.NoError(t, syscall.Mprotect(m[page+whole:], syscall.PROT_NONE))
	if begin {
		return m[page:][:size]
	}
	return m[page+whole-size:][:size]
}

// noise returns a picture of random samples: of all values, or of the two extremes only, which overshoot the most.
func noise(t *testing.T, random *rand.Rand, width, height int) *Picture {
	extremes := random.IntN(2) == 0
	var planes [3][]byte
	for i := range planes {
		w, h := planeSize(i, width, height)
		planes[i] = make([]byte, w*h)
		for k := range planes[i] {
			planes[i][k] = byte(random.IntN(256))
			if extremes {
				planes[i][k] = byte(random.IntN(2) * 255)
			}
		}
	}
	p, err := NewPictureYUV(width, height, planes[0], planes[1], planes[2])
	require.NoError(t, err)
	t.Cleanup(p.Release)
	return p
}

// sizes are those of ladders, and any.
func sizes(random *rand.Rand) (all [][4]int) {
	all = [][4]int{
		{640, 360, 426, 240},
		{320, 180, 160, 90},
		{480, 270, 160, 90},
		{288, 162, 128, 72},
		{1920, 24, 854, 12},
		{2, 2, 2, 4},
		{1, 1, 3, 3},
	}
	for range 60 {
		w, h := 1+random.IntN(300), 1+random.IntN(60)
		all = append(all, [4]int{w, h, (w+2)/3 + random.IntN(w+40), (h+2)/3 + random.IntN(h+20)})
	}
	return all
}

func TestEachProcessorScalesToTheSameBytes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	done := map[path]int{}
	for i, c := range sizes(random) {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			p := noise(t, random, c[0], c[1])
			want, ok := own(t, referencePath, p, c[2], c[3])
			require.True(t, ok)
			for _, way := range []path{avx512Path, avx2Path} {
				got, ok := own(t, way, edged(t, p, i%2 == 0, i%3*random.IntN(100)), c[2], c[3])
				if ok {
					done[way]++
					require.Equal(t, want, got, "path %d", way)
				}
			}
		})
	}
	t.Logf("pictures compared by path: %v", done)
}

// lines returns a plane with what lies beside the picture.
func lines(p *Picture, plane int) (all []byte, stride int) {
	_, h := planeSize(plane, int(p.frame.width), int(p.frame.height))
	stride = int(p.frame.linesize[plane])
	return unsafe.Slice((*byte)(unsafe.Pointer(p.frame.data[plane])), stride*h), stride
}

func TestOwnScalingWritesNothingBesideThePicture(t *testing.T) {
	const mark = 0xa5
	p := pattern(t, 190, 106, 0)
	defer p.Release()
	for _, way := range []path{avx512Path, avx2Path} {
		takePath(t, way)
		for _, size := range [][2]int{{107, 61}, {64, 36}, {130, 70}} {
			s := openTestScaler(t, size[0], size[1])
			first, err := s.scale(p)
			require.NoError(t, err)
			for i := range 3 {
				all, _ := lines(first, i)
				copy(all, bytes.Repeat([]byte{mark}, len(all)))
			}
			first.Release()
			second, err := s.scale(p) // into the same buffer
			require.NoError(t, err)
			for i := range 3 {
				w, _ := planeSize(i, size[0], size[1])
				all, stride := lines(second, i)
				for row := range slices.Chunk(all, stride) {
					require.Equal(t, bytes.Repeat([]byte{mark}, stride-w), row[w:], "plane %d of %v, path %d", i, size, way)
				}
			}
			second.Release()
		}
	}
}

// psnr returns the peak signal to noise ratio in dB, and how much b's mean is above a's.
func psnr(a, b []byte) (decibels, bias float64) {
	squares, sum := 0, 0
	for i := range a {
		d := int(b[i]) - int(a[i])
		squares += d * d
		sum += d
	}
	n := float64(len(a))
	return 10 * math.Log10(255*255*n/math.Max(float64(squares), 1)), float64(sum) / n
}

// scene returns a picture of what pictures have: gradients, edges at all angles, fine waves, some grain.
func scene(t testing.TB, width, height int) *Picture {
	random := rand.New(rand.NewPCG(3, 4))
	var planes [3][]byte
	for i := range planes {
		w, h := planeSize(i, width, height)
		planes[i] = make([]byte, w*h)
		for k := range planes[i] {
			x, y := float64(k%w)/float64(h), float64(k/w)/float64(h)
			v := 110 + 50*math.Sin(9*x+4*y+float64(i)) + 20*math.Sin(400*x*y)
			if math.Hypot(x-0.9, y-0.5) < 0.3 {
				v -= 40
			}
			planes[i][k] = byte(v + 4*random.NormFloat64())
		}
	}
	p, err := NewPictureYUV(width, height, planes[0], planes[1], planes[2])
	require.NoError(t, err)
	return p
}

func TestOwnScalingIsThatOfLibswscale(t *testing.T) {
	takePath(t, referencePath)
	p := scene(t, 960, 540)
	defer p.Release()
	for _, size := range [][2]int{{640, 360}, {426, 240}, {480, 270}, {320, 180}, {1280, 720}, {333, 201}} {
		own := openTestScaler(t, size[0], size[1])
		var got, want [3][]byte
		got[0], got[1], got[2] = scaled(t, own, p)
		require.NotNil(t, own.own)
		exact, err := NewScaler(ScalerOptions{Width: size[0], Height: size[1], Flags: "bicubic+accurate_rnd"})
		require.NoError(t, err)
		want[0], want[1], want[2] = scaled(t, exact, p)
		require.Nil(t, exact.own)
		exact.Close()
		for i := range want {
			decibels, bias := psnr(want[i], got[i])
			t.Logf("%v plane %d: %.1f dB, %+.4f", size, i, decibels, bias)
			require.Greater(t, decibels, 60.0)
			require.InDelta(t, 0, bias, 0.02)
		}
	}
}

func TestLibswscaleScalesWhatOurOwnScalingDoesNot(t *testing.T) {
	p := pattern(t, 320, 180, 0)
	defer p.Release()
	for name, o := range map[string]ScalerOptions{
		"other filters": {Width: 160, Height: 90, Flags: "bilinear"},
		"ten bits":      {Width: 160, Height: 90, Depth: 10},
		"too small":     {Width: 106, Height: 90},
	} {
		s, err := NewScaler(o)
		require.NoError(t, err, name)
		out, err := s.Scale(p)
		require.NoError(t, err, name)
		require.Nil(t, s.own, name)
		out.Release()
		s.Close()
	}
	takePath(t, libswscale)
	s := openTestScaler(t, 160, 90)
	scaled(t, s, p)
	require.NotNil(t, s.sws, "other processors")
}
