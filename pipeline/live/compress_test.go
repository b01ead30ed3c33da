package live_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline/live"
)

func TestTheCodedFormsAreTheSamePlaylist(t *testing.T) {
	b := newBench(t, live.Options{})
	b.segments(firstMSN, firstMSN+3)
	requireCoded(t, b.feed.Rendition("540p").Snapshot().Playlist(live.Form{}))
}

// What is larger than zstd's window says how large that is; a decoder may refuse more than 8 MB (RFC 9659).
func TestLongPlaylistsNeedASmallWindow(t *testing.T) {
	withStore(t, live.Options{Store: &shelf{files: map[string][]byte{}}}, 8*time.Hour, func(b *bench) {
		b.settled(firstMSN, firstMSN+13_000)
		text := b.feed.Rendition("540p").Snapshot().Playlist(live.Form{Mode: live.Plain, DVR: true})
		require.Greater(b, len(text.Plain), 1<<20)
		requireCoded(b.T, text)
		var h zstd.Header
		require.NoError(b, h.Decode(text.Zstd()))
		require.EqualValues(b, 1<<20, h.WindowSize)
	})
}

// requireCoded requires that a text says the same in each coding; zstd in one frame, behind which some decoders read nothing.
func requireCoded(t *testing.T, text live.Text) {
	t.Helper()
	unzip, err := gzip.NewReader(bytes.NewReader(text.Gzip()))
	require.NoError(t, err)
	plain, err := io.ReadAll(unzip)
	require.NoError(t, err)
	require.Equal(t, string(text.Plain), string(plain))

	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	require.NoError(t, err)
	defer decoder.Close()
	plain, err = decoder.DecodeAll(text.Zstd(), nil)
	require.NoError(t, err)
	require.Equal(t, string(text.Plain), string(plain))
	require.Equal(t, 1, bytes.Count(text.Zstd(), []byte{0x28, 0xb5, 0x2f, 0xfd}), "frames (RFC 8878 §3.1.1)")
}
