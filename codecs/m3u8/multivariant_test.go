package m3u8_test

import (
	"bytes"
	"strings"
	"testing"

	reader "github.com/Eyevinn/hls-m3u8/m3u8"
	"github.com/bluenviron/gohlslib/v2/pkg/playlist"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/m3u8"
)

func ladder() *m3u8.Multivariant {
	return &m3u8.Multivariant{
		IndependentSegments: true,
		Renditions: []m3u8.Rendition{
			{
				Type: m3u8.TypeAudio, GroupID: "audio", Name: "English", Language: "en", Default: true, Autoselect: true,
				Channels: "2", URI: "en/index.m3u8",
			},
			{Type: m3u8.TypeAudio, GroupID: "audio", Name: "Deutsch", Language: "de", Autoselect: true, Channels: "2", URI: "de/index.m3u8"},
		},
		Variants: []m3u8.Variant{
			{
				Bandwidth: 3_100_000, AverageBandwidth: 2_400_000, Codecs: "avc1.64001F,mp4a.40.2", Width: 1280, Height: 720,
				FrameRate: codecs.Rational{Num: 30000, Den: 1001}, Audio: "audio", ClosedCaptions: m3u8.NoCaptions, URI: "720p/index.m3u8",
			},
			{
				Bandwidth: 4_100_000, AverageBandwidth: 3_400_000, Codecs: "hvc1.2.4.L93.90,mp4a.40.2",
				SupplementalCodecs: "dvh1.08.07/db4h", Width: 1280, Height: 720, FrameRate: codecs.Rational{Num: 25, Den: 1},
				VideoRange: m3u8.HLG, Audio: "audio", ClosedCaptions: m3u8.NoCaptions, URI: "720h/index.m3u8",
			},
		},
		IFrames: []m3u8.Variant{
			{Bandwidth: 200_000, Codecs: "avc1.64001F", Width: 640, Height: 360, URI: "iframes/index.m3u8"},
		},
	}
}

func TestMultivariantPlaylistIsGolden(t *testing.T) {
	m := ladder()
	got := m.Append(nil)
	requireGolden(t, "multivariant.m3u8", got)
	back, err := m3u8.ParseMultivariant(got)
	require.NoError(t, err)
	m.Version = back.Version // Append chose it
	require.Equal(t, m, back)
}

func TestMultivariantVersionFollowsFromInstreamID(t *testing.T) {
	m := m3u8.Multivariant{Renditions: []m3u8.Rendition{{Type: m3u8.TypeClosedCaptions, GroupID: "g", Name: "n", InstreamID: "CC1"}}}
	for _, c := range []struct {
		kind m3u8.MediaType
		id   string
		want string
	}{
		{m3u8.TypeClosedCaptions, "CC1", "#EXT-X-VERSION:4\n"},
		{m3u8.TypeClosedCaptions, "SERVICE1", "#EXT-X-VERSION:7\n"},
		{m3u8.TypeAudio, "1", "#EXT-X-VERSION:13\n"},
	} {
		m.Renditions[0].Type, m.Renditions[0].InstreamID = c.kind, c.id
		require.Contains(t, string(m.Append(nil)), c.want)
	}
}

func TestFrameRatesHaveThreeDecimals(t *testing.T) {
	for want, rate := range map[string]codecs.Rational{
		"23.976": {Num: 24000, Den: 1001}, "25.000": {Num: 25, Den: 1}, "29.970": {Num: 30000, Den: 1001},
		"59.940": {Num: 60000, Den: 1001}, "12.500": {Num: 25, Den: 2},
	} {
		m := m3u8.Multivariant{Variants: []m3u8.Variant{{Bandwidth: 1, FrameRate: rate, URI: "a"}}}
		data := m.Append(nil)
		require.Contains(t, string(data), "FRAME-RATE="+want+"\n")
		back, err := m3u8.ParseMultivariant(data)
		require.NoError(t, err)
		require.Equal(t, rate, back.Variants[0].FrameRate)
	}
}

func TestNamesCannotBreakOutOfTheirLine(t *testing.T) {
	const evil = "x\",URI=\"http://evil\"\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://evil"
	m := m3u8.Multivariant{
		Renditions: []m3u8.Rendition{{
			Type: m3u8.TypeAudio, GroupID: evil, Name: evil, Language: evil, AssocLanguage: evil, Channels: evil, Characteristics: evil,
		}},
		Variants: []m3u8.Variant{{Bandwidth: 1, Codecs: evil, Audio: evil, Subtitles: evil, ClosedCaptions: evil, URI: evil}},
		IFrames:  []m3u8.Variant{{Bandwidth: 1, SupplementalCodecs: evil, URI: evil}},
	}
	back, err := m3u8.ParseMultivariant(m.Append(nil))
	require.NoError(t, err)
	require.Empty(t, back.Renditions[0].URI)
	require.Len(t, back.Variants, 1)

	m.Renditions[0].Type, m.Variants[0].VideoRange = evil, evil
	require.Equal(t, 1, strings.Count(string(m.Append(nil)), "#EXT-X-STREAM-INF:BANDWIDTH=1,"))
	require.NotContains(t, string(m.Append(nil)), "\nhttp")
}

func TestOtherReadersAgreeOnMultivariantPlaylists(t *testing.T) {
	m := ladder()
	data := m.Append(nil)

	var other playlist.Multivariant
	require.NoError(t, other.Unmarshal(data))
	require.True(t, other.IndependentSegments)
	require.Len(t, other.Variants, 2)
	for i, v := range other.Variants {
		require.Equal(t, int(m.Variants[i].Bandwidth), v.Bandwidth)
		require.Equal(t, int(m.Variants[i].AverageBandwidth), *v.AverageBandwidth)
		require.Equal(t, m.Variants[i].Codecs, strings.Join(v.Codecs, ","))
		require.Equal(t, "1280x720", v.Resolution)
		require.InDelta(t, m.Variants[i].FrameRate.Float(), *v.FrameRate, 0.0005)
		require.Equal(t, m.Variants[i].URI, v.URI)
		require.Equal(t, "audio", v.Audio)
	}
	require.Len(t, other.Renditions, 2)
	require.Equal(t, "Deutsch", other.Renditions[1].Name)
	require.True(t, other.Renditions[0].Default)

	got, kind, err := reader.DecodeFrom(bytes.NewReader(data), true)
	require.NoError(t, err)
	require.Equal(t, reader.MASTER, kind)
	third := got.(*reader.MasterPlaylist)
	require.Len(t, third.Variants, 3, "with the I-frame playlist")
	require.Equal(t, "HLG", third.Variants[1].VideoRange)
	require.True(t, third.Variants[2].Iframe)
}
