package live_test

import (
	"encoding/hex"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/aac"
	"github.com/venuecast/venuecast/codecs/captions"
	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/codecs/h264"
	"github.com/venuecast/venuecast/codecs/m3u8"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/live"
)

func (b *bench) multivariant() *m3u8.Multivariant {
	text, err := b.feed.Multivariant(b.clock(), false)
	require.NoError(b, err)
	top, err := m3u8.ParseMultivariant(text.Plain)
	require.NoError(b, err)
	return top
}

// announced returns the captions of a playlist as channel:language:name, and what its variants say.
func announced(top *m3u8.Multivariant) (list []string, variants string) {
	for _, r := range top.Renditions {
		if r.Type == m3u8.TypeClosedCaptions {
			list = append(list, r.InstreamID+":"+r.Language+":"+r.Name)
		}
	}
	for _, v := range top.Variants {
		variants += v.ClosedCaptions + ","
	}
	return list, variants
}

// speak puts the next part, with captions.
func (b *bench) speak(msn int64, index int, c captions.Channels) {
	p := newPart("1080p", msn, index)
	p.Captions = c
	require.NoError(b, b.feed.PutPart(b.epoch, p))
}

func TestCaptionsAreAnnouncedOnceTheyAreFound(t *testing.T) {
	b := newBench(t, live.Options{})
	b.segments(firstMSN, firstMSN+1)
	list, variants := announced(b.multivariant())
	require.Empty(t, list)
	require.Equal(t, "NONE,NONE,", variants)

	b.speak(firstMSN+1, 0, captions.CC3)
	b.speak(firstMSN+1, 1, captions.CC1)
	b.speak(firstMSN+1, 2, 0)
	list, variants = announced(b.multivariant())
	require.Equal(t, []string{"CC1::CC1", "CC3::CC3"}, list)
	require.Equal(t, "cc,cc,", variants)
	past, err := b.feed.Past(start, start.Add(time.Second))
	require.NoError(t, err)
	require.Contains(t, string(past.Multivariant().Plain), `TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="CC1",AUTOSELECT=YES,INSTREAM-ID="CC1"`)
}

func TestCaptionsAreAnnouncedAsTheLadderSays(t *testing.T) {
	for name, c := range map[string]struct {
		asked    ladder.Captions
		want     []string
		variants string
		version  int
	}{
		"none": {ladder.Captions{Off: true}, nil, "NONE,NONE,", 4},
		"a list": {
			ladder.Captions{Channels: []ladder.Caption{{Channel: "CC1", Language: "en", Name: "English"}, {Channel: "SERVICE2", Language: "es"}}},
			[]string{"CC1:en:English", "SERVICE2:es:SERVICE2"},
			"cc,cc,", 7,
		},
	} {
		t.Run(name, func(t *testing.T) {
			feed := testFeed()
			feed.Ladder.Captions = c.asked
			b := &bench{T: t, epoch: 1, now: start}
			b.feeds = live.New(live.Options{Now: b.clock})
			b.claim(feed)
			b.segments(firstMSN, firstMSN+1)
			b.speak(firstMSN+1, 0, captions.CC3)
			top := b.multivariant()
			list, variants := announced(top)
			require.Equal(t, c.want, list)
			require.Equal(t, c.variants, variants)
			require.Equal(t, c.version, top.Version)
		})
	}
}

func TestFoundCaptionsOutliveARestart(t *testing.T) {
	store := &shelf{files: map[string][]byte{}}
	withStore(t, live.Options{Store: store}, time.Minute, func(b *bench) {
		b.settled(firstMSN, firstMSN+1)
		b.speak(firstMSN+1, 0, captions.CC2)
		synctest.Wait()
	})
	withStore(t, live.Options{Store: store}, time.Minute, func(b *bench) {
		b.settled(firstMSN+1, firstMSN+2)
		list, _ := announced(b.multivariant())
		require.Equal(t, []string{"CC2::CC2"}, list)
	})
	for name := range store.files {
		if len(name) > 12 && name[len(name)-12:] == "captions.txt" {
			store.files[name] = []byte("nonsense")
		}
	}
	var failures []string
	opts := live.Options{Store: store, StoreFailed: func(_, reason string) { failures = append(failures, reason) }}
	withStore(t, opts, time.Minute, func(b *bench) {
		b.settled(firstMSN+2, firstMSN+3)
		list, _ := announced(b.multivariant())
		require.Empty(t, list)
	})
	require.Equal(t, []string{"read"}, failures)
}

// Feeds from before there was anything to say of captions keep their place in the store.
func TestALadderWithoutAWordOfCaptionsHasTheConstantsOfOld(t *testing.T) {
	store := &shelf{files: map[string][]byte{}}
	withStore(t, live.Options{Store: store}, time.Minute, func(b *bench) { b.settled(firstMSN, firstMSN+1) })
	require.NotContains(t, string(store.files["hall/session.json"]), "captions")
}

// spsOf is the parameter sets of 320×176 pixels with a transfer function, as ITU-T H.273 numbers them.
func spsOf(t *testing.T, transfer byte) []byte {
	sps := map[byte]string{1: "6742c01eda0505e9a848084810", 16: "6742c01eda0505e9a848804810", 18: "6742c01eda0505e9a848904810"}[transfer]
	data, err := hex.DecodeString(sps)
	require.NoError(t, err)
	return h264.AnnexB([][]byte{data, {0x68, 0xcb, 0x8c, 0xb2}})
}

func TestVideoRangeAndChannelsAreThoseOfTheInitSections(t *testing.T) {
	for transfer, want := range map[byte]m3u8.VideoRange{1: m3u8.SDR, 16: m3u8.PQ, 18: m3u8.HLG} {
		b := newBench(t, live.Options{})
		for _, name := range []string{"1080p", "540p"} {
			data, codec, err := cmaf.VideoInit(cmaf.VideoTrack{Codec: codecs.H264, Timescale: 90000, ParameterSets: spsOf(t, transfer)})
			require.NoError(t, err)
			require.NoError(t, b.feed.PutInit(1, pipeline.Init{Rendition: name, Codecs: codec, Data: data}))
		}
		config, err := aac.Config{Type: aac.LC, SampleRate: 48000, Channels: 1}.Marshal()
		require.NoError(t, err)
		data, codec, err := cmaf.AudioInit(cmaf.AudioTrack{Timescale: 48000, Config: config})
		require.NoError(t, err)
		require.NoError(t, b.feed.PutInit(1, pipeline.Init{Rendition: "sound", Codecs: codec, Data: data}))
		for i := range 6 {
			for _, r := range b.feed.Renditions() {
				p := newPart(r.Name(), firstMSN, i)
				if r.Kind() == codecs.Video {
					p.Data = (&cmaf.Fragment{BaseTime: 1, Samples: []cmaf.Sample{{Key: i == 0, Duration: 28800, Data: []byte{0, 0, 0, 2, 0x65, 1}}}}).Marshal()
				}
				require.NoError(t, b.feed.PutPart(1, p))
			}
		}
		b.now = start.Add(2 * time.Second)
		top := b.multivariant()
		require.NotEmpty(t, top.IFrames)
		for _, v := range append(top.Variants, top.IFrames...) {
			require.Equal(t, want, v.VideoRange)
		}
		require.Equal(t, "1", top.Renditions[0].Channels)
		past, err := b.feed.Past(start, start.Add(time.Second))
		require.NoError(t, err)
		require.Contains(t, string(past.Multivariant().Plain), "VIDEO-RANGE="+string(want))
	}
}
