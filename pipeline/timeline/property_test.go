package timeline_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/timeline"
)

// FuzzTimelineHoldsItsPromises reads units of ten bytes: track and flags, RTP time, wait since the arrival before,
// and the camera's clock.
func FuzzTimelineHoldsItsPromises(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x28\x00\x00\x01\x01\x00\x00\x00\x00\x00\x28\x00\x00\x01"))
	f.Add([]byte("\x00\xff\xff\xff\xff\x00\x28\x00\x00\x01\x00\x00\x00\x0e\x0f\x00\x28\x00\x00\x01\x02\x00\x00\x00\x00\xff\xff\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		line := timeline.New(timeline.Options{})
		session := line.Session(tracks)
		arrival, lastAudio := start, codecs.Ticks(0)
		for ; len(data) >= 10; data = data[10:] {
			track := int(data[0] & 1)
			if data[0]&2 != 0 {
				session = line.Session(tracks)
			}
			arrival += codecs.Ticks(binary.BigEndian.Uint16(data[5:])) * milli
			ntp := codecs.Ticks(int32(binary.BigEndian.Uint32(data[6:]))) << (data[0] >> 2)
			pts, ok := session.Stamp(track, binary.BigEndian.Uint32(data[1:]), arrival, ntp)
			if !ok {
				require.Equal(t, 1, track, "video is never dropped")
				continue
			}
			off := (pts - arrival).Duration()
			require.LessOrEqual(t, off, 2*time.Second)
			require.GreaterOrEqual(t, off, -7*time.Second)
			if track == 1 {
				require.Greater(t, pts, lastAudio, "audio never goes back")
				lastAudio = pts
			}
		}
	})
}

func FuzzAnyClockIsSurvived(f *testing.F) {
	f.Add(uint32(0), uint32(1<<31), int64(start), int64(start), int64(0), int64(1))
	f.Add(uint32(1<<32-1), uint32(0), int64(-1<<63), int64(1<<63-1), int64(1<<63-1), int64(-1<<63))
	f.Fuzz(func(t *testing.T, rtp1, rtp2 uint32, arrival1, arrival2, ntp1, ntp2 int64) {
		s := timeline.New(timeline.Options{}).Session(tracks)
		snapper := timeline.NewSnapper(grid25)
		for i := range 8 {
			for track := range tracks {
				pts, _ := s.Stamp(track, rtp1, codecs.Ticks(arrival1), codecs.Ticks(ntp1))
				snapper.Snap(pts)
				pts, _ = s.Stamp(track, rtp2*uint32(i), codecs.Ticks(arrival2), codecs.Ticks(ntp2))
				snapper.Snap(pts)
			}
		}
		pts := make([]codecs.Ticks, 24)
		for i := range pts {
			pts[i] = codecs.Ticks(arrival1 + int64(i)*arrival2)
		}
		timeline.EstimateRate(pts)
	})
}
