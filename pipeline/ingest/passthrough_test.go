package ingest_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/ingest"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

// fixed is a camera at 25 pictures per second with a random access picture every interval pictures, the first at offset.
type fixed struct {
	interval, offset int
	codec            codecs.Codec
	fps              int64                       // of the ladder; 0: the camera's
	unit             func(i int, u *ingest.Unit) // may alter a picture
}

const (
	sps640 = "6742c01ed900a02ff97011000003000100000300320f162e48" // 640×360, Baseline
	pps640 = "68ef8fcb"
)

func units(t testing.TB, nalus ...string) []byte {
	t.Helper()
	b, err := hex.DecodeString("00000001" + strings.Join(nalus, "00000001"))
	require.NoError(t, err)
	return b
}

func (c *fixed) session(t *testing.T) func(ctx context.Context, s ingest.Sink) error {
	return func(ctx context.Context, s ingest.Sink) error {
		s.Begin([]ingest.Track{{Format: codecs.Format{Codec: c.codec}, ClockRate: 90000}})
		for i := 0; i < 700 && ctx.Err() == nil; i++ {
			u := ingest.Unit{RTP: uint32(77777 + i*3600), Arrival: time.Now(), Data: append([]byte{0, 0, 0, 1, 0x41, 0xff}, fmt.Sprint(i)...)}
			if i%c.interval == c.offset {
				u.RandomAccess, u.Picture = true, ingest.Picture{Width: 640, Height: 360}
				u.Data = append(units(t, sps640, pps640), append([]byte{0, 0, 0, 1, 0x65, 0xbf}, fmt.Sprint(i)...)...)
			}
			if c.unit != nil {
				c.unit(i, &u)
			}
			s.Unit(u)
			time.Sleep(40 * time.Millisecond)
		}
		<-ctx.Done()
		return context.Cause(ctx)
	}
}

// passed takes in the camera with passthrough and returns what was stored and what was logged.
func passed(t *testing.T, c *fixed) (v *venue, log string) {
	t.Helper()
	v = &venue{dropped: map[string]int{}}
	var out bytes.Buffer
	in := ingest.New(ingest.Options{
		ID: "court-1", Source: &camera{sessions: []func(context.Context, ingest.Sink) error{c.session(t)}}, Bus: v, Registry: v, Meter: v,
		Log: slog.New(slog.NewTextHandler(&out, nil)),
		Ladder: ladder.Ladder{
			Segment: 2 * time.Second, Part: 320 * time.Millisecond, Passthrough: true, FrameRate: codecs.Rational{Num: c.fps, Den: 1},
			Video: []ladder.Video{
				{Name: "high", Height: 360, Bitrate: 1_000_000, Codec: codecs.H264, Divisor: 1},
				{Name: "low", Height: 180, Bitrate: 500_000, Codec: codecs.H264, Divisor: 1},
			},
		},
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.ErrorIs(t, in.Run(ctx), context.DeadlineExceeded)
	require.NotNil(t, v.feed)
	return v, out.String()
}

func TestSegmentsBeginWithTheCamerasRandomAccessPictures(t *testing.T) {
	for _, c := range []struct{ interval, step int }{{48, 48}, {50, 50}, {25, 50}, {24, 48}, {12, 48}, {64, 64}} {
		for _, offset := range []int{0, 7, c.interval - 1} {
			t.Run(fmt.Sprintf("every %d from %d", c.interval, offset), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					v, log := passed(t, &fixed{interval: c.interval, offset: offset, codec: codecs.H264})
					f := v.feed
					require.NotNil(t, f.Passthrough, log)
					require.EqualValues(t, c.step, f.Grid.StepFrames)
					require.NoError(t, f.Validate())
					require.Equal(t, "high", f.Passthrough.Rendition)
					require.Equal(t, units(t, sps640, pps640), f.Passthrough.ParameterSets)
					require.Equal(t, 1, f.Ladder.Video[0].SetID, "the camera's sets have id 0")
					require.Equal(t, "libx264", f.Ladder.Video[0].Encoder)
					require.Equal(t, 2*c.interval > c.step, strings.Contains(log, "only until its clock drifts"), log)
					starts, n := 0, 0
					for _, r := range v.records {
						if r.Bundle == nil {
							continue
						}
						u := r.Bundle.Units[0]
						if k := f.Grid.FrameAt(u.PTS); f.Grid.PartFrame(f.Grid.Segment(k), 0) == k {
							starts++
							require.True(t, u.RandomAccess, "picture %d", n)
						}
						n++
					}
					require.Greater(t, n, 350, "none is lost while the camera is watched")
					require.Greater(t, starts, 5)
				})
			})
		}
	}
}

func TestACameraThatCannotBePassedThroughIsEncodedOnTheDefaultGrid(t *testing.T) {
	for _, c := range []struct {
		name   string
		camera fixed
		reason string
	}{
		{"long interval", fixed{interval: 100, codec: codecs.H264}, "I-frame interval is 100 pictures"},
		{"one IDR only", fixed{interval: 1000, codec: codecs.H264}, "too few to know their interval"},
		{"times that stand still", fixed{interval: 50, codec: codecs.H264, fps: 25, unit: func(_ int, u *ingest.Unit) {
			u.RTP = 7
		}}, "its frame rate is not that of rendition high"},
		{"another frame rate than the ladder's", fixed{interval: 50, codec: codecs.H264, fps: 30}, "its frame rate is not that of rendition high"},
		{"H.265", fixed{interval: 50, codec: codecs.H265}, "it sends h265, want h264"},
		{"B-pictures", fixed{interval: 50, codec: codecs.H264, unit: func(i int, u *ingest.Unit) {
			if i == 60 {
				u.Data = []byte{0, 0, 0, 1, 0x41, 0b1_010_1_111}
			}
		}}, "B-pictures"},
		{"interval changes", fixed{interval: 50, codec: codecs.H264, unit: func(i int, u *ingest.Unit) {
			if i == 20 {
				u.RandomAccess, u.Data = true, append(units(t, sps640, pps640), 0, 0, 0, 1, 0x65, 0xbf)
			}
		}}, "I-frame interval changes, 20 and 30 pictures"},
		{"parameter sets change", fixed{interval: 50, codec: codecs.H264, unit: func(i int, u *ingest.Unit) {
			if i == 50 {
				u.Data = bytes.Replace(u.Data, []byte{0x42, 0xc0, 0x1e}, []byte{0x42, 0xc0, 0x20}, 1)
			}
		}}, "parameter sets change"},
		{"too many bits", fixed{interval: 50, codec: codecs.H264, unit: func(_ int, u *ingest.Unit) {
			u.Data = append(u.Data, bytes.Repeat([]byte{0xff}, 8000)...)
		}}, "kbit/s, rendition high may have 1000"},
		{"another size", fixed{interval: 50, codec: codecs.H264, unit: func(_ int, u *ingest.Unit) {
			if u.RandomAccess {
				u.Picture = ingest.Picture{Width: 1280, Height: 720}
			}
		}}, "its pictures have 1280×720, rendition high has 640×360"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, log := passed(t, &c.camera)
				require.Nil(t, v.feed.Passthrough)
				require.Contains(t, []int64{48, 64}, v.feed.Grid.StepFrames, "that of 25 or 30 pictures per second")
				require.Zero(t, int64(v.feed.Grid.Epoch)%(96096*codecs.TicksPerSecond), "the venue's epoch")
				require.Contains(t, log, c.reason)
				require.Regexp(t, "I-frame interval (12 or 24|16 or 32)", log)
			})
		})
	}
}
