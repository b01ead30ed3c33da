//go:build cgo

package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/cmd/internal/watch/frames"
)

var start = time.Unix(1_800_000_000, 0)

// shown returns pictures with these numbers, each taken at 25 per second; 0 is one without a bar.
func shown(numbers ...uint32) (list []frames.Frame) {
	for _, n := range numbers {
		taken := start.Add(time.Duration(n) * time.Second / frameRate)
		list = append(list, frames.Frame{Readable: n > 0, Number: n, Captured: taken})
	}
	return list
}

func TestEveryPictureThatIsNotThereOnceAndInOrderIsSeen(t *testing.T) {
	restarted := shown(7, 8, 1, 2)
	for i := 2; i < 4; i++ {
		restarted[i].Captured = start.Add(time.Hour + time.Duration(i)*time.Second)
	}
	for _, c := range []struct {
		name string
		list []frames.Frame
		want figures
	}{
		{"whole", shown(1, 2, 3), figures{Frames: 3}},
		{"missing", shown(1, 2, 5), figures{Frames: 3, FramesMissing: 2}},
		{"repeated", shown(1, 2, 2, 2, 5), figures{Frames: 5, FramesDoubled: 2, FramesMissing: 2, Stale: 0.08}},
		{"out of order", shown(1, 3, 2, 4), figures{Frames: 4, FramesMissing: 1, FramesBackward: 1, Stale: 0.04}},
		{"slate", shown(1, 0, 0, 0, 2), figures{Frames: 5, Unreadable: 3, Stale: 0.12}},
		{"another camera", restarted, figures{Frames: 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := figures{}
			f.look(c.list)
			require.Equal(t, c.want, f)
		})
	}
}

func TestWhatIsMissingDoubledOrChangedFails(t *testing.T) {
	whole := figures{Segments: 1}
	whole.continuous()
	whole.everyFrame()
	require.Empty(t, whole.Failed)
	for name, f := range map[string]figures{
		"nothing": {}, "missing": {Segments: 1, Missing: 1}, "gap": {Segments: 1, Gaps: 1}, "doubled": {Segments: 1, Doubled: 1},
		"changed": {Segments: 1, Changed: 1}, "sequence": {Segments: 1, Sequence: 1}, "discontinuity": {Segments: 1, Discontinuities: 1},
		"hole": {Segments: 1, HoleTicks: 1}, "overlap": {Segments: 1, OverlapTicks: 1}, "other": {Segments: 1, OtherFaults: 1}, "made anew": {Segments: 1, Remade: 1},
		"decoding": {Segments: 1, DecodeErrors: 1}, "order": {Segments: 1, FramesBackward: 1},
		"frame missing": {Segments: 1, FramesMissing: 1}, "frame doubled": {Segments: 1, FramesDoubled: 1}, "damage": {Segments: 1, Unreadable: 1},
	} {
		f.continuous()
		f.same()
		f.everyFrame()
		require.Len(t, f.Failed, 1, name)
	}
}

// parts returns arrivals at these times, in milliseconds after start, of consecutive parts.
func parts(ms ...int) *arrivals {
	a := newArrivals()
	for i, at := range ms {
		a.parts["360p"] = append(a.parts["360p"], arrival{start.Add(time.Duration(at) * time.Millisecond), 5000 + int64(i)})
	}
	return a
}

func TestThePauseAfterAFaultIsMeasured(t *testing.T) {
	moment := start.Add(700 * time.Millisecond)
	for _, c := range []struct {
		name         string
		parts        *arrivals
		next, behind time.Duration
	}{
		{"none", parts(0, 320, 640, 960, 1280), 260 * time.Millisecond, 0},
		{"at once", parts(0, 320, 640, 2640, 2650, 2660, 2670, 2680, 2690), 1940 * time.Millisecond, 1970 * time.Millisecond},
		{"after what was on its way", parts(0, 320, 640, 960, 2960, 2970), 2260 * time.Millisecond, 2270 * time.Millisecond},
		{"for good", parts(0, 320, 640), time.Hour, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.next, c.parts.nextAfter(moment))
			require.Equal(t, c.behind, c.parts.behindFor(moment))
		})
	}
}

func TestTheTableHasALineForEachFaultWithItsWorst(t *testing.T) {
	got := table([]figures{
		{Fault: "a", NextPart: 1, Missing: 2}, {Fault: "a", NextPart: 3, Failed: []string{"x"}}, {Fault: "a", NextPart: 2}, {Fault: "b", Stale: 1.5},
	})
	require.Regexp(t, `(?m)^a +3 +1 +2/0/0/0 .* 2\.00/3\.00 s `, got)
	require.Regexp(t, `(?m)^b +1 +0 .* 1\.50 s `, got)
}
