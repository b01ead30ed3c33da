package m3u8_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	reader "github.com/Eyevinn/hls-m3u8/m3u8"
	"github.com/bluenviron/gohlslib/v2/pkg/playlist"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs/m3u8"
)

var update = flag.Bool("update", false, "write the golden files")

const ms = time.Millisecond

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// requireGolden compares with testdata/name, which -update writes.
func requireGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

// live is a low-latency playlist with a gap, a discontinuity and a segment in progress.
func live() *m3u8.Media {
	return &m3u8.Media{
		IndependentSegments: true,
		TargetDuration:      2,
		ServerControl: m3u8.ServerControl{
			CanBlockReload: true, CanSkipUntil: 12 * time.Second, HoldBack: 6 * time.Second, PartHoldBack: 960 * ms,
		},
		PartTarget:            320 * ms,
		MediaSequence:         1200,
		DiscontinuitySequence: 3,
		Segments: []m3u8.Segment{
			{Map: "init.mp4", ProgramDateTime: noon, Duration: 1920 * ms, URI: "1200.m4s"},
			{ProgramDateTime: noon.Add(1920 * ms), Gap: true, Duration: 1920 * ms, URI: "1201.m4s"},
			{
				Discontinuity: true, Map: "init2.mp4", ProgramDateTime: noon.Add(3840 * ms), Duration: 640 * ms, URI: "1202.m4s",
				Parts: []m3u8.Part{
					{Duration: 320 * ms, URI: "1202.0.m4s", Independent: true},
					{Duration: 320 * ms, URI: "1202.1.m4s", Gap: true},
				},
			},
			{
				ProgramDateTime: noon.Add(5760 * ms),
				Parts:           []m3u8.Part{{Duration: 320 * ms, URI: "1203.0.m4s", Independent: true}},
			},
		},
		PreloadHints:     []m3u8.PreloadHint{{Type: m3u8.HintPart, URI: "1203.1.m4s"}},
		RenditionReports: []m3u8.RenditionReport{{URI: "../360p/index.m3u8", LastMSN: 1203, LastPart: 0}},
	}
}

// delta is an update that skips segments and date ranges.
func delta() *m3u8.Media {
	m := live()
	m.ServerControl.CanSkipDateRanges = true
	m.Skip = &m3u8.Skip{Segments: 1, RemovedDateRanges: []string{"ad-1", "ad-2"}}
	m.Segments = m.Segments[1:]
	m.DateRanges = []m3u8.DateRange{{
		ID: "ad-3", Class: "com.apple.hls.interstitial", StartDate: noon.Add(time.Second), EndDate: noon.Add(31 * time.Second),
		Duration: 30 * time.Second, PlannedDuration: 30 * time.Second, SCTE35Out: []byte{0xfc, 0x30, 0x21},
		Client: []m3u8.Attribute{
			{Name: "X-ASSET-URI", Value: "https://ads.example/3.m3u8"}, {Name: "X-RESUME-OFFSET", Value: "0.5", Bare: true},
		},
	}}
	return m
}

func recording() *m3u8.Media {
	return &m3u8.Media{
		Start: &m3u8.Start{TimeOffset: -12500 * ms, Precise: true}, TargetDuration: 2, MediaSequence: 7, PlaylistType: m3u8.VOD,
		Segments: []m3u8.Segment{
			{Map: "init.mp4", ProgramDateTime: noon.Add(time.Nanosecond), Duration: 2002 * ms, URI: "7.m4s"},
			{ProgramDateTime: noon.Add(2133333 * time.Microsecond), Duration: 2133333333, Title: "Café", URI: "8.m4s"},
		},
		EndList: true,
	}
}

func trickPlay() *m3u8.Media {
	return &m3u8.Media{
		TargetDuration: 2, MediaSequence: 7, IFramesOnly: true, EndList: true,
		Segments: []m3u8.Segment{
			{Map: "init.mp4", Duration: 2 * time.Second, ByteRange: m3u8.ByteRange{Length: 20_000}, URI: "7.m4s"},
			{Duration: 2 * time.Second, ByteRange: m3u8.ByteRange{Length: 21_000, Offset: 376}, URI: "8.m4s"},
		},
	}
}

func TestMediaPlaylistsAreGolden(t *testing.T) {
	for name, m := range map[string]*m3u8.Media{"i-frames.m3u8": trickPlay(), "live.m3u8": live(), "delta.m3u8": delta(), "recording.m3u8": recording()} {
		got := m.Append(nil)
		requireGolden(t, name, got)
		back, err := m3u8.ParseMedia(got)
		require.NoError(t, err)
		m.Version = back.Version // Append chose it
		require.Equal(t, m, back, name)
	}
}

func TestVersionIsAsLowAsTheTagsAllow(t *testing.T) {
	segment := m3u8.Segment{Duration: 2 * time.Second, URI: "a"}
	for want, m := range map[string]m3u8.Media{
		"#EXTM3U\n#EXT-X-TARGETDURATION":   {Segments: []m3u8.Segment{segment}},
		"#EXTM3U\n#EXT-X-VERSION:3\n":      {Segments: []m3u8.Segment{{Duration: 1920 * ms, URI: "a"}}},
		"#EXTM3U\n#EXT-X-VERSION:6\n":      {Segments: []m3u8.Segment{segment, {Map: "i", Duration: 1, URI: "b"}}},
		"#EXTM3U\n#EXT-X-VERSION:4\n":      {IFramesOnly: true},
		"#EXTM3U\n#EXT-X-VERSION:9\n":      {Skip: &m3u8.Skip{Segments: 3}},
		"#EXTM3U\n#EXT-X-VERSION:10\n":     {Skip: &m3u8.Skip{Segments: 3, RemovedDateRanges: []string{}}},
		"#EXTM3U\n#EXT-X-VERSION:8\n#EXT-": {Version: 8, Segments: []m3u8.Segment{segment}},
	} {
		require.Contains(t, string(m.Append(nil)), want)
	}
}

func TestRenderingAllocatesNothing(t *testing.T) {
	m := delta()
	buf := make([]byte, 0, 8192)
	require.Zero(t, testing.AllocsPerRun(100, func() { m.Append(buf) }))
}

func TestNothingFromOutsideBreaksOutOfItsLine(t *testing.T) {
	const evil = "a\"\r\n#EXT-X-ENDLIST\n\u0085,URI=\"x\x00\xff"
	m := m3u8.Media{
		TargetDuration: 2,
		PlaylistType:   evil,
		Skip:           &m3u8.Skip{RemovedDateRanges: []string{evil}},
		Segments: []m3u8.Segment{
			{Map: evil, Duration: 1, Title: evil, URI: "#EXT-X-ENDLIST"}, {Duration: 1, URI: evil}, {Parts: []m3u8.Part{{URI: evil}}},
		},
		PreloadHints:     []m3u8.PreloadHint{{Type: m3u8.HintPart, URI: evil}},
		RenditionReports: []m3u8.RenditionReport{{URI: evil}},
		DateRanges: []m3u8.DateRange{{
			ID: evil, Class: evil,
			Client: []m3u8.Attribute{{Name: "X-A", Value: evil}, {Name: "X-B", Value: evil, Bare: true}, {Name: evil, Value: "v"}},
		}},
	}
	m.PlaylistType = ""
	back, err := m3u8.ParseMedia(m.Append(nil))
	require.NoError(t, err)
	require.False(t, back.EndList)
	require.Len(t, back.Segments, 3)
	require.Equal(t, "%23EXT-X-ENDLIST", back.Segments[0].URI)
	require.Equal(t, "a'  #EXT-X-ENDLIST  ,URI='x \uFFFD", back.DateRanges[0].ID)
	require.Len(t, back.DateRanges[0].Client, 2, "a name of another kind is left out")

	m.PlaylistType = evil
	require.Equal(t, 0, bytes.Count(m.Append(nil), []byte("\n#EXT-X-ENDLIST")))
}

func TestOtherReadersAgreeOnMediaPlaylists(t *testing.T) {
	m := live()
	data := m.Append(nil)

	var other playlist.Media
	require.NoError(t, other.Unmarshal(data))
	require.Equal(t, [3]int{6, 2, 1200}, [3]int{other.Version, other.TargetDuration, other.MediaSequence})
	require.Equal(t, 3, *other.DiscontinuitySequence)
	require.Equal(t, 320*ms, other.PartInf.PartTarget)
	require.Equal(t, 960*ms, *other.ServerControl.PartHoldBack)
	require.Equal(t, 12*time.Second, *other.ServerControl.CanSkipUntil)
	require.True(t, other.ServerControl.CanBlockReload)
	require.Len(t, other.Segments, 3)
	for i, s := range other.Segments {
		require.Equal(t, m.Segments[i].Duration, s.Duration)
		require.Equal(t, m.Segments[i].URI, s.URI)
		require.Equal(t, m.Segments[i].Gap, s.Gap)
		require.Equal(t, m.Segments[i].Discontinuity, s.Discontinuity)
		require.True(t, m.Segments[i].ProgramDateTime.Equal(*s.DateTime))
	}
	require.Len(t, other.Segments[2].Parts, 2)
	require.True(t, other.Segments[2].Parts[0].Independent)
	require.Equal(t, "1203.0.m4s", other.Parts[0].URI)
	require.Equal(t, "1203.1.m4s", other.PreloadHint.URI)
	require.Equal(t, "../360p/index.m3u8", other.RenditionReport[0].URI)

	got, kind, err := reader.DecodeFrom(bytes.NewReader(data), true)
	require.NoError(t, err)
	require.Equal(t, reader.MEDIA, kind)
	third := got.(*reader.MediaPlaylist)
	require.Equal(t, uint64(1200), third.SeqNo)
	require.Equal(t, uint(3), third.Count())
	require.True(t, third.ServerControl.CanBlockReload)
	require.InDelta(t, 6, third.ServerControl.HoldBack, 0)
	require.InDelta(t, 0.32, third.PartTargetDuration, 0)
	require.Equal(t, "1203.1.m4s", third.PreloadHints.URI)
}

func TestOtherReadersAgreeOnDeltaUpdates(t *testing.T) {
	data := delta().Append(nil)
	var other playlist.Media
	require.NoError(t, other.Unmarshal(data))
	require.Equal(t, 1, other.Skip.SkippedSegments)

	got, _, err := reader.DecodeFrom(bytes.NewReader(data), true)
	require.NoError(t, err)
	third := got.(*reader.MediaPlaylist)
	require.Equal(t, uint64(1), third.SkippedSegments())
}
