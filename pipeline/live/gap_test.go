package live_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/live"
)

func (b *bench) gap(rendition string, msn int64, index int) {
	p := newPart(rendition, msn, index)
	p.Gap, p.Independent, p.Data = true, false, nil
	require.NoError(b, b.feed.PutPart(b.epoch, p))
}

// TestARenditionThatIsNotMadeGoesOnAsGaps: its playlist keeps pace with the others, nobody waits for it in vain, and when
// it is made again nothing has changed.
func TestARenditionThatIsNotMadeGoesOnAsGaps(t *testing.T) {
	b := newBench(t, live.Options{})
	b.segments(firstMSN, firstMSN+2)
	const off, on = firstMSN + 2, firstMSN + 7
	for msn := int64(off); msn < on; msn++ {
		for i := range 6 {
			b.part("540p", msn, i)
			b.part("sound", msn, i)
			b.gap("1080p", msn, i)
			snap, err := b.feed.Rendition("1080p").Wait(t.Context(), pipeline.Position{MSN: msn, Part: i})
			require.NoError(t, err)
			require.NoError(t, snap.Err(b.now.Add(time.Second)))
		}
	}
	snap := b.feed.Rendition("1080p").Snapshot()
	require.NoError(t, snap.Err(b.now.Add(time.Second)), "it is not stale")
	require.Equal(t, pipeline.Position{MSN: on}, snap.Next())
	_, err := snap.Part(pipeline.Position{MSN: on - 1, Part: 3})
	require.ErrorIs(t, err, live.ErrGone)
	_, err = b.feed.Multivariant(b.now, false)
	require.NoError(t, err)
	require.Equal(t, 5, strings.Count(b.playlist("1080p", live.Plain), "#EXT-X-GAP\n"))

	b.segments(on, on+2)
	for _, mode := range []live.Mode{live.Plain, live.Full} {
		text := b.playlist("1080p", mode)
		require.NotContains(t, text, "DISCONTINUITY\n")
		require.Equal(t, 1, strings.Count(text, "#EXT-X-MAP"))
		requireReadable(t, text)
	}
	require.Contains(t, b.playlist("1080p", live.Full), `URI="1007.0.m4s",INDEPENDENT=YES`)
}

// A worker that does without a rendition goes on so with an origin that was started anew: the feed must not be dark until it is back.
func TestARenditionThatIsNotMadeFromTheBeginningHoldsUpNobody(t *testing.T) {
	b := newBench(t, live.Options{})
	for msn := int64(firstMSN); msn < firstMSN+3; msn++ {
		for i := range 6 {
			b.gap("1080p", msn, i)
			b.part("540p", msn, i)
			b.part("sound", msn, i)
		}
	}
	text, err := b.feed.Multivariant(b.now, false)
	require.NoError(t, err)
	require.Contains(t, string(text.Plain), "1080p/index.m3u8", "it is read once")
	require.Equal(t, 2, strings.Count(b.playlist("1080p", live.Plain), "#EXT-X-GAP\n"))
	b.segments(firstMSN+3, firstMSN+5)
	require.EqualValues(t, 4, requireReadable(t, b.playlist("1080p", live.Plain)).Count())
}

func TestAGapHasNoBytesAndBeginsNothing(t *testing.T) {
	b := newBench(t, live.Options{})
	p := newPart("540p", firstMSN, 0)
	p.Gap = true
	require.ErrorIs(t, b.feed.PutPart(1, p), live.ErrInvalid)
	b.gap("540p", firstMSN, 0)
	require.ErrorIs(t, b.feed.Rendition("540p").Snapshot().Err(b.now), live.ErrNotReady)
	require.Empty(t, b.feed.State())
}
