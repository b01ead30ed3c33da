package live_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/m3u8"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/live"
)

func TestEachQualityOfSoundIsAGroupOfAllLanguages(t *testing.T) {
	feed := testFeed()
	feed.Ladder.Audio = []ladder.Audio{
		{Name: "en-low", Bitrate: 64_000, Language: "en"}, {Name: "en-high", Bitrate: 192_000, Language: "en"}, {Name: "de", Bitrate: 128_000, Language: "de"},
	}
	top := multivariantOf(t, feed)
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

// multivariantOf returns the playlist of a feed that has a segment of each rendition.
func multivariantOf(t *testing.T, feed pipeline.Feed) *m3u8.Multivariant {
	b := &bench{T: t, epoch: 1, now: start, feeds: live.New(live.Options{})}
	b.claim(feed)
	for _, a := range feed.Ladder.Audio {
		name := map[codecs.Codec]string{codecs.AAC: "mp4a.40.2", codecs.Opus: "opus"}[a.Coded()]
		require.NoError(t, b.feed.PutInit(1, pipeline.Init{Rendition: a.Name, Codecs: name, Data: []byte("of sound")}))
	}
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
	return top
}

func TestEachVariantIsListedWithEachCodecOfSound(t *testing.T) {
	feed := testFeed()
	feed.Ladder.Audio = []ladder.Audio{
		{Name: "stereo", Bitrate: 128_000, Language: "en"}, {Name: "stereo-opus", Bitrate: 96_000, Language: "en", Codec: codecs.Opus},
	}
	top := multivariantOf(t, feed)
	var members, variants []string
	for _, r := range top.Renditions {
		members = append(members, r.GroupID+" "+r.Name+" "+r.URI)
	}
	require.Equal(t, []string{"audio stereo stereo/index.m3u8", "audio-2 stereo stereo-opus/index.m3u8"}, members)
	for _, v := range top.Variants {
		variants = append(variants, fmt.Sprint(v.Height, " ", v.Audio, " ", v.Codecs))
	}
	require.ElementsMatch(t, []string{
		"1080 audio avc1.64001F,mp4a.40.2", "1080 audio-2 avc1.64001F,opus",
		"540 audio avc1.64001F,mp4a.40.2", "540 audio-2 avc1.64001F,opus",
	}, variants)
}

// At 30 pictures a part of 8 lasts 266.7 ms: 13 frames of AAC begin within it at most, and 14 of Opus, which are longer.
func TestPartTargetHoldsFramesOfOpus(t *testing.T) {
	feed := testFeed()
	feed.Grid.FrameRate, feed.Grid.StepFrames = codecs.Rational{Num: 30, Den: 1}, 64
	feed.Ladder.Audio = []ladder.Audio{{Name: "sound", Bitrate: 96_000, Codec: codecs.Opus}}
	b := &bench{T: t, epoch: 1, now: start, feeds: live.New(live.Options{})}
	b.claim(feed)
	longest := newPart("sound", firstMSN, 0)
	longest.Duration = 14 * 960
	require.NoError(t, b.feed.PutPart(1, longest))
	require.Contains(t, b.playlist("sound", live.Full), "PART-TARGET=0.28\n")
	longest.Index, longest.Duration = 1, 15*960
	require.Error(t, b.feed.PutPart(1, longest))
}
