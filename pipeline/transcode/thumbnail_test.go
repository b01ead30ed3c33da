package transcode

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

// gallery is a coder, an origin and a meter of thumbnails.
type gallery struct {
	e       *fakeEngine
	opening error
	coding  error
	putting func(ctx context.Context) error

	mu    sync.Mutex
	put   []string
	notes map[string]int
	size  [2]int

	stored chan struct{} // has room for all
}

func (g *gallery) options(e *fakeEngine) *Thumbnails {
	g.e, g.notes, g.stored = e, map[string]int{}, make(chan struct{}, 100)
	return &Thumbnails{New: g.open, Out: g, Note: g.note}
}

func (g *gallery) open(width, height int) (JPEGCoder, error) {
	if g.opening != nil {
		return nil, g.opening
	}
	g.size = [2]int{width, height}
	g.e.add(1)
	return g, nil
}

func (g *gallery) JPEG(p codecs.Picture) ([]byte, error) {
	return []byte(p.(*fakePicture).name), g.coding
}

func (g *gallery) Close() { g.e.add(-1) }

func (g *gallery) PutThumbnail(ctx context.Context, t pipeline.Thumbnail) error {
	if g.putting != nil {
		if err := g.putting(ctx); err != nil {
			return err
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.put = append(g.put, fmt.Sprintf("%d:%s", t.MSN, t.Data))
	return nil
}

func (g *gallery) note(reason string, _ error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.notes[reason]++
	if reason == ThumbnailStored {
		g.stored <- struct{}{}
	}
}

// exhibit transcodes records with thumbnails, to the end of the source.
func exhibit(t *testing.T, from []pipeline.Record, g *gallery, paced bool) *fakeOrigin {
	t.Helper()
	e, o := &fakeEngine{}, newOrigin(0)
	var reader Reader = &fakeReader{from}
	if paced {
		reader = &pacedReader{fakeReader{from}, g}
	}
	w, err := New(Options{
		Feed: testFeed, Epoch: 1, Video: e, Audio: e, Out: o, Meter: noMeter{}, Thumbnails: g.options(e),
		Open: func(context.Context) (Reader, error) { return reader, nil },
	})
	require.NoError(t, err)
	require.NoError(t, w.Run(t.Context()))
	require.Zero(t, e.live, "native objects left")
	return o
}

// pacedReader gives out the first picture of a segment when the thumbnail of the one before is stored.
type pacedReader struct {
	fakeReader
	g *gallery
}

func (r *pacedReader) Next(ctx context.Context) (pipeline.Record, error) {
	rec, err := r.fakeReader.Next(ctx)
	if err != nil || rec.Bundle.Format.Codec.Kind() != codecs.Video {
		return rec, err
	}
	frame := testFeed.Grid.FrameAt(rec.Bundle.Units[0].PTS)
	if msn := testFeed.Grid.Segment(frame); msn > 1000 && frame == testFeed.Grid.PartFrame(msn, 0) {
		<-r.g.stored
	}
	return rec, nil
}

func TestEachSegmentHasTheThumbnailOfItsFirstPicture(t *testing.T) {
	g := &gallery{}
	exhibit(t, records(48*4, nothing), g, true)
	require.Equal(t, []string{"1000:48000", "1001:48048", "1002:48096", "1003:48144"}, g.put)
	require.Equal(t, map[string]int{ThumbnailStored: 4}, g.notes)
	require.Equal(t, [2]int{320, 180}, g.size)
}

func TestTheSlateHasAThumbnail(t *testing.T) {
	from := records(20, nothing)
	end := int64(firstFrame + 20)
	from = append(from, pipeline.Record{Seq: uint64(len(from) + 1), Epoch: 1, Absence: &pipeline.Absence{From: end, To: end + 48}})
	g := &gallery{}
	exhibit(t, from, g, false)
	require.Contains(t, g.put, "1001:slate")
}

func TestASlowOriginCostsThumbnailsAndNothingElse(t *testing.T) {
	release := make(chan struct{})
	var once sync.Once
	g := &gallery{}
	g.putting = func(context.Context) error {
		<-release // until one was left out
		return nil
	}
	e, o := &fakeEngine{}, newOrigin(0)
	thumbnails := g.options(e)
	thumbnails.Note = func(reason string, err error) {
		g.note(reason, err)
		if reason == ThumbnailSkipped {
			once.Do(func() { close(release) })
		}
	}
	from := records(48*6, nothing)
	w, err := New(Options{
		Feed: testFeed, Epoch: 1, Video: e, Audio: e, Out: o, Meter: noMeter{}, Thumbnails: thumbnails,
		Open: func(context.Context) (Reader, error) { return &fakeReader{from}, nil },
	})
	require.NoError(t, err)
	require.NoError(t, w.Run(t.Context()))
	require.Zero(t, e.live, "native objects left")
	require.Positive(t, g.notes[ThumbnailSkipped])
	require.Len(t, o.parts["high"], (48*6-11)/8, "all that is whole of what came after the first segment start")
}

func TestAFeedGoesOnWithoutThumbnails(t *testing.T) {
	bad := errors.New("bad")
	for name, g := range map[string]*gallery{
		"no coder": {opening: bad}, "no JPEG": {coding: bad},
		"refused": {putting: func(context.Context) error { return bad }},
		"fenced":  {putting: func(context.Context) error { return pipeline.ErrFenced }},
	} {
		t.Run(name, func(t *testing.T) {
			o := exhibit(t, records(100, nothing), g, false)
			require.NotEmpty(t, o.parts["high"])
			require.Empty(t, g.put)
			require.Positive(t, g.notes[ThumbnailFailed]+g.notes[ThumbnailLost])
		})
	}
}

func TestThumbnailsAreMadeOfTheSmallestPictureThatIsThereAndLargeEnough(t *testing.T) {
	e := &fakeEngine{}
	decoded, large, small, tiny := e.picture("decoded"), e.picture("large"), e.picture("small"), e.picture("tiny")
	video := []ladder.Video{{Height: 720}, {Height: 180}, {Height: 144}}
	for _, c := range []struct {
		want *fakePicture
		have []codecs.Picture
	}{
		{small, []codecs.Picture{decoded, large, small, tiny}},
		{large, []codecs.Picture{decoded, large, nil, tiny}}, // a rendition that is off, or has half the pictures
		{decoded, []codecs.Picture{decoded, nil, nil, tiny}},
	} {
		require.Same(t, c.want, smallest(&shot{sizes: c.have}, video))
	}
}

func TestThumbnailsKeepTheShapeOfThePicture(t *testing.T) {
	for _, c := range [][4]int{
		{1920, 1080, 320, 180}, {1440, 1080, 240, 180}, {1080, 1920, 100, 180}, {3840, 1080, 320, 90}, {160, 90, 160, 90}, {2, 4000, 2, 180},
	} {
		w, h := thumbnailSize(c[0], c[1])
		require.Equal(t, [2]int{c[2], c[3]}, [2]int{w, h})
	}
}
