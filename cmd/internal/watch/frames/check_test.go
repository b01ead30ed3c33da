package frames

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var zero = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// numbered returns frames 40 ms apart, shown 50 ms after they were taken.
func numbered(numbers ...uint32) []Frame {
	var list []Frame
	for _, n := range numbers {
		at := zero.Add(time.Duration(n) * 40 * time.Millisecond)
		list = append(list, Frame{Shown: at.Add(50 * time.Millisecond), Readable: true, Number: n, Captured: at})
	}
	return list
}

func TestOrderOfNumbers(t *testing.T) {
	cases := []struct {
		name                                   string
		frames                                 []Frame
		step                                   uint32
		missing, doubled, backward, unreadable int
	}{
		{"in order", numbered(7, 8, 9), 1, 0, 0, 0, 0},
		{"one missing", numbered(7, 9), 1, 1, 0, 0, 0},
		{"one doubled", numbered(7, 8, 8, 9), 1, 0, 1, 0, 0},
		{"two swapped", numbered(7, 9, 8, 10), 1, 2, 0, 1, 0},
		{"half the rate", numbered(8, 10, 12), 2, 0, 0, 0, 0},
		{"one missing at half the rate", numbered(8, 12), 2, 1, 0, 0, 0},
		{"unreadable between", append(append(numbered(7), Frame{}), numbered(8)...), 1, 0, 0, 0, 1},
	}
	for _, c := range cases {
		s := Check(c.frames, nil, CheckOptions{Step: c.step})
		require.Equal(t, []int{c.missing, c.doubled, c.backward, c.unreadable},
			[]int{s.Missing, s.Doubled, s.Backward, s.Unreadable}, c.name)
		require.Equal(t, c.missing+c.doubled+c.backward+c.unreadable == 0, s.InOrder(), c.name)
	}
	require.False(t, Check(nil, nil, CheckOptions{}).InOrder())
}

func TestSoundIsMeasuredAgainstThePicturesOfItsSecond(t *testing.T) {
	frames := numbered(24, 25, 26, 49, 50, 51)
	for _, i := range []int{1, 4} {
		frames[i].Flash = true // taken at 1 s and 2 s
	}
	beeps := []time.Time{
		zero.Add(1*time.Second + 60*time.Millisecond), // 10 ms after its picture
		zero.Add(2*time.Second + 80*time.Millisecond), // 30 ms
		zero.Add(3*time.Second + 50*time.Millisecond), // its pictures are not there
	}
	s := Check(frames, beeps, CheckOptions{})

	require.Equal(t, 2, s.Beeps)
	require.InDelta(t, 0.03, s.SoundMax, 1e-9)
	require.InDelta(t, 0.05, s.DateMedian, 1e-9)
}

func TestBeepBeginsWhereSilenceEnds(t *testing.T) {
	var o onsets
	sound := make([]float32, 48000)
	for i := range 4800 { // the recording begins within a beep
		sound[i], sound[24000+i] = 0.25, -0.25
	}
	for i := 0; i < len(sound); i += 1000 {
		o.listen(sound[i:i+1000], zero.Add(time.Duration(i)*time.Second/48000))
	}
	require.Equal(t, []time.Time{zero.Add(500 * time.Millisecond)}, o.times)
}
