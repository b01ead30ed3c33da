package transcode

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// One picture in five is missing: its frame number is a repeat.
func BenchmarkConform(b *testing.B) {
	live, frame := 0, int64(0)
	c := &conform{
		slate: func() (*shot, error) { return newShot(newPicture("slate", &live), 3), nil }, slateAfter: 25, next: -1,
		count: func(string, int64) {}, show: func(int64, *shot) error { return nil },
	}
	defer c.close()
	b.ReportAllocs()
	for b.Loop() {
		frame++
		if frame%5 == 0 {
			frame++
		}
		require.NoError(b, c.picture(frame, newShot(newPicture("a", &live), 3)))
	}
}
