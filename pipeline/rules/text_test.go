package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// told feeds a checker with playlists in a row, a part apart, and returns the rules that were broken.
func told(t *testing.T, multivariant string, playlists ...string) []string {
	t.Helper()
	found := map[string]bool{}
	c := New(func(v Violation) { found[v.ID] = true })
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	answer := func(q Request, body string) []Request {
		at = at.Add(320 * time.Millisecond)
		return c.Answer(q, response(at, body))
	}
	next := answer(c.Begin("https://venue.example/live/index.m3u8"), multivariant)
	var q Request
	for _, body := range playlists {
		if len(next) > 0 && next[0].Kind == MediaPlaylist {
			q = next[0]
		}
		q.URL = "https://venue.example/live/a/index.m3u8" // each as if it had been asked for without directives
		next = answer(q, body)
	}
	return slices.Sorted(maps.Keys(found))
}

func response(at time.Time, body string) Response {
	return Response{
		Asked: at, FirstByte: at, At: at, Status: 200, Protocol: "HTTP/2.0", Body: []byte(body),
		Header: map[string][]string{
			"Access-Control-Allow-Origin": {"*"}, "Content-Type": {"application/vnd.apple.mpegurl"}, "Content-Encoding": {"gzip"},
			"Vary": {"Accept-Encoding"}, "Cache-Control": {"max-age=1"},
		},
	}
}

const right = `#EXTM3U
#EXT-X-VERSION:4
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="stereo",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="s/index.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=2000000,AVERAGE-BANDWIDTH=1500000,CODECS="avc1.64001F,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=25.000,AUDIO="sound",CLOSED-CAPTIONS=NONE
a/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=190000,AVERAGE-BANDWIDTH=150000,CODECS="avc1.64000C,mp4a.40.2",RESOLUTION=320x180,FRAME-RATE=25.000,AUDIO="sound",CLOSED-CAPTIONS=NONE
b/index.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=100000,CODECS="avc1.64000C",URI="b/keys.m3u8"
`

// playlistOf returns a playlist without parts that is right, of 8 segments from a number on.
func playlistOf(first int, extra string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:%d\n#EXT-X-MAP:URI=\"init.mp4\"\n%s", first, extra)
	for msn := first; msn < first+8; msn++ {
		at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(msn) * 2 * time.Second)
		fmt.Fprintf(&b, "#EXT-X-PROGRAM-DATE-TIME:%s\n#EXTINF:2.0,\n%d.m4s\n", at.Format("2006-01-02T15:04:05.000Z"), msn)
	}
	return b.String()
}

func TestPlaylistsThatAreRightBreakNoRule(t *testing.T) {
	require.Empty(t, told(t, right, playlistOf(10, ""), playlistOf(10, ""), playlistOf(11, ""), playlistOf(13, "")))
}

func TestMultivariantFaultsAreFound(t *testing.T) {
	_, after, _ := strings.Cut(right, "#EXT-X-STREAM")
	variants := "#EXT-X-STREAM" + after
	for _, c := range []struct {
		old, replacement string
		want             []string
	}{
		{variants, "", []string{"multivariant-empty"}},
		{"a/index.m3u8\n", "", []string{"variant-uri-missing"}},
		{"BANDWIDTH=2000000,AVERAGE-", "AVERAGE-", []string{"bandwidth-missing"}},
		{"AVERAGE-BANDWIDTH=1500000,", "", []string{"average-bandwidth-missing"}},
		{`CODECS="avc1.64001F,mp4a.40.2",`, "", []string{"codecs-missing"}},
		{"RESOLUTION=1280x720,", "", []string{"resolution-missing"}},
		{"RESOLUTION=1280x720,", "RESOLUTION=1280x960,", []string{"aspect-ratio-differs"}},
		{"FRAME-RATE=25.000,", "", []string{"frame-rate-missing"}},
		{"FRAME-RATE=25.000,", "FRAME-RATE=25.0001,", []string{"frame-rate-form"}},
		{"BANDWIDTH=190000,", "BANDWIDTH=290000,", []string{"low-variant-missing"}},
		{`AUDIO="sound",CLOSED`, `AUDIO="music",CLOSED`, []string{"group-missing"}},
		{`NAME="stereo",`, "", []string{"media-form"}},
		{"TYPE=AUDIO", "TYPE=SUBTITLES", []string{"media-form"}},
		{"AUTOSELECT=YES", "AUTOSELECT=NO", []string{"media-default-autoselect"}},
		{`LANGUAGE="en",`, "", []string{"language-missing"}},
		{`CHANNELS="2",`, "", []string{"channels-missing"}},
		{"CLOSED-CAPTIONS=NONE\na/", "AUDIO-X=NO\na/", []string{"captions-missing", "captions-partial"}},
		{
			"#EXT-X-MEDIA:", `#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="English",INSTREAM-ID="CC5"` + "\n#EXT-X-MEDIA:",
			[]string{"instream-id-form"},
		},
		{
			"#EXT-X-MEDIA:", `#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="English",INSTREAM-ID="CC1"` + "\n" +
				`#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="Deutsch",INSTREAM-ID="CC1"` + "\n#EXT-X-MEDIA:",
			[]string{"instream-id-form"},
		},
		{"#EXT-X-I-FRAME-STREAM-INF", "#X", []string{"i-frame-playlist-missing"}},
		{"#EXT-X-INDEPENDENT-SEGMENTS\n", "", []string{"independent-segments-missing"}},
		{"#EXT-X-INDEPENDENT-SEGMENTS\n", "#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-TARGETDURATION:2\n", []string{"playlist-mixed"}},
		{"#EXT-X-MEDIA:", "#EXT-X-MEDIA:SCORE,", []string{"playlist-syntax"}},
		{"AVERAGE-BANDWIDTH=1500000,", "AVERAGE-BANDWIDTH=1500000,SCORE=2,", []string{"score-partial"}},
		{"#EXT-X-VERSION:4", "#EXT-X-VERSION:9", []string{"version-high"}},
		{"#EXT-X-VERSION:4", "#EXT-X-VERSION:4\n#EXT-X-DEFINE:NAME=\"a\",VALUE=\"b\"", []string{"version-low"}},
		{"#EXT-X-VERSION:4", "#EXT-X-VERSION:8\n#EXT-X-DEFINE:NAME=\"a\"", []string{"define-form"}},
		{"#EXT-X-MEDIA:", "#EXT-X-CONTENT-STEERING:PATHWAY-ID=\"x\"\n#EXT-X-MEDIA:", []string{"steering-form"}},
		{"FRAME-RATE=25.000,", `FRAME-RATE=25.000,SUPPLEMENTAL-CODECS="x/db4h",`, []string{"supplemental-codecs-form"}},
		{
			"#EXT-X-MEDIA:", `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="stereo",LANGUAGE="de",DEFAULT=YES,CHANNELS="2",URI="t.m3u8"` + "\n#EXT-X-MEDIA:",
			[]string{"media-name-twice", "media-default-twice"},
		},
		{
			"#EXT-X-MEDIA:", `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="other",NAME="mono",LANGUAGE="de",CHANNELS="1",URI="t.m3u8"` + "\n#EXT-X-MEDIA:",
			[]string{"media-groups-differ"},
		},
	} {
		t.Run(strings.Join(c.want, " and "), func(t *testing.T) {
			require.Contains(t, right, c.old)
			found := told(t, strings.Replace(right, c.old, c.replacement, 1))
			require.Subset(t, found, c.want)
		})
	}
}

func TestPlaylistFaultsAreFound(t *testing.T) {
	dateRange := `#EXT-X-DATERANGE:ID="1",START-DATE="2026-03-01T12:00:30.000Z",DURATION=60.5` + "\n"
	for _, c := range []struct {
		playlists []string
		want      []string
	}{
		{[]string{playlistOf(10, ""), playlistOf(9, "")}, []string{"media-sequence-back", "playlist-back"}},
		{[]string{playlistOf(10, ""), strings.ReplaceAll(playlistOf(11, ""), ".m4s", ".mp4")}, []string{"uri-changed"}},
		{[]string{playlistOf(10, ""), strings.ReplaceAll(playlistOf(11, ""), "EXTINF:2.0", "EXTINF:2.01")}, []string{"extinf-changed"}},
		{[]string{strings.Replace(playlistOf(10, ""), "#EXTINF:2.0,\n", "", 1)}, []string{"extinf-missing"}},
		{[]string{strings.Replace(playlistOf(10, ""), "10.m4s", "11.m4s", 1)}, []string{"uri-twice"}},
		{[]string{playlistOf(10, "#EXT-X-PLAYLIST-TYPE:EVENT\n")}, []string{"playlist-type-live"}},
		{[]string{strings.Replace(playlistOf(10, ""), "#EXT-X-TARGETDURATION:2\n", "", 1)}, []string{"target-duration-missing"}},
		{[]string{strings.Replace(playlistOf(10, ""), "#EXT-X-VERSION:6", "#EXT-X-VERSION:7", 1)}, []string{"version-high"}},
		{[]string{playlistOf(10, "#EXT-X-MEDIA:TYPE=AUDIO\n")}, []string{"playlist-mixed"}},
		{[]string{playlistOf(10, "#EXT-X-START:TIME-OFFSET=-4.5\n")}, []string{"start-near-end"}},
		{[]string{playlistOf(10, "#EXT-X-KEY:METHOD=AES-128\n")}, []string{"key-form"}},
		{[]string{playlistOf(10, "#EXT-X-BITRATE:x\n")}, []string{"playlist-syntax"}},
		{[]string{strings.Replace(playlistOf(10, ""), "12:00:22.000Z", "12:00:22.1", 1)}, []string{"date-time-form", "date-time-drift"}},
		{[]string{strings.Replace(playlistOf(10, ""), "12:00:22.000Z", "12:00:19.000Z", 1)}, []string{"date-time-ambiguous"}},
		{[]string{strings.Replace(playlistOf(10, ""), "#EXT-X-PROGRAM-DATE-TIME:2026-03-01T12:00:22.000Z\n", "", 1)}, []string{"date-time-sparse"}},
		{[]string{playlistOf(10, ""), playlistOf(20, "")}, []string{"media-sequence-skip"}},
		{[]string{playlistOf(10, ""), cut(playlistOf(16, ""), 2)}, []string{"window-short", "window-few"}},
		{[]string{playlistOf(10, "") + "#EXT-X-ENDLIST\n", playlistOf(11, "")}, []string{"end-changed"}},
		{[]string{playlistOf(10, `#EXT-X-DATERANGE:ID="1"`+"\n")}, []string{"date-range-form"}},
		{[]string{playlistOf(10, dateRange), playlistOf(11, "")}, []string{"date-range-removed"}},
		{[]string{playlistOf(10, dateRange), playlistOf(11, strings.Replace(dateRange, "=60.5", "=30", 1))}, []string{"date-range-changed"}},
		{[]string{playlistOf(10, strings.Replace(dateRange, "DURATION=60.5", `CLASS="com.apple.hls.interstitial"`, 1))}, []string{"interstitial-form"}},
		{[]string{strings.ReplaceAll(playlistOf(10, dateRange), "#EXT-X-PROGRAM", "#X")}, []string{"date-range-no-date-time", "date-time-missing"}},
		{[]string{playlistOf(10, "#EXT-X-SERVER-CONTROL:CAN-SKIP-DATERANGES=YES\n")}, []string{"skip-until-missing"}},
		{[]string{playlistOf(10, "#EXT-X-PART:DURATION=0.3,URI=\"10.0.m4s\"\n")}, []string{"part-target-missing", "blocking-missing", "hint-missing"}},
		{
			[]string{playlistOf(10, "#EXT-X-PART-INF:PART-TARGET=0.3\n#EXT-X-PART:DURATION=0.1,URI=\"10.0.m4s\"\n#EXT-X-PART:DURATION=0.3,URI=\"10.1.m4s\"\n")},
			[]string{"part-short", "part-tags-late", "part-hold-back-missing"},
		},
		{
			[]string{playlistOf(10, "#EXT-X-PART-INF:PART-TARGET=1\n#EXT-X-PART:DURATION=1,URI=\"0\"\n#EXT-X-PART:DURATION=1,URI=\"1\"\n#EXT-X-PART:DURATION=1,URI=\"2\"\n")},
			[]string{"parts-sum"},
		},
		{
			[]string{playlistOf(10, "") + strings.Repeat("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"18.m4s\"\n", 2) + "#EXT-X-PRELOAD-HINT:TYPE=MAP\n#EXT-X-ENDLIST\n"},
			[]string{"hint-twice", "hint-form", "hint-after-end"},
		},
		{[]string{playlistOf(10, "#EXT-X-PART-INF:PART-TARGET=0.3\n#EXT-X-RENDITION-REPORT:URI=\"https://x/\",LAST-MSN=1\n")}, []string{"report-form"}},
	} {
		t.Run(strings.Join(c.want, " and "), func(t *testing.T) {
			require.Subset(t, told(t, right, c.playlists...), c.want)
		})
	}
}

// cut leaves the first n segments of a playlist.
func cut(playlist string, n int) string {
	parts := strings.SplitAfter(playlist, ".m4s\n")
	return strings.Join(parts[:n], "")
}

func TestCheckersAreNotUpsetByAnything(t *testing.T) {
	for _, body := range []string{"", "\x00", "#EXTM3U\n#EXTINF:1,\na\n", "#EXTM3U\n#EXT-X-SKIP:SKIPPED-SEGMENTS=99999999999\n#EXTINF:1,\na\n", right} {
		told(t, right, body, playlistOf(3, ""), body)
		told(t, body+right, body)
	}
}

func FuzzCheckersReadAnyPlaylist(f *testing.F) {
	f.Add(right, playlistOf(10, ""), playlistOf(11, ""))
	f.Add("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na\n", "#EXTM3U\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n", "#EXTM3U\n#EXT-X-PART:DURATION=1,URI=\"a\"\n")
	f.Fuzz(func(_ *testing.T, multivariant, first, second string) {
		c := New(func(Violation) {})
		at := time.Unix(0, 0)
		next := c.Answer(c.Begin("http://venue.example/index.m3u8"), response(at, multivariant))
		for _, body := range []string{first, second, second} {
			if len(next) == 0 {
				return
			}
			next = c.Answer(next[0], response(at, body))
		}
	})
}
