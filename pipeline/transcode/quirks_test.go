package transcode

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
)

// TestTheGridForcesItsOwnKeyframes plays a camera that sends one random access unit and then none for a minute.
func TestTheGridForcesItsOwnKeyframes(t *testing.T) {
	all := records(60*25, nothing)
	for i := range all[1:] {
		if b := all[i+1].Bundle; b.Format.Codec == codecs.H264 {
			b.Units[0].RandomAccess = false
		}
	}
	o := newOrigin(0)
	transcode(t, all, 1, o, nil)
	high := o.parts["high"]
	require.Greater(t, len(high), 20)
	for _, p := range high {
		require.Equal(t, p.Index == 0, p.Independent, "part %d.%d", p.MSN, p.Index)
	}
	for i, s := range samplesOf(t, high) {
		require.Equal(t, fmt.Sprint(1000*48+i), s[5:])
	}
}

func TestACameraThatChangesItsCodecIsDecodedOn(t *testing.T) {
	all := records(400, nothing)
	for i := range all {
		if b := all[i].Bundle; i > len(all)/3 && i < 2*len(all)/3 && b.Format.Codec == codecs.H264 {
			b.Format.Codec = codecs.H265
		}
	}
	o, m := newOrigin(0), &reasons{}
	transcodeCounting(t, all, o, m)
	got := samplesOf(t, o.parts["high"])
	require.Greater(t, len(got), 200)
	for i, s := range got {
		require.Equal(t, fmt.Sprint(1000*48+i), s[5:], "every picture is there, before and after the changes")
	}
	require.EqualValues(t, 2, m.pictures[reasonCodec])
}

func TestACameraThatChangesItsSizeChangesNoRendition(t *testing.T) {
	all := records(400, nothing)
	for i := range all {
		if b := all[i].Bundle; i > len(all)/2 && b.Format.Codec == codecs.H264 {
			b.Units[0].Data = append([]byte("large "), b.Units[0].Data...)
		}
	}
	o, m := newOrigin(0), &reasons{}
	transcodeCounting(t, all, o, m)
	require.Greater(t, len(o.parts["high"]), 30)
	require.Len(t, o.inits, len(testFeed.Ladder.Names()), "one init section for each rendition: the fake origin refuses another")
	require.EqualValues(t, 1, m.pictures[reasonSize])
}

// reasons counts what is irregular.
type reasons struct {
	noMeter
	mu       sync.Mutex
	pictures map[string]int64
}

func (r *reasons) Pictures(reason string, n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pictures == nil {
		r.pictures = map[string]int64{}
	}
	r.pictures[reason] += n
}

// transcodeCounting runs a worker over all records.
func transcodeCounting(t *testing.T, all []pipeline.Record, o *fakeOrigin, m *reasons) {
	t.Helper()
	engine := &fakeEngine{}
	w, err := New(Options{
		Feed: testFeed, Epoch: 1, Video: engine, Audio: engine, Out: o, Meter: m,
		Open: func(context.Context) (Reader, error) { return &fakeReader{all}, nil },
	})
	require.NoError(t, err)
	require.NoError(t, w.Run(t.Context()))
	require.Zero(t, engine.live, "native objects left")
}

func TestSoundThatChangesItsFormatIsDecodedOn(t *testing.T) {
	all := records(400, nothing)
	for i := range all {
		if b := all[i].Bundle; i > len(all)/2 && b.Format.Codec == codecs.AAC {
			b.Format.Codec = codecs.PCMA
		}
	}
	o := newOrigin(0)
	transcode(t, all, 1, o, nil)
	for i, s := range samplesOf(t, o.parts["sound"]) {
		sample := int64(1000*90+i) * 1024
		require.Equal(t, fmt.Sprintf("%d:%v", sample, float32((sample+1024)%(1<<20))), s)
	}
}
