package grid_test

import (
	"fmt"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/grid"
)

// The targets are 2 s and 320 ms. At 25 frames a second the nearest length at which audio and video meet is 1.92 s.
func ExampleNew() {
	now := codecs.TicksAt(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	g, err := grid.New(codecs.Rational{Num: 25, Den: 1}, 2*time.Second, 320*time.Millisecond, now)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("segments of", g.Step(), "in", g.Parts(), "parts of", g.PartTarget())

	k := g.FrameAt(now)
	fmt.Println("frame", k, "is in part", g.Part(k), "of segment", g.Segment(k))
	fmt.Println("which begins", g.SegmentTime(g.Segment(k)).Time().Format(time.RFC3339Nano))
	// Output:
	// segments of 1.92s in 6 parts of 320ms
	// frame 4485600 is in part 0 of segment 93450
	// which begins 2026-11-22T12:00:00Z
}
