package transcode

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var testFeed = pipeline.Feed{
	ID:   "court-1",
	Grid: grid.Grid{FrameRate: codecs.Rational{Num: 25, Den: 1}, StepFrames: 48, PartFrames: 8},
	Ladder: ladder.Ladder{
		Video: []ladder.Video{
			{Name: "high", Width: 640, Height: 360, Codec: codecs.H264, Divisor: 1},
			{Name: "low", Width: 320, Height: 180, Codec: codecs.H264, Divisor: 2},
		},
		Audio: []ladder.Audio{{Name: "sound"}, {Name: "opus", Codec: codecs.Opus}},
	},
}

const firstFrame = 1000*48 - 11 // the source begins in the middle of a segment

// records is a source of n frames with a random access unit every 10th and sound for each; without those that drop names.
func records(n int, drop func(i int) bool) (out []pipeline.Record) {
	g, seq := testFeed.Grid, uint64(1)
	add := func(f codecs.Codec, u codecs.AccessUnit) {
		out = append(out, pipeline.Record{
			Seq: seq, Epoch: 1, Bundle: &codecs.Bundle{Format: codecs.Format{Codec: f}, Units: []codecs.AccessUnit{u}},
		})
		seq++
	}
	samples := g.SampleAt(g.FrameTime(firstFrame)) / 960 * 960
	for i := range n {
		k := int64(firstFrame + i)
		if !drop(i) {
			add(codecs.H264, codecs.AccessUnit{PTS: g.FrameTime(k), RandomAccess: i%10 == 0, Data: fmt.Appendf(nil, "%d", k)})
		}
		for ; g.SampleTime(samples) < g.FrameTime(k); samples += 960 {
			add(codecs.AAC, codecs.AccessUnit{PTS: g.SampleTime(samples), RandomAccess: true, Data: binary.BigEndian.AppendUint64(nil, uint64(samples))})
		}
	}
	return out
}

func nothing(int) bool { return false }

// transcode runs a worker over the records from seq on until it has made all it can, or the origin's limit cuts it off.
func transcode(t *testing.T, from []pipeline.Record, seq uint64, o *fakeOrigin, resume pipeline.State) (done []uint64) {
	t.Helper()
	engine := &fakeEngine{}
	w, err := New(Options{
		Feed: testFeed, Epoch: 1, Resume: resume, Video: engine, Audio: engine, Out: o, Meter: noMeter{}, Drain: time.Millisecond,
		Open: func(context.Context) (Reader, error) { return &fakeReader{from[max(seq, 1)-1:]}, nil },
		Done: func(_ context.Context, seq uint64, _ int64) error { done = append(done, seq); return nil },
	})
	require.NoError(t, err)
	o.run(t, w)
	require.Zero(t, engine.live, "native objects left")
	return done
}

// samplesOf returns what a rendition's parts hold, by decode time, and checks that there is no hole.
func samplesOf(t *testing.T, parts []pipeline.Part) (data []string) {
	t.Helper()
	var next uint64
	for i, p := range parts {
		fragments, err := cmaf.ParseFragments(p.Data)
		require.NoError(t, err)
		require.Len(t, fragments, 1)
		f := fragments[0]
		if i > 0 {
			require.Equal(t, next, f.BaseTime, "part %d.%d", p.MSN, p.Index)
		}
		next = f.BaseTime + f.Duration()
		require.EqualValues(t, p.Duration, f.Duration())
		shown := make([]string, len(f.Samples))
		at, per := f.BaseTime, uint64(f.Samples[0].Duration)
		for _, s := range f.Samples {
			place := int64(at) + int64(s.CompositionOffset) - int64(f.BaseTime)
			shown[place/int64(per)] = string(s.Data)
			at += uint64(s.Duration)
		}
		data = append(data, shown...)
	}
	return data
}

func TestPartsBeginWithASegmentAndHoldEveryFrameInOrder(t *testing.T) {
	o := newOrigin(0)
	transcode(t, records(400, nothing), 1, o, nil)
	high := o.parts["high"]
	require.EqualValues(t, 1000, high[0].MSN)
	require.Zero(t, high[0].Index)
	for i, s := range samplesOf(t, high) {
		require.Equal(t, fmt.Sprint(1000*48+i), s[5:])
	}
	for i, s := range samplesOf(t, o.parts["low"]) {
		require.Equal(t, fmt.Sprint(1000*48+2*i), s[5:])
	}
	for i, s := range samplesOf(t, o.parts["sound"]) {
		sample := int64(1000*90+i) * 1024
		require.Equal(t, fmt.Sprintf("%d:%v", sample, float32((sample+1024)%(1<<20))), s)
	}
	for i, s := range samplesOf(t, o.parts["opus"]) { // 96 frames in a segment; the first sample that is encoded with each is 120 later
		sample := int64(1000*96+i) * 960
		require.Equal(t, fmt.Sprintf("%d:%v", sample, float32((sample+120)%(1<<20))), s)
	}
	for name, parts := range o.parts {
		require.GreaterOrEqual(t, len(parts), 6*7, name)
		for i, p := range parts {
			require.Equal(t, pipeline.Position{MSN: 1000 + int64(i/6), Part: i % 6}, p.Position(), name)
			require.Equal(t, i%6 == 0 || p.Kind == codecs.Audio, p.Independent, name)
		}
	}
}

func TestMissingPicturesAreRepeatedAndNumbersGoOn(t *testing.T) {
	o := newOrigin(0)
	transcode(t, records(400, func(i int) bool { return i > 40 && i < 60 }), 1, o, nil)
	got := samplesOf(t, o.parts["high"])
	require.Greater(t, len(got), 300)
	for i := range got {
		want := 1000*48 + i
		if from := firstFrame + 40; want > from && want < firstFrame+60 {
			want = from
		}
		require.Equal(t, fmt.Sprint(want), got[i][5:])
	}
}

// Wherever a worker is cut off, its successor goes on with the next part, and what both made together is what one alone
// would have made: names, numbers, decode times and pictures.
func TestASuccessorGoesOnAtAnyPartAsIfNothingHadHappened(t *testing.T) {
	all := records(400, func(i int) bool { return i > 100 && i < 120 })
	whole := newOrigin(0)
	transcode(t, all, 1, whole, nil)
	for cut := 1; cut < 20; cut += 3 {
		t.Run(fmt.Sprintf("after %d parts", cut), func(t *testing.T) {
			o := newOrigin(cut)
			done := transcode(t, all, 1, o, nil)
			seq := uint64(1)
			if len(done) > 0 {
				seq = done[len(done)-1]
			}
			resume := o.state(testFeed.Grid)
			o.limit = 0
			transcode(t, all, seq, o, resume)
			for name, want := range whole.parts {
				got := o.parts[name]
				require.Len(t, got, len(want), name)
				require.Equal(t, samplesOf(t, want), samplesOf(t, got), name)
				for i := range got {
					require.Equal(t, want[i].Position(), got[i].Position(), name)
					require.Equal(t, want[i].Duration, got[i].Duration, name)
				}
				require.True(t, got[cut].Independent, "%s resumes with a random access picture", name)
			}
		})
	}
}

// leavingReader ends a context before it hands out a record.
type leavingReader struct {
	fakeReader
	before int
	leave  func()
}

func (r *leavingReader) Next(ctx context.Context) (pipeline.Record, error) {
	r.before--
	if r.before == 0 {
		r.leave()
	}
	return r.fakeReader.Next(ctx)
}

func TestAWorkerThatIsToldToEndFinishesThePartInProgress(t *testing.T) {
	for before := 200; before < 216; before += 3 {
		o, engine := newOrigin(0), &fakeEngine{}
		ctx, leave := context.WithCancel(t.Context())
		w, err := New(Options{
			Feed: testFeed, Epoch: 1, Video: engine, Audio: engine, Out: o, Meter: noMeter{}, Drain: time.Minute,
			Open: func(context.Context) (Reader, error) {
				return &leavingReader{fakeReader{records(400, nothing)}, before, leave}, nil
			},
		})
		require.NoError(t, err)
		require.ErrorIs(t, w.Run(ctx), context.Canceled)
		require.Zero(t, engine.live, "native objects left")
		high, low := o.parts["high"], o.parts["low"]
		require.Greater(t, len(high), 6)
		require.Len(t, low, len(high))
		require.Less(t, len(high), 20, "nothing is begun any more")
		samplesOf(t, high)
	}
}

func TestBadUnitsDoNotEndTheFeed(t *testing.T) {
	all := records(300, nothing)
	for i := range all {
		if b := all[i].Bundle; i%37 == 0 && b.Format.Codec == codecs.H264 {
			b.Units[0].Data = []byte("bad")
		}
	}
	o := newOrigin(0)
	transcode(t, all, 1, o, nil)
	require.Greater(t, len(o.parts["high"]), 30)
}
