package live_test

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gohlslib/v2/pkg/playlist"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/live"
)

const step = 1920 * time.Millisecond

func (b *bench) past(from, to time.Duration) *live.Past {
	past, err := b.feed.Past(start.Add(from), start.Add(to))
	require.NoError(b, err)
	return past
}

func TestAPieceOfThePastIsARecording(t *testing.T) {
	withStore(t, live.Options{Store: &shelf{files: map[string][]byte{}}}, 10*time.Minute, func(b *bench) {
		b.settled(firstMSN, firstMSN+20)
		past := b.past(2*step+500*time.Millisecond, 6*step+time.Millisecond)
		require.True(b, past.Complete())
		text, err := past.Playlist("540p", false)
		require.NoError(b, err)
		requireGolden(b.T, "past.m3u8", string(text.Plain))
		requireGolden(b.T, "past-multivariant.m3u8", string(past.Multivariant().Plain))

		read, err := playlist.Unmarshal(text.Plain)
		require.NoError(b, err)
		media := read.(*playlist.Media)
		require.True(b, media.Endlist)
		require.Equal(b, 500*time.Millisecond, media.Start.TimeOffset)
		require.Len(b, media.Segments, 5)
		require.EqualValues(b, 5, requireReadable(b.T, string(text.Plain)).Count())
	})
}

func TestAPieceEndsWhereTheLiveEdgeIs(t *testing.T) {
	b := newBench(t, live.Options{})
	b.segments(firstMSN, firstMSN+5)
	b.part("540p", firstMSN+5, 0)
	past := b.past(0, time.Hour)
	require.False(t, past.Complete())
	text, err := past.Playlist("sound", false)
	require.NoError(t, err)
	require.Contains(t, string(text.Plain), "1004.m4s\n#EXT-X-ENDLIST\n")
	require.NotContains(t, string(text.Plain), "START")
}

func TestThePlaylistsOfAPieceBeginAndEndTogether(t *testing.T) {
	b := newBench(t, live.Options{})
	b.segments(firstMSN, firstMSN+1)
	for msn := int64(firstMSN + 1); msn < firstMSN+8; msn++ {
		for i := range 6 {
			b.part("sound", msn, i)
			if msn == firstMSN+1 || msn == firstMSN+3 { // then it stops
				b.part("540p", msn, i)
			}
			if msn > firstMSN+1 {
				b.part("1080p", msn, i)
			}
		}
	}
	past := b.past(step, 5*step)
	for rendition, gaps := range map[string]string{"540p": ".x.x", "sound": "....", "1080p": "x..."} {
		text, err := past.Playlist(rendition, false)
		require.NoError(t, err)
		list := requireReadable(t, string(text.Plain))
		require.EqualValues(t, firstMSN+1, list.SeqNo, rendition)
		got := ""
		for i, s := range list.GetAllSegments() {
			got += map[bool]string{false: ".", true: "x"}[s.Gap]
			require.Equal(t, fmt.Sprintf("../../../live/hall/%s/%d.m4s", rendition, firstMSN+1+i), s.URI)
			require.InDelta(t, 1.92, s.Duration, 1e-9)
		}
		require.Equal(t, gaps, got, rendition)
		require.Equal(t, 1, bytes.Count(text.Plain, []byte("EXT-X-MAP")))
	}
}

func TestAPieceSaysItsOwnBitRates(t *testing.T) {
	b := newBench(t, live.Options{})
	for msn := int64(firstMSN); msn < firstMSN+4; msn++ {
		for i := range 6 {
			p := newPart("sound", msn, i)
			p.Data = make([]byte, 1000*(1+msn-firstMSN))
			require.NoError(t, b.feed.PutPart(1, p))
			require.NoError(t, b.feed.PutPart(1, newPart("540p", msn, i)))
		}
	}
	text := string(b.past(step, 3*step).Multivariant().Plain)
	require.Contains(t, text, "BANDWIDTH=75300,AVERAGE-BANDWIDTH=62800,CODECS=\"avc1.64001F,mp4a.40.2\"", "of segments 1 and 2, picture and sound")
	require.NotContains(t, text, "1080p", "nothing of it is there")
}

func TestThePiecesAddressesNameWhatIsThere(t *testing.T) {
	withStore(t, live.Options{Store: &shelf{files: map[string][]byte{}}}, 40*time.Second, func(b *bench) {
		b.settled(firstMSN, firstMSN+30)
		text := string(b.past(0, 20*step).Multivariant().Plain)
		_, query, _ := strings.Cut(strings.Split(text, "540p/index.m3u8")[1], "?")
		values, err := url.ParseQuery(strings.TrimSpace(strings.Split(query, "\n")[0]))
		require.NoError(b, err)
		from, err := time.Parse(time.RFC3339Nano, values.Get("from"))
		require.NoError(b, err)
		to, err := time.Parse(time.RFC3339Nano, values.Get("to"))
		require.NoError(b, err)
		require.Equal(b, start.Add(9*step), from, "the oldest segment of the DVR")
		require.Equal(b, start.Add(20*step), to)
	})
}

func TestEdgesOfSegmentsAreFoundAgainOnEveryGrid(t *testing.T) {
	for _, rate := range []codecs.Rational{{Num: 25, Den: 1}, {Num: 30000, Den: 1001}, {Num: 60000, Den: 1001}, {Num: 24, Den: 1}} {
		g, err := grid.New(rate, 2*time.Second, 320*time.Millisecond, codecs.TicksAt(start))
		require.NoError(t, err)
		feed := pipeline.Feed{ID: "hall", Grid: g, Ladder: ladder.Ladder{Audio: []ladder.Audio{{Name: "sound", Bitrate: 128_000}}}}
		b := &bench{T: t, epoch: 1, now: start, feeds: live.New(live.Options{})}
		b.claim(feed)
		first := g.Segment(g.FrameAt(codecs.TicksAt(start)))
		for msn := first; msn < first+10; msn++ {
			for i := range g.Parts() {
				p := newPart("sound", msn, i)
				p.Duration = 1024
				require.NoError(t, b.feed.PutPart(1, p))
			}
		}
		for msn := first; msn < first+9; msn++ {
			past, err := b.feed.Past(g.SegmentTime(msn).Time(), g.SegmentTime(msn+1).Time())
			require.NoError(t, err)
			text, err := past.Playlist("sound", false)
			require.NoError(t, err)
			list := requireReadable(t, string(text.Plain))
			require.EqualValues(t, msn, list.SeqNo)
			require.EqualValues(t, 1, list.Count())
			require.NotContains(t, string(text.Plain), "START")
		}
	}
}

func TestWhatIsNoPieceOfThePastIsRefused(t *testing.T) {
	b := newBench(t, live.Options{})
	b.segments(firstMSN, firstMSN+5)
	for name, c := range map[string]struct {
		from, to time.Duration
		want     error
	}{
		"turned around": {step, 0, live.ErrInvalid},
		"empty":         {step, step, live.ErrInvalid},
		"too early":     {-10 * step, 0, live.ErrGone},
		"too late":      {10 * step, 20 * step, live.ErrGone},
		"too long":      {-46_000 * step, 5 * step, live.ErrInvalid},
	} {
		_, err := b.feed.Past(start.Add(c.from), start.Add(c.to))
		require.ErrorIs(t, err, c.want, name)
	}
	_, err := b.feed.Past(time.Time{}, time.Date(292277026596, 1, 1, 0, 0, 0, 0, time.UTC))
	require.ErrorIs(t, err, live.ErrInvalid)
}

// Numbers begin at the feed's epoch: a playlist of what was before would have negative ones.
func TestAPieceFromBeforeTheEpochBeginsThere(t *testing.T) {
	b := newBench(t, live.Options{})
	b.segments(firstMSN, firstMSN+5)
	text, err := b.past(-2*firstMSN*step, 2*step).Playlist("540p", false)
	require.NoError(t, err)
	list := requireReadable(t, string(text.Plain))
	require.EqualValues(t, 0, list.SeqNo)
	require.EqualValues(t, firstMSN+2, list.Count())
}
