package live_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs/m3u8"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/live"
)

func TestEachQualityOfSoundIsAGroupOfAllLanguages(t *testing.T) {
	feed := testFeed()
	feed.Ladder.Audio = []ladder.Audio{
		{Name: "en-low", Bitrate: 64_000, Language: "en"}, {Name: "en-high", Bitrate: 192_000, Language: "en"}, {Name: "de", Bitrate: 128_000, Language: "de"},
	}
	b := &bench{T: t, epoch: 1, now: start, feeds: live.New(live.Options{})}
	b.claim(feed)
	for _, r := range b.feed.Renditions() {
		for i := range 6 {
			p := newPart(r.Name(), firstMSN, i)
			p.Independent = true
			require.NoError(t, b.feed.PutPart(1, p))
		}
	}
	text, err := b.feed.Multivariant(b.now, false)
	require.NoError(t, err)
	top, err := m3u8.ParseMultivariant(text.Plain)
	require.NoError(t, err)
	var members []string
	for _, r := range top.Renditions {
		members = append(members, r.GroupID+" "+r.Name+" "+r.URI)
	}
	require.Equal(t, []string{
		"audio en-low en-high/index.m3u8", "audio de de/index.m3u8",
		"audio-2 en-low en-low/index.m3u8", "audio-2 de de/index.m3u8",
	}, members, "the best first; a language is called the same in all groups")
	for _, v := range top.Variants {
		require.Equal(t, map[int]string{1080: "audio", 540: "audio-2"}[v.Height], v.Audio)
	}
}
