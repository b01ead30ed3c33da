//go:build cgo

package libav

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
)

// fieldPicture returns a bar that has moved on between the two fields of picture k, as an interlaced camera sees it.
func fieldPicture(t *testing.T, k int) *Picture {
	y, u, v := patternPlanes(testWidth, testHeight, 0)
	for i := range y {
		x, line := i%testWidth, i/testWidth
		y[i] = 40
		if at := 20 + 8*k + 4*(line%2); x >= at && x < at+40 {
			y[i] = 200
		}
	}
	p, err := NewPictureYUV(testWidth, testHeight, y, u, v)
	require.NoError(t, err)
	p.frame.flags |= 1<<3 | 1<<4 // AV_FRAME_FLAG_INTERLACED and AV_FRAME_FLAG_TOP_FIELD_FIRST
	return p
}

// combing returns how much lines differ from the mean of their neighbours.
func combing(t *testing.T, p codecs.Picture) (sum int) {
	own, err := ours(p)
	require.NoError(t, err)
	y, _, _, err := own.YUV()
	require.NoError(t, err)
	for i := testWidth; i < len(y)-testWidth; i++ {
		d := 2*int(y[i]) - int(y[i-testWidth]) - int(y[i+testWidth])
		sum += max(d, -d)
	}
	return sum
}

func TestInterlacedPicturesComeOutWholeEachAtItsTime(t *testing.T) {
	const start = codecs.Ticks(160_000_000_000_000)
	for name, interlaced := range map[string]bool{"interlaced": true, "progressive": false} {
		t.Run(name, func(t *testing.T) {
			var d deinterlacer
			var times []codecs.Ticks
			var sums []int
			keep := func(p codecs.Picture, pts codecs.Ticks) error {
				times, sums = append(times, pts), append(sums, combing(t, p))
				p.Release()
				return nil
			}
			var want []codecs.Ticks
			comb := 0
			for k := range 6 {
				p := fieldPicture(t, k)
				if !interlaced {
					p.frame.flags = 0
				}
				comb = combing(t, p)
				want = append(want, start+codecs.Ticks(k)*3600)
				require.NoError(t, d.take(p, want[k], keep))
			}
			require.NoError(t, d.drain(keep))
			require.Equal(t, want, times)
			for k, sum := range sums[1:5] {
				if interlaced {
					require.Less(t, sum, comb/3, "picture %d", k+1)
				} else {
					require.Equal(t, comb, sum, "picture %d is to be left alone", k+1)
				}
			}
		})
	}
}

func TestDeinterlacingGoesOnWhenTheSizeChanges(t *testing.T) {
	var d deinterlacer
	defer d.filter.close()
	n := 0
	count := func(p codecs.Picture, _ codecs.Ticks) error {
		p.Release()
		n++
		return nil
	}
	for k, width := range []int{320, 320, 640, 640} {
		p := pattern(t, width, 360, k)
		p.frame.flags |= 1 << 3
		require.NoError(t, d.take(p, codecs.Ticks(k)*3600, count))
	}
	require.NoError(t, d.drain(count))
	require.Equal(t, 4, n)
}
