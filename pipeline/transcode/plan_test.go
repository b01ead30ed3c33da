package transcode

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/pipeline"
)

// plannedReader calls a function before it hands out each record. It runs on the source's goroutine, so what it does
// comes between two pictures.
type plannedReader struct {
	fakeReader
	before func(rec pipeline.Record)
}

func (r *plannedReader) Next(ctx context.Context) (pipeline.Record, error) {
	if len(r.records) > 0 {
		r.before(r.records[0])
	}
	return r.fakeReader.Next(ctx)
}

// runPlanned runs a worker to the end of the source; at gives it a plan before a frame.
func runPlanned(t *testing.T, first Plan, at map[int64]Plan) (o *fakeOrigin, switched []string, done int) {
	t.Helper()
	o, engine := newOrigin(0), &fakeEngine{}
	var w *Worker
	w, err := New(Options{
		Feed: testFeed, Epoch: 1, Video: engine, Audio: engine, Out: o, Meter: noMeter{}, Drain: time.Millisecond, Plan: first,
		Open: func(context.Context) (Reader, error) {
			return &plannedReader{fakeReader{records(1000, nothing)}, func(rec pipeline.Record) {
				if p, ok := at[testFeed.Grid.FrameAt(rec.Bundle.Units[0].PTS)]; ok {
					w.SetPlan(p)
				}
			}}, nil
		},
		Done: func(context.Context, uint64, int64) error { done++; return nil },
		Switched: func(name string, msn int64, r Rate) {
			switched = append(switched, fmt.Sprintf("%s %d %v", name, msn, r))
		},
	})
	require.NoError(t, err)
	require.NoError(t, w.Run(t.Context()))
	require.Zero(t, engine.live, "native objects left")
	return o, switched, done
}

// wholeSegments returns which segments a rendition has, and checks that each is whole, begins with an IDR, and holds
// exactly every step-th picture of its time, each shown for so long.
func wholeSegments(t *testing.T, parts []pipeline.Part, step func(msn int64) int64) (segments []int64) {
	t.Helper()
	g := testFeed.Grid
	for len(parts) >= g.Parts() {
		msn := parts[0].MSN
		segments = append(segments, msn)
		for i, p := range parts[:g.Parts()] {
			require.Equal(t, pipeline.Position{MSN: msn, Part: i}, p.Position())
			require.Equal(t, i == 0, p.Independent)
			f, err := cmaf.ParseFragments(p.Data)
			require.NoError(t, err)
			require.EqualValues(t, g.PartFrame(msn, i)*3600, f[0].BaseTime)
			require.EqualValues(t, g.PartFrames*3600, f[0].Duration())
		}
		for i, s := range samplesOf(t, parts[:g.Parts()]) {
			require.Equal(t, fmt.Sprint(g.PartFrame(msn, 0)+int64(i)*step(msn)), s[5:])
		}
		parts = parts[g.Parts():]
	}
	return segments
}

func every(n int64) func(int64) int64 { return func(int64) int64 { return n } }

func TestARenditionGoesOffAndOnAtSegmentBoundaries(t *testing.T) {
	// The plans come in the middle of a segment, and take effect with the next.
	off, on := Plan{"high": RateIdle}, Plan{}
	o, switched, done := runPlanned(t, nil, map[int64]Plan{1003*48 + 5: off, 1007*48 + 40: on, 1009*48 + 1: off, 1010*48 + 47: on})
	require.Equal(t, []string{"high 1004 idle", "high 1008 full", "high 1010 idle", "high 1011 full"}, switched)
	high := wholeSegments(t, o.parts["high"], every(1))
	require.Equal(t, []int64{1000, 1001, 1002, 1003, 1008, 1009, 1011, 1012, 1013, 1014, 1015, 1016, 1017, 1018, 1019}, high)
	require.Len(t, wholeSegments(t, o.parts["low"], every(2)), 20)
	require.Positive(t, done)
}

func TestTheOriginIsToldOfEachPartThatIsNotMade(t *testing.T) {
	o, _, _ := runPlanned(t, nil, map[int64]Plan{1003*48 + 5: {"high": RateOff}, 1005*48 + 40: nil})
	var gaps []pipeline.Position
	for _, p := range o.gaps["high"] {
		require.Empty(t, p.Data)
		require.Equal(t, o.parts["high"][0].Duration, p.Duration)
		require.Equal(t, o.parts["high"][0].Timescale, p.Timescale)
		gaps = append(gaps, p.Position())
	}
	var want []pipeline.Position
	for i := range 2 * testFeed.Grid.Parts() {
		want = append(want, pipeline.Position{MSN: 1004 + int64(i/testFeed.Grid.Parts()), Part: i % testFeed.Grid.Parts()})
	}
	require.Equal(t, want, gaps)
	require.Empty(t, o.gaps["low"])
}

func TestARenditionThatIsOffFromTheStartHasItsInitSection(t *testing.T) {
	o, _, done := runPlanned(t, Plan{"high": RateOff}, map[int64]Plan{1005 * 48: {}})
	require.Equal(t, []int64{1005, 1006}, wholeSegments(t, o.parts["high"], every(1))[:2])
	require.NotEmpty(t, o.inits["high"])
	always, _, _ := runPlanned(t, nil, nil)
	require.Equal(t, always.inits, o.inits)
	require.Positive(t, done, "nobody waits for it")
}

func TestHalfTheRateKeepsSegmentsAndParts(t *testing.T) {
	o, switched, _ := runPlanned(t, Plan{"high": RateHalf}, map[int64]Plan{
		1003*48 + 5: {"low": RateHalf}, 1006*48 + 30: {"high": RateHalf, "low": RateHalf}, 1008*48 + 1: {"high": RateOff}, 1010 * 48: {"high": RateHalf},
	})
	require.Equal(t, []string{
		"high 1004 full", "low 1004 half", "high 1007 half", "high 1009 off", "low 1009 full", "high 1010 half",
	}, switched)
	high := wholeSegments(t, o.parts["high"], func(msn int64) int64 {
		if msn >= 1004 && msn < 1007 {
			return 1
		}
		return 2
	})
	require.Equal(t, int64(1008), high[8])
	require.Equal(t, int64(1010), high[9])
	require.Len(t, wholeSegments(t, o.parts["low"], func(msn int64) int64 {
		if msn >= 1004 && msn < 1009 {
			return 4
		}
		return 2
	}), 20)
}

func TestHalfTheRateIsFullWherePartsWouldNotEndTogether(t *testing.T) {
	f := testFeed
	f.Grid.PartFrames, f.Grid.StepFrames = 6, 48
	w, err := New(Options{Feed: f})
	require.NoError(t, err)
	require.Equal(t, RateHalf, w.renditions[0].rateOf(Plan{"high": RateHalf}))
	require.Equal(t, RateFull, w.renditions[1].rateOf(Plan{"low": RateHalf}), "4 does not divide 6")
}

func TestPlansTogetherAllowWhatBothAllow(t *testing.T) {
	p := Plan{"a": RateOff, "b": RateHalf}
	require.Equal(t, Plan{"a": RateOff, "b": RateHalf, "c": RateHalf}, p.With(Plan{"a": RateHalf, "c": RateHalf}))
	require.Equal(t, Plan{"a": RateOff, "b": RateHalf}, p)
	require.Equal(t, Plan{"a": RateOff}, Plan(nil).With(Plan{"a": RateOff}))
}

func TestAPlanIsWrittenInWords(t *testing.T) {
	p := Plan{"a": RateOff, "b": RateHalf, "c": RateFull}
	text, err := json.Marshal(p)
	require.NoError(t, err)
	require.JSONEq(t, `{"a":"off","b":"half","c":"full"}`, string(text))
	var q Plan
	require.NoError(t, json.Unmarshal(text, &q))
	require.Equal(t, p, q)
	require.Error(t, json.Unmarshal([]byte(`{"a":"often"}`), &q))
}
