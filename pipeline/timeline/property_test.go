package timeline_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/timeline"
)

// promises stamps units one by one and checks what holds for whatever a source sends.
type promises struct {
	t       *testing.T
	line    *timeline.Timeline
	session *timeline.Session
	arrival codecs.Ticks
	last    [2]codecs.Ticks // the highest PTS of each track
	before  [2]codecs.Ticks // the same, when the session began
}

func newPromises(t *testing.T) *promises {
	line := timeline.New(timeline.Options{})
	return &promises{t: t, line: line, session: line.Session(tracks), arrival: start}
}

func (p *promises) reconnect() { p.session, p.before = p.line.Session(tracks), p.last }

func (p *promises) stamp(track int, rtp uint32, wait, ntp codecs.Ticks) {
	p.arrival += wait
	pts, ok := p.session.Stamp(track, rtp, p.arrival, ntp)
	if !ok {
		require.Equal(p.t, 1, track, "video is never dropped")
		return
	}
	off := (pts - p.arrival).Duration()
	require.LessOrEqual(p.t, off, 2*time.Second)
	require.GreaterOrEqual(p.t, off, -7*time.Second)
	require.Greater(p.t, pts, p.before[track], "a new session goes on after the one before")
	if track == 1 {
		require.Greater(p.t, pts, p.last[track], "audio never goes back")
	}
	p.last[track] = max(p.last[track], pts)
}

// FuzzTimelineHoldsItsPromises reads units of ten bytes: track and flags, RTP time, the wait since the arrival before,
// and the camera's clock.
func FuzzTimelineHoldsItsPromises(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x00\x00\x00\x00\x00\x06\x28\x00\x00\x01\x01\x00\x00\x00\x00\x06\x28\x00\x00\x01"))
	f.Add([]byte("\x00\xff\xff\xff\xff\x06\x28\x00\x00\x01\x00\x00\x00\x0e\x0f\x06\x28\x00\x00\x01\x02\x00\x00\x00\x00\xff\xff\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := newPromises(t)
		for ; len(data) >= 10; data = data[10:] {
			if data[0]&2 != 0 {
				p.reconnect()
			}
			wait := codecs.Ticks(data[5]) * codecs.Ticks(data[5]) * milli // up to 65 s
			ntp := codecs.Ticks(int32(binary.BigEndian.Uint32(data[6:]))) << (data[0] >> 2)
			p.stamp(int(data[0]&1), binary.BigEndian.Uint32(data[1:]), wait, ntp)
		}
	})
}

// TestTimelineHoldsItsPromises plays sources that are mostly sane: each quirk is as likely as one unit in fifty.
func TestTimelineHoldsItsPromises(t *testing.T) {
	r := noise()
	steps := [2]uint32{3600, 1024}
	for range 100 {
		p := newPromises(t)
		rtp := [2]uint32{r.Uint32(), r.Uint32()}
		for range 1000 {
			track, wait, ntp := r.IntN(2), codecs.Ticks(r.Int64N(int64(30*milli))), codecs.Ticks(0)
			rtp[track] += steps[track]
			switch r.IntN(350) {
			case 0:
				rtp[track] = r.Uint32()
			case 1:
				rtp[track] += uint32(r.IntN(500_000))
			case 2:
				rtp[track] -= uint32(r.IntN(500_000))
			case 3:
				wait = codecs.Ticks(r.Int64N(int64(15 * second)))
			case 4:
				p.reconnect()
			case 5:
				ntp = codecs.Ticks(r.Int64())
			case 6:
				rtp[track] -= steps[track]
			}
			p.stamp(track, rtp[track], wait, ntp)
		}
	}
}

func FuzzAnyClockIsSurvived(f *testing.F) {
	f.Add(uint32(0), uint32(1<<31), int64(start), int64(start), int64(0), int64(1))
	f.Add(uint32(1<<32-1), uint32(0), int64(-1<<63), int64(1<<63-1), int64(1<<63-1), int64(-1<<63))
	f.Fuzz(func(_ *testing.T, rtp1, rtp2 uint32, arrival1, arrival2, ntp1, ntp2 int64) {
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
