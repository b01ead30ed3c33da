package live_test

import (
	"encoding/hex"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/codecs/h264"
	"github.com/venuecast/venuecast/codecs/m3u8"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/live"
)

func muxedFeed(dvr time.Duration) pipeline.Feed {
	feed := dvrFeed(dvr)
	feed.Ladder.Container = ladder.MPEGTS
	return feed
}

// muxed returns a playlist in MPEG-TS.
func (b *bench) muxed(rendition string, dvr bool) string {
	text, err := b.feed.Muxed(rendition).Playlist(dvr)
	require.NoError(b, err)
	return string(text.Plain)
}

func TestPlaylistsOfMPEGTSAreTheGoldenOnes(t *testing.T) {
	b := newBench(t, live.Options{})
	b.claim(muxedFeed(0))
	b.segments(firstMSN, firstMSN+4)
	b.init("540p", "two")
	b.segments(firstMSN+4, firstMSN+6)
	_, err := b.feed.AddEvent(m3u8.DateRange{ID: "goal", StartDate: b.now, Duration: time.Second})
	require.NoError(t, err)
	for i := range 6 { // of segment 1006 there is sound only
		b.part("sound", firstMSN+6, i)
	}
	b.segments(firstMSN+7, firstMSN+8)
	requireGolden(t, "muxed.m3u8", b.muxed("540p", false))
	requireReadable(t, b.muxed("540p", false))
	text, err := b.feed.MuxedMultivariant(b.now, "index.m3u8")
	require.NoError(t, err)
	requireGolden(t, "muxed-multivariant.m3u8", string(text.Plain))
}

func TestASegmentIsListedWhenItsSoundIsThere(t *testing.T) {
	b := newBench(t, live.Options{})
	b.claim(muxedFeed(0))
	b.segments(firstMSN, firstMSN+3)
	for i := range 6 {
		b.part("540p", firstMSN+3, i)
	}
	require.NotContains(t, b.muxed("540p", false), "1003.ts")
	_, err := b.feed.Muxed("540p").Tag(firstMSN + 3)
	require.ErrorIs(t, err, live.ErrGone)
	require.Contains(t, b.muxed("sound", false), "1002.ts")
	before, err := b.feed.Muxed("540p").Playlist(false)
	require.NoError(t, err)
	for i := range 5 {
		b.part("sound", firstMSN+3, i)
	}
	again, err := b.feed.Muxed("540p").Playlist(false)
	require.NoError(t, err)
	require.Same(t, &before.Plain[0], &again.Plain[0], "it is rendered once per segment")
	b.part("sound", firstMSN+3, 5)
	require.Contains(t, b.muxed("540p", false), "1003.ts")
}

func TestALadderWithoutMPEGTSHasNone(t *testing.T) {
	b := newBench(t, live.Options{})
	b.segments(firstMSN, firstMSN+3)
	require.Nil(t, b.feed.Muxed("540p"))
	_, err := b.feed.MuxedMultivariant(b.now, "index.m3u8")
	require.ErrorIs(t, err, live.ErrGone)
}

// readable puts segments [from, to) of media that can be read, letting the store catch up.
func (b *bench) readable(from, to int64) {
	for msn := from; msn < to; msn++ {
		for i := range 6 {
			for _, r := range b.feed.Renditions() {
				p := newPart(r.Name(), msn, i)
				p.Data = fragment(p).Marshal()
				require.NoError(b, b.feed.PutPart(b.epoch, p))
			}
		}
	}
}

func fragment(p pipeline.Part) cmaf.Fragment {
	count, each := uint32(8), uint32(3600)
	if p.Kind == codecs.Audio {
		count, each = 15, 1024
	}
	f := cmaf.Fragment{BaseTime: uint64(p.MSN*6+int64(p.Index)) * uint64(count*each)}
	for i := range count {
		s := cmaf.Sample{Duration: each, Key: p.Kind == codecs.Audio || p.Index == 0 && i == 0, Data: []byte{0, 0, 0, 6, 0x41, 1, 2, 3, 4, byte(i)}}
		if s.Key {
			s.Data[4] = 0x65
		}
		f.Samples = append(f.Samples, s)
	}
	return f
}

// readableInits puts init sections that can be read.
func (b *bench) readableInits() {
	sps, err := hex.DecodeString("6742c01ed900a02ff97011000003000100000300320f162e48")
	require.NoError(b, err)
	picture, format, err := cmaf.VideoInit(cmaf.VideoTrack{
		Codec: codecs.H264, Timescale: 90000, ParameterSets: h264.AnnexB([][]byte{sps, {0x68, 0xcb, 0x83, 0xcb, 0x20}}),
	})
	require.NoError(b, err)
	sound, _, err := cmaf.AudioInit(cmaf.AudioTrack{Timescale: 48000, Config: []byte{0x11, 0x90}})
	require.NoError(b, err)
	for _, r := range b.feed.Renditions() {
		init := pipeline.Init{Rendition: r.Name(), Codecs: format, Data: picture}
		if r.Kind() == codecs.Audio {
			init.Codecs, init.Data = "mp4a.40.2", sound
		}
		require.NoError(b, b.feed.PutInit(b.epoch, init))
	}
}

func TestSegmentsOfMPEGTSAreTheSameFromTheStore(t *testing.T) {
	store := &shelf{files: map[string][]byte{}}
	withStore(t, live.Options{Store: store}, 80*time.Second, func(b *bench) {
		b.claim(muxedFeed(80 * time.Second))
		b.readableInits()
		b.readable(firstMSN, firstMSN+3)
		early, err := b.feed.Muxed("540p").Segment(firstMSN + 1)
		require.NoError(b, err)
		tag, err := b.feed.Muxed("540p").Tag(firstMSN + 1)
		require.NoError(b, err)
		for msn := int64(firstMSN + 3); msn < firstMSN+30; msn++ {
			b.readable(msn, msn+1)
			synctest.Wait()
		}
		require.Contains(b, b.muxed("540p", true), "\n1001.ts\n")
		require.NotContains(b, b.muxed("540p", false), "\n1001.ts\n")
		m := b.feed.Muxed("540p")
		late, err := m.Segment(firstMSN + 1)
		require.NoError(b, err)
		require.Equal(b, early, late)
		again, err := m.Tag(firstMSN + 1)
		require.NoError(b, err)
		require.Equal(b, tag, again)
		b.spoil(store, "/540p/1001-")
		_, err = m.Segment(firstMSN + 1)
		require.ErrorContains(b, err, "not what was stored")
		require.NotErrorIs(b, err, live.ErrGone)
		_, err = m.Segment(firstMSN + 2)
		require.NoError(b, err)
	})
}

// spoil changes a byte of what is stored.
func (b *bench) spoil(store *shelf, name string) {
	store.mu.Lock()
	defer store.mu.Unlock()
	for n, data := range store.files {
		if strings.Contains(n, name) {
			data[len(data)-1] ^= 1
			return
		}
	}
	b.Fatal("there is nothing to spoil")
}
