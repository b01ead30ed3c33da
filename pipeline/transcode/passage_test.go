package transcode

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/pipeline"
)

// The camera's parameter sets: those of the fake encoder with id 1.
const (
	cameraSPS = "6742c01e5640280bfe5c0440000003004000000c83c58b92"
	cameraPPS = "684af8fcb0"
	otherSPS  = "6742c0205640280bfe5c0440000003004000000c83c58b92" // level 3.2 instead of 3
)

func passFeed() pipeline.Feed {
	f := testFeed
	f.Ladder.Video = append(f.Ladder.Video[:0:0], f.Ladder.Video...)
	f.Ladder.Audio = nil
	f.Ladder.Video[0].Bitrate = 1_000_000
	f.Passthrough = &pipeline.Passthrough{Rendition: "high", ParameterSets: unhex(cameraSPS, cameraPPS)}
	return f
}

func unhex(nalus ...string) []byte {
	b, err := hex.DecodeString("00000001" + strings.Join(nalus, "00000001"))
	if err != nil {
		panic(err)
	}
	return b
}

// cameraUnit is one slice that begins at macroblock 0 and uses picture parameter set 1, and holds the frame's number.
func cameraUnit(k int64, idr, b bool) []byte {
	head := []byte{0x41, 0b1_1_010_111} // slice type P
	switch {
	case idr:
		head = []byte{0x65, 0b1_011_010_1} // I
	case b:
		head = []byte{0x41, 0b1_010_010_1}
	}
	return append(append([]byte{0, 0, 0, 1}, head...), fmt.Sprint(k)...)
}

// passRecords is a camera with a random access unit every 48 frames, offset from the grid's. change may alter a unit, or leave
// it out by taking its data.
func passRecords(n int, offset int64, change func(k int64, u *codecs.AccessUnit)) (out []pipeline.Record) {
	g := testFeed.Grid
	for k := int64(firstFrame); k < firstFrame+int64(n); k++ {
		idr := (k-offset)%48 == 0
		u := codecs.AccessUnit{PTS: g.FrameTime(k), RandomAccess: idr, Data: cameraUnit(k, idr, false)}
		if idr {
			u.Data = append(unhex(cameraSPS, cameraPPS), u.Data...)
		}
		if change != nil {
			change(k, &u)
		}
		if u.Data == nil {
			continue
		}
		out = append(out, pipeline.Record{
			Seq: uint64(len(out) + 1), Epoch: 1,
			Bundle: &codecs.Bundle{Format: codecs.Format{Codec: codecs.H264}, Units: []codecs.AccessUnit{u}},
		})
	}
	return out
}

// outcomes keeps what became of segments.
type outcomes struct {
	noMeter
	mu  sync.Mutex
	all []string
}

func (o *outcomes) Segment(_, outcome string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, outcome)
}

func passThrough(t *testing.T, f pipeline.Feed, from []pipeline.Record, o *fakeOrigin, resume pipeline.State) []string {
	t.Helper()
	engine, meter := &fakeEngine{}, &outcomes{}
	w, err := New(Options{
		Feed: f, Epoch: 1, Resume: resume, Video: engine, Audio: engine, Out: o, Meter: meter, Drain: time.Millisecond,
		Open: func(context.Context) (Reader, error) { return &fakeReader{from}, nil },
	})
	require.NoError(t, err)
	o.run(t, w)
	require.Zero(t, engine.live, "native objects left")
	return meter.all
}

// seen is what a viewer sees of a frame.
type seen struct {
	picture string
	passed  bool
	key     bool // a random access picture begins here
}

// framesOf returns what the parts show, frame by frame, and checks that they follow each other without hole or overlap.
func framesOf(t *testing.T, parts []pipeline.Part) (all []seen) {
	t.Helper()
	g := testFeed.Grid
	for i, p := range parts {
		fragments, err := cmaf.ParseFragments(p.Data)
		require.NoError(t, err)
		f := fragments[0]
		if i > 0 {
			before := parts[i-1].Position()
			require.Equal(t, g.PartFrame(before.MSN, before.Part+1), g.PartFrame(p.MSN, p.Index))
		}
		start := uint64(g.PartFrame(p.MSN, p.Index)) * 3600
		require.Equal(t, start, f.BaseTime)
		require.EqualValues(t, 8*3600, f.Duration())
		require.Equal(t, p.Independent, f.Samples[0].Key)
		frames := make([]seen, 8)
		at := int64(0)
		for _, s := range f.Samples {
			require.EqualValues(t, len(s.Data)-4, binary.BigEndian.Uint32(s.Data), "one NAL unit, without parameter sets")
			k := (at + int64(s.CompositionOffset)) / 3600
			require.Empty(t, frames[k].picture, "two pictures for one frame")
			name, passed := string(s.Data[5:]), false
			if c := s.Data[5]; c >= 0x80 {
				name, passed = string(s.Data[6:]), true
			}
			frames[k] = seen{name, passed, s.Key}
			for range s.Duration/3600 - 1 {
				k++
				frames[k] = seen{name, passed, false}
			}
			at += int64(s.Duration)
		}
		all = append(all, frames...)
	}
	return all
}

func TestACameraThatFitsIsPassedUnchanged(t *testing.T) {
	o := newOrigin(0)
	outcome := passThrough(t, passFeed(), passRecords(400, 0, nil), o, nil)
	frames := framesOf(t, o.parts["high"])
	require.Greater(t, len(frames), 6*48)
	for i, f := range frames {
		require.Equal(t, seen{fmt.Sprint(1000*48 + i), true, i%48 == 0}, f)
	}
	require.NotEmpty(t, outcome)
	for _, s := range outcome {
		require.Equal(t, SegmentPassed, s)
	}
	require.NotEmpty(t, o.parts["low"])
	info, err := cmaf.ParseInit(o.inits["high"])
	require.NoError(t, err)
	require.Equal(t, append(unhex(fakeSPS, cameraSPS, fakePPS), unhex(cameraPPS)...), info.ParameterSets)
}

// Whatever a camera does, each frame shows the newest picture that could be decoded, and the grid's parts go on.
func TestWhatDoesNotFitIsEncoded(t *testing.T) {
	const m = 1001 * 48 // the segment in which it happens
	between := func(k, from, to int64) bool { return k >= m+from && k < m+to }
	for _, c := range []struct {
		name   string
		change func(k int64, u *codecs.AccessUnit)
		offset int64
		passed func(i int64) bool // the i-th frame from the segment's start on; others are
		reason string
	}{
		{"a hole within a part", func(k int64, u *codecs.AccessUnit) {
			if between(k, 10, 13) {
				u.Data = nil
			}
		}, 0, func(int64) bool { return true }, SegmentPassed},
		{"a hole at a part's start", func(k int64, u *codecs.AccessUnit) {
			if between(k, 15, 18) {
				u.Data = nil
			}
		}, 0, func(i int64) bool { return i < 16 }, segmentNoPicture},
		{"a segment without IDR", func(k int64, u *codecs.AccessUnit) {
			if k == m {
				u.RandomAccess, u.Data = false, cameraUnit(k, false, false)
			}
		}, 0, func(int64) bool { return false }, segmentNoAccess},
		{"other parameter sets", func(k int64, u *codecs.AccessUnit) {
			if k == m {
				u.Data = append(unhex(otherSPS, cameraPPS), cameraUnit(k, true, false)...)
			}
		}, 0, func(int64) bool { return false }, segmentSets},
		{"other parameter sets in the middle of a part", func(k int64, u *codecs.AccessUnit) {
			if k == m+27 {
				u.RandomAccess, u.Data = true, append(unhex(otherSPS, cameraPPS), cameraUnit(k, true, false)...)
			}
		}, 0, func(i int64) bool { return i < 27 }, segmentSets},
		{"a B-picture", func(k int64, u *codecs.AccessUnit) {
			if k == m+20 {
				u.Data = cameraUnit(k, false, true)
			}
		}, 0, func(i int64) bool { return i < 20 }, segmentReordered},
		{"a unit that cannot be decoded", func(k int64, u *codecs.AccessUnit) {
			if k == m+20 {
				u.Data = []byte("bad")
			}
		}, 0, func(i int64) bool { return i < 24 }, segmentNoPicture}, // shown longer up to the part's end
		{"an IDR soon after a hole", func(k int64, u *codecs.AccessUnit) {
			if between(k, 7, 12) {
				u.Data = nil
			}
			if k == m+13 {
				u.RandomAccess, u.Data = true, cameraUnit(k, true, false)
			}
		}, 0, func(i int64) bool { return i < 8 || i >= 13 }, segmentNoPicture},
		{"IDRs off the grid", nil, 13, func(i int64) bool { return i >= 13 }, segmentNoAccess},
		{"IDRs off the grid, two to a segment", func(k int64, u *codecs.AccessUnit) {
			if (k-7)%24 == 0 {
				u.RandomAccess, u.Data = true, cameraUnit(k, true, false)
			}
		}, 7, func(i int64) bool { return i >= 7 }, segmentNoAccess},
		{"IDRs too late in the segment", nil, 30, func(int64) bool { return false }, segmentNoAccess},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newOrigin(0)
			outcome := passThrough(t, passFeed(), passRecords(400, c.offset, c.change), o, nil)
			undecodable := c.name == "a unit that cannot be decoded"
			last := ""
			require.Equal(t, c.reason, outcome[1])
			frames := framesOf(t, o.parts["high"])
			require.Greater(t, len(frames), 4*48)
			for i, f := range frames {
				k := testFeed.Grid.PartFrame(o.parts["high"][0].MSN, 0) + int64(i)
				u := codecs.AccessUnit{Data: cameraUnit(k, false, false)}
				if c.change != nil {
					c.change(k, &u)
				}
				if u.Data != nil && (!undecodable || !between(k, 20, 24)) {
					last = fmt.Sprint(k)
				}
				want := c.offset != 0 && c.passed(k%48) || c.offset == 0 && (k < m || k >= m+48 || c.passed(k-m))
				require.Equal(t, want, f.passed, "frame %d of the segment", k-m)
				require.Equal(t, last, f.picture)
				if i > 0 && f.passed != frames[i-1].passed {
					require.True(t, f.key, "frame %d of the segment begins anew", k-m)
				}
			}
		})
	}
}

func TestACameraThatSendsTooMuchIsEncoded(t *testing.T) {
	f := passFeed()
	f.Ladder.Video[0].Bitrate = 1000
	o := newOrigin(0)
	outcome := passThrough(t, f, passRecords(400, 0, nil), o, nil)
	require.Equal(t, []string{SegmentPassed, segmentBitrate, segmentBitrate}, outcome[:3], "the first, before it is known, is passed")
}

// Wherever a worker that passes pictures is cut off, its successor's parts and its own show what one alone would have shown.
func TestASuccessorOfAPassageGoesOnAtAnyPart(t *testing.T) {
	all := passRecords(400, 0, func(k int64, u *codecs.AccessUnit) {
		if i := k - 1001*48; i > 20 && i < 40 {
			u.Data = nil
		}
	})
	whole := newOrigin(0)
	passThrough(t, passFeed(), all, whole, nil)
	want := framesOf(t, whole.parts["high"])
	for cut := 1; cut < 20; cut++ {
		t.Run(fmt.Sprintf("after %d parts", cut), func(t *testing.T) {
			o := newOrigin(cut)
			passThrough(t, passFeed(), all, o, nil)
			resume := o.state(testFeed.Grid)
			o.limit = 0
			passThrough(t, passFeed(), all, o, resume)
			got := framesOf(t, o.parts["high"])
			require.Len(t, got, len(want))
			for i := range got {
				require.Equal(t, want[i].picture, got[i].picture, "frame %d", i)
			}
			require.True(t, o.parts["high"][cut].Independent, "it begins with a random access picture")
			require.Equal(t, whole.inits, o.inits)
		})
	}
}

func TestAPassageGoesOffAndOnAtSegmentBoundaries(t *testing.T) {
	o, engine := newOrigin(0), &fakeEngine{}
	plans := map[int64]Plan{1002*48 + 5: {"high": RateOff}, 1004*48 + 40: {"high": RateHalf}}
	var w *Worker
	w, err := New(Options{
		Feed: passFeed(), Epoch: 1, Video: engine, Audio: engine, Out: o, Meter: noMeter{}, Drain: time.Millisecond,
		Open: func(context.Context) (Reader, error) {
			return &plannedReader{fakeReader{passRecords(400, 0, nil)}, func(rec pipeline.Record) {
				if p, ok := plans[testFeed.Grid.FrameAt(rec.Bundle.Units[0].PTS)]; ok {
					w.SetPlan(p)
				}
			}}, nil
		},
	})
	require.NoError(t, err)
	require.NoError(t, w.Run(t.Context()))
	require.Zero(t, engine.live, "native objects left")
	require.Len(t, o.gaps["high"], 2*6)
	before, after := o.parts["high"][:3*6], o.parts["high"][3*6:]
	require.EqualValues(t, 1005, after[0].MSN)
	for _, f := range append(framesOf(t, before), framesOf(t, after)...) {
		require.True(t, f.passed, "what is passed has all its pictures")
	}
}
