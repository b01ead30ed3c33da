package live_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/live"
)

func TestTheDVRGoesBackFartherThanTheLiveWindow(t *testing.T) {
	withStore(t, live.Options{Store: &shelf{files: map[string][]byte{}}}, 40*time.Second, func(b *bench) {
		b.settled(firstMSN, firstMSN+30)
		b.part("540p", firstMSN+30, 0)
		requireGolden(b.T, "dvr.m3u8", b.dvr("540p", live.Full))
		requireGolden(b.T, "dvr-delta.m3u8", b.dvr("540p", live.Delta))
		requireGolden(b.T, "dvr-plain.m3u8", b.dvr("540p", live.Plain))
		require.EqualValues(b, 8, requireReadable(b.T, b.playlist("540p", live.Plain)).Count())
		require.EqualValues(b, 21, requireReadable(b.T, b.dvr("540p", live.Plain)).Count())
	})
}

// Its length is no constant of the feed: the next session may say another, and nothing else changes.
func TestTheDVRGetsAnotherLengthFromTheNextSession(t *testing.T) {
	withStore(t, live.Options{Store: &shelf{files: map[string][]byte{}}}, 40*time.Second, func(b *bench) {
		b.settled(firstMSN, firstMSN+30)
		count := func() uint { return requireReadable(b.T, b.dvr("540p", live.Plain)).Count() }
		require.EqualValues(b, 21, count())

		b.epoch++
		state := b.claim(dvrFeed(time.Minute))
		require.Equal(b, pipeline.Position{MSN: firstMSN + 30}, state["540p"], "it goes on")
		b.settled(firstMSN+30, firstMSN+60)
		require.EqualValues(b, 32, count())
		require.NotContains(b, b.dvr("540p", live.Plain), "DISCONTINUITY\n")

		b.epoch++
		b.claim(dvrFeed(20 * time.Second))
		b.settled(firstMSN+60, firstMSN+61)
		require.EqualValues(b, 11, count())
	})
}

// A page is used from the second of its segments on only, so a window that begins anywhere shows both ways of rendering.
func TestPagesChangeNoByte(t *testing.T) {
	withStore(t, live.Options{Store: &shelf{files: map[string][]byte{}}}, time.Hour, func(b *bench) {
		b.settled(firstMSN, firstMSN+200)
		b.init("540p", "two")
		b.settled(firstMSN+200, firstMSN+500)
		snap := b.feed.Rendition("540p").Snapshot()
		text := snap.Playlist(live.Form{Mode: live.Plain, DVR: true})
		list := requireReadable(b.T, string(text.Plain))
		require.EqualValues(b, 500, list.Count())
		for i, s := range list.GetAllSegments() {
			require.Equal(b, fmt.Sprintf("../../../live/hall/540p/%d.m4s", firstMSN+i), s.URI)
			require.Equal(b, i == 200, s.Discontinuity)
		}
		require.Equal(b, 2, bytes.Count(text.Plain, []byte("EXT-X-MAP")))
		requireCoded(b.T, text)
	})
}

func TestPlaylistsWithoutPartsAreRenderedOncePerSegment(t *testing.T) {
	b := newBench(t, live.Options{})
	b.segments(firstMSN, firstMSN+3)
	form := live.Form{Mode: live.Plain}
	first := b.feed.Rendition("540p").Snapshot().Playlist(form)
	b.part("540p", firstMSN+3, 0)
	again := b.feed.Rendition("540p").Snapshot().Playlist(form)
	require.Same(t, &first.Plain[0], &again.Plain[0])
	for i := 1; i < 6; i++ {
		b.part("540p", firstMSN+3, i)
	}
	require.Contains(t, string(b.feed.Rendition("540p").Snapshot().Playlist(form).Plain), fmt.Sprintf("\n%d.m4s\n", firstMSN+3))
}
