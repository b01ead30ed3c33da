package live_test

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/live"
)

// newDemandBench is a bench whose 1080p is on demand.
func newDemandBench(t *testing.T, opts live.Options) *bench {
	b := &bench{T: t, epoch: 1, now: start}
	opts.Now, opts.OnDemand, opts.Window = b.clock, true, 15*time.Second
	b.feeds = live.New(opts)
	b.claim(demandFeed())
	return b
}

func demandFeed() pipeline.Feed {
	f := testFeed()
	f.Ladder.Video[0].Encode = ladder.EncodeOnDemand
	return f
}

// always puts the parts of what is always encoded: segments [from, to).
func (b *bench) always(from, to int64) {
	for msn := from; msn < to; msn++ {
		b.alwaysParts(msn, 0, 6)
	}
}

func (b *bench) alwaysParts(msn int64, from, to int) {
	for i := from; i < to; i++ {
		b.part("540p", msn, i)
		b.part("sound", msn, i)
	}
}

// supply puts parts [from, to) of a segment without moving the clock.
func (b *bench) supply(msn int64, from, to int) {
	for i := from; i < to; i++ {
		require.NoError(b, b.feed.PutPart(b.epoch, newPart("1080p", msn, i)))
	}
}

func (b *bench) text(rendition string, form live.Form) string {
	return string(b.feed.Rendition(rendition).Snapshot().Playlist(form).Plain)
}

func TestAColdRenditionIsListedLikeTheOthers(t *testing.T) {
	b := newDemandBench(t, live.Options{})
	b.always(firstMSN, firstMSN+12)
	b.alwaysParts(firstMSN+12, 0, 3)
	for _, form := range []live.Form{{}, {Mode: live.Plain}, {Mode: live.Delta}} {
		plain := regexp.MustCompile(`init\.[0-9a-f]+|\.\./(1080p|540p)`)
		require.Equal(t, plain.ReplaceAllString(b.text("540p", form), ""), plain.ReplaceAllString(b.text("1080p", form), ""))
	}
	text, err := b.feed.Multivariant(b.clock(), false)
	require.NoError(t, err, "nobody waits for its first segment")
	require.Contains(t, string(text.Plain), "BANDWIDTH=7179200,AVERAGE-BANDWIDTH=5128000,CODECS=\"avc1.64001F,mp4a.40.2\",RESOLUTION=1920x1080")
	require.NotContains(t, string(text.Plain), "1080p/iframes.m3u8")
	require.NotContains(t, b.feed.State(), "1080p")
}

func TestWithoutAWayToSayDemandARenditionOnDemandIsLikeAnyOther(t *testing.T) {
	b := newBench(t, live.Options{})
	b.claim(demandFeed())
	b.always(firstMSN, firstMSN+3)
	_, err := b.feed.Multivariant(b.clock(), false)
	require.ErrorIs(t, err, live.ErrNotReady)
	require.False(t, b.feed.Rendition("1080p").OnDemand())
	require.Nil(t, b.feed.Demand())
}

func TestWhatIsWantedFirstIsWhereAPlayerBegins(t *testing.T) {
	b := newDemandBench(t, live.Options{})
	b.always(firstMSN, firstMSN+12)
	b.alwaysParts(firstMSN+12, 0, 2)
	r := b.feed.Rendition("1080p")
	snap := r.Snapshot()
	require.EqualValues(t, firstMSN+11, snap.Wanted(false), "0.96 s before the end")
	require.EqualValues(t, firstMSN+9, snap.Wanted(true), "6 s before the end")
	require.Empty(t, b.feed.Demand())
	r.Ask(firstMSN + 11)
	require.Equal(t, pipeline.Demand{"1080p": {From: pipeline.Position{MSN: firstMSN + 11}}}, b.feed.Demand())
	b.supply(firstMSN+11, 0, 4)
	require.Equal(t, pipeline.Position{MSN: firstMSN + 11, Part: 4}, b.feed.Demand()["1080p"].From)
	b.supply(firstMSN+11, 4, 6)
	b.supply(firstMSN+12, 0, 2)
	require.Equal(t, pipeline.Position{MSN: firstMSN + 12, Part: 2}, b.feed.Demand()["1080p"].From)
	require.Equal(t, pipeline.Position{MSN: firstMSN + 12, Part: 2}, b.feed.State()["1080p"], "a successor goes on there")
	r.Ask(firstMSN + 9)
	require.Equal(t, pipeline.Position{MSN: firstMSN + 9}, b.feed.Demand()["1080p"].From)
	r.Ask(firstMSN - 100)
	require.Equal(t, pipeline.Position{MSN: firstMSN + 9}, b.feed.Demand()["1080p"].From, "who plays the past goes on from the present")
	b.advance(pipeline.DemandHold)
	require.Empty(t, b.feed.Demand())
}

func (b *bench) advance(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

func TestPartsAreSuppliedInAnyOrderAndOnce(t *testing.T) {
	var cold []string
	b := newDemandBench(t, live.Options{ColdStart: func(_, name string, after time.Duration) { cold = append(cold, fmt.Sprint(name, after)) }})
	b.always(firstMSN, firstMSN+5)
	r := b.feed.Rendition("1080p")
	r.Ask(firstMSN + 3)
	b.advance(700 * time.Millisecond)
	before := b.text("1080p", live.Form{})
	for _, place := range []pipeline.Position{{MSN: firstMSN + 4}, {MSN: firstMSN + 3}} {
		for i := range 6 {
			_, err := r.Snapshot().Part(pipeline.Position{MSN: place.MSN, Part: i})
			require.ErrorIs(t, err, live.ErrPending)
			_, err = r.Snapshot().Segment(place.MSN)
			require.ErrorIs(t, err, live.ErrPending)
			b.supply(place.MSN, i, i+1)
			other := newPart("1080p", place.MSN, i)
			other.Data = []byte("another")
			require.NoError(t, b.feed.PutPart(1, other))
			m, err := r.Snapshot().Part(pipeline.Position{MSN: place.MSN, Part: i})
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("1080p %d.%d;", place.MSN, i), string(b.bytes(m)))
		}
		m, err := r.Snapshot().Segment(place.MSN)
		require.NoError(t, err)
		require.Len(t, b.bytes(m), 6*len(fmt.Sprintf("1080p %d.%d;", place.MSN, 0)))
	}
	require.Equal(t, before, b.text("1080p", live.Form{}), "a segment that is listed does not change")
	require.Equal(t, []string{"1080p700ms"}, cold, "once")
	wrong := newPart("1080p", firstMSN+2, 0)
	wrong.Duration++
	require.ErrorIs(t, b.feed.PutPart(1, wrong), live.ErrInvalid, "it was listed with another length")
}

func TestWhoAsksForWhatIsNotMadeYetWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newDemandBench(t, live.Options{})
		b.always(firstMSN, firstMSN+5)
		r := b.feed.Rendition("1080p")
		got := make(chan error, 2)
		go func() {
			_, err := r.WaitMedia(t.Context(), func(s *live.Snapshot) (live.Media, error) { return s.Segment(firstMSN + 4) })
			got <- err
		}()
		go func() {
			_, err := r.WaitMedia(t.Context(), func(s *live.Snapshot) (live.Media, error) { return s.Coming(pipeline.Position{MSN: firstMSN + 5}) })
			got <- err
		}()
		b.supply(firstMSN+4, 0, 5)
		synctest.Wait()
		require.Empty(t, got)
		b.supply(firstMSN+4, 5, 6)
		synctest.Wait()
		require.NoError(t, <-got)
		b.alwaysParts(firstMSN+5, 0, 1)
		synctest.Wait()
		require.Empty(t, got, "it is listed, but not there")
		b.supply(firstMSN+5, 0, 1)
		require.NoError(t, <-got)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := r.WaitMedia(ctx, func(s *live.Snapshot) (live.Media, error) { return s.Segment(firstMSN + 3) })
		require.ErrorIs(t, err, live.ErrPending)
	})
}

func TestASegmentIsAGapInTheDVRForGoodWhenNobodyAskedWhileItWasListed(t *testing.T) {
	withDemandStore(t, &shelf{files: map[string][]byte{}}, testGapsStay)
}

func testGapsStay(b *bench) {
	gaps := map[string]map[string]bool{"": {}, "dvr": {}}
	look := func() {
		for which, form := range map[string]live.Form{"": {}, "dvr": {DVR: true}} {
			for line, gap := range gapsOf(b.text("1080p", form)) {
				if was, ok := gaps[which][line]; ok {
					require.Equal(b, was, gap, "%s in %q came or went", line, which)
				}
				gaps[which][line] = gap
			}
		}
	}
	r := b.feed.Rendition("1080p")
	hot := func(msn int64) bool { return msn >= firstMSN+10 && msn < firstMSN+40 }
	for msn := int64(firstMSN); msn < firstMSN+300; msn++ {
		if hot(msn) {
			r.Ask(msn - 1)
			if msn == firstMSN+10 {
				b.supply(msn-1, 0, 6)
			}
		}
		for i := range 6 {
			b.alwaysParts(msn, i, i+1)
			if hot(msn) || r.Asked() {
				b.supply(msn, i, i+1)
			}
			synctest.Wait()
			if i%3 == 0 {
				look()
			}
		}
	}
	require.False(b, gaps[""][fmt.Sprint(firstMSN+5)], "what can be made is no gap in the live window")
	require.True(b, gaps["dvr"][fmt.Sprint(firstMSN+5)])
	require.True(b, gaps["dvr"][fmt.Sprint(firstMSN+9)], "it was listed as a gap, and stays one")
	require.False(b, gaps["dvr"][fmt.Sprint(firstMSN+20)])
	require.True(b, gaps["dvr"][fmt.Sprint(firstMSN+200)])
	_, err := r.Snapshot().Segment(firstMSN + 200)
	require.ErrorIs(b, err, live.ErrGone)
	_, err = r.Snapshot().Segment(firstMSN + 20)
	require.NoError(b, err)
}

// gapsOf returns for each segment of a playlist whether it is a gap.
func gapsOf(text string) map[string]bool {
	all, gap := map[string]bool{}, false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "#EXT-X-GAP":
			gap = true
		case line != "" && line[0] != '#':
			name := line[strings.LastIndex(line, "/")+1:]
			all[strings.TrimSuffix(name, ".m4s")] = gap
			gap = false
		}
	}
	return all
}

func TestARenditionThatIsMadeAheadOfTheOthersIsListedWithItsParts(t *testing.T) {
	b := newDemandBench(t, live.Options{})
	b.always(firstMSN, firstMSN+3)
	r := b.feed.Rendition("1080p")
	b.supply(firstMSN+3, 0, 2)
	require.Equal(t, pipeline.Position{MSN: firstMSN + 3, Part: 2}, r.Snapshot().Next())
	b.alwaysParts(firstMSN+3, 0, 4)
	require.Equal(t, pipeline.Position{MSN: firstMSN + 3, Part: 4}, r.Snapshot().Next())
	m, err := r.Snapshot().Part(pipeline.Position{MSN: firstMSN + 3, Part: 1})
	require.NoError(t, err)
	require.NoError(t, m.Close())
	_, err = r.Snapshot().Part(pipeline.Position{MSN: firstMSN + 3, Part: 2})
	require.ErrorIs(t, err, live.ErrPending)
}

func TestAfterARestartWhatIsInTheLiveWindowCanStillBeMade(t *testing.T) {
	store := &shelf{files: map[string][]byte{}}
	withDemandStore(t, store, func(b *bench) {
		b.always(firstMSN, firstMSN+4)
		b.feed.Rendition("1080p").Ask(firstMSN + 4)
		for msn := int64(firstMSN + 4); msn < firstMSN+8; msn++ {
			b.alwaysParts(msn, 0, 6)
			b.supply(msn, 0, 6)
		}
		b.always(firstMSN+8, firstMSN+10)
	})
	withDemandStore(t, store, func(b *bench) {
		b.always(firstMSN+10, firstMSN+12)
		snap := b.feed.Rendition("1080p").Snapshot()
		_, err := snap.Segment(firstMSN + 7)
		require.NoError(b, err)
		_, err = snap.Segment(firstMSN + 8)
		require.ErrorIs(b, err, live.ErrPending)
		b.supply(firstMSN+8, 0, 6)
		_, err = snap.Segment(firstMSN + 8)
		require.NoError(b, err)
	})
}

// withDemandStore runs a test with a bench whose 1080p is on demand and whose store is being filled.
func withDemandStore(t *testing.T, store live.Store, test func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, epoch: 1, now: start}
		b.feeds = live.New(live.Options{Store: store, OnDemand: true, Now: b.clock, Window: 15 * time.Second})
		ended := make(chan error)
		go func() { ended <- b.feeds.Run(t.Context()) }()
		t.Cleanup(func() { require.ErrorIs(t, <-ended, context.Canceled) })
		feed := demandFeed()
		feed.Ladder.DVR = time.Hour
		b.claim(feed)
		test(b)
		synctest.Wait()
	})
}

func (b *bench) bytes(m live.Media) []byte {
	defer m.Close()
	data, err := io.ReadAll(m)
	require.NoError(b, err)
	return data
}
