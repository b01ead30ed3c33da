package timeline_test

import (
	"fmt"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/timeline"
)

// A camera's RTP time wraps, and then the camera restarts. The feed's time goes on.
func ExampleTimeline() {
	line := timeline.New(timeline.Options{
		Repaired: func(r timeline.Reason) { fmt.Println("repaired:", r) },
	})
	media := []timeline.Track{{Kind: codecs.Video, ClockRate: 90000}}
	now := codecs.TicksAt(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	frame := codecs.TicksIn(40 * time.Millisecond)

	session := line.Session(media)
	for i := range codecs.Ticks(3) {
		pts, _ := session.Stamp(0, 4294960096+uint32(i*frame), now+i*frame, 0)
		fmt.Println(pts.Time().Format("15:04:05.00"))
	}
	session = line.Session(media)
	pts, _ := session.Stamp(0, 0, now+10*codecs.TicksPerSecond, 0)
	fmt.Println(pts.Time().Format("15:04:05.00"))
	// Output:
	// 12:00:00.00
	// 12:00:00.04
	// repaired: wrap
	// 12:00:00.08
	// 12:00:10.00
}

func ExampleSnapper() {
	snapper := timeline.NewSnapper(grid25)
	first := snapper.Snap(start)
	for _, ms := range []codecs.Ticks{39, 83, 161, 200} { // the frame at 120 ms is missing
		fmt.Println(snapper.Snap(start+ms*milli) - first)
	}
	// Output:
	// 1
	// 2
	// 4
	// 5
}

func ExampleEstimateRate() {
	var pts []codecs.Ticks
	for i := range codecs.Ticks(100) {
		pts = append(pts, i*3003)
	}
	rate, ok := timeline.EstimateRate(pts)
	fmt.Println(rate, ok)
	// Output: 30000/1001 true
}
