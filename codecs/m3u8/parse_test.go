package m3u8_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs/m3u8"
)

func TestStrictParserNamesWhatIsWrong(t *testing.T) {
	const head = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n"
	for in, want := range map[string]string{
		"":                                   "playlist is empty",
		"#EXT-X-VERSION:3\n":                 "line 1: want #EXTM3U",
		"#EXTM3U\n":                          "#EXT-X-TARGETDURATION is missing",
		head + "a.m4s\n":                     "line 4: URI without #EXTINF",
		head + "#EXT-X-FOO:1\n":              "line 4: #EXT-X-FOO: unknown tag",
		head + "#EXTINF:2,\n":                "the last segment has no URI",
		head + "#EXTINF:2\na\n":              "want a comma after the duration",
		head + "#EXTINF:1e3,\n":              "want seconds such as 1.92",
		head + "#EXTINF:-1,\n":               "want seconds such as 1.92",
		head + "#EXTINF:2,\n#\n":             "the last segment has no URI",
		head + "#EXTINF:2,\n#EXTINF:2,\na\n": "stands twice",
		head + "#EXT-X-VERSION:6\n":          "#EXT-X-VERSION: stands twice",
		head + "#EXTINF:2,\na b\n":           "must be percent-encoded",
		head + "#EXTINF:2,\na\n#EXT-X-MEDIA-SEQUENCE:1\n":                 "stands after the first segment's tags",
		head + "#EXT-X-SKIP:SKIPPED-SEGMENTS=1\n":                         "version 6: its tags need 9",
		head + "#EXT-X-SKIP:X=1\n":                                        "SKIPPED-SEGMENTS: is missing",
		head + "#EXT-X-PART-INF:PART-TARGET=0\n":                          "want more than 0",
		head + "#EXT-X-PART-INF:PART-TARGET=\"1\"\n":                      "PART-TARGET: quotes",
		head + "#EXT-X-PART:URI=\"a\",DURATION=1,\n":                      "want a comma and another attribute",
		head + "#EXT-X-PART:URI=\"a\",DURATION=1,BYTERANGE=\"1@2\"\n":     "BYTERANGE: unknown attribute",
		head + "#EXT-X-PART:URI=\"a\",DURATION=1,DURATION=1\n":            "DURATION: stands twice",
		head + "#EXT-X-PART:URI=\"a,DURATION=1\n":                         "URI: quote is not closed",
		head + "#EXT-X-PART:URI=a b,DURATION=1\n":                         "URI: value must be quoted",
		head + "#EXT-X-PART:\n":                                           "attribute list is empty",
		head + "#EXT-X-PART:URI=\"a\",DURATION=1,INDEPENDENT=MAYBE\n":     "want one of YES, NO",
		head + "#EXT-X-PART:URI=\"a\",DURATION=1\n#EXT-X-MAP:URI=\"i\"\n": "after the segment's parts",
		head + "#EXT-X-PRELOAD-HINT:TYPE=PIE,URI=\"a\"\n":                 "want one of PART, MAP",
		head + "#EXT-X-PROGRAM-DATE-TIME:2026-11-22\n":                    "want a time such as",
		head + "#EXT-X-PLAYLIST-TYPE:LIVE\n":                              "want EVENT or VOD",
		head + "#EXT-X-ENDLIST:1\n":                                       "want none",
		head + "#EXT-X-DATERANGE:ID=\"a\",CUE=\"PRE\"\n":                  "CUE: unknown attribute",
		head + "#EXT-X-DATERANGE:ID=\"a\",SCTE35-OUT=0xF\n":               "want hexadecimal digits",
		head + "\x00":    "control character U+0000",
		head + "\xff":    "not UTF-8",
		head + "#a\rb\n": "control character U+000D",
	} {
		_, err := m3u8.ParseMedia([]byte(in))
		require.ErrorContains(t, err, want, in)
	}
}

func TestStrictMultivariantParserNamesWhatIsWrong(t *testing.T) {
	const head = "#EXTM3U\n"
	for in, want := range map[string]string{
		head + "a.m3u8\n":                                                                      "URI without #EXT-X-STREAM-INF",
		head + "#EXT-X-STREAM-INF:BANDWIDTH=1\n":                                               "the last variant has no URI",
		head + "#EXT-X-STREAM-INF:CODECS=\"a\"\na\n":                                           "BANDWIDTH: is missing",
		head + "#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-VERSION:4\na\n":                          "stands between",
		head + "#EXT-X-STREAM-INF:BANDWIDTH=99999999999999999999\na\n":                         "at most 63 bits",
		head + "#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=16:9\n":                               "value must be quoted",
		head + "#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=1280x\na\n":                           "want width x height",
		head + "#EXT-X-STREAM-INF:BANDWIDTH=1,FRAME-RATE=29.97003\na\n":                        "up to three decimals",
		head + "#EXT-X-STREAM-INF:BANDWIDTH=1,VIDEO-RANGE=HDR\na\n":                            "want one of SDR, HLG, PQ",
		head + "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1\n":                                       "URI: is missing",
		head + "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI=\"a\",FRAME-RATE=25.000\n":           "FRAME-RATE: unknown attribute",
		head + "#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"n\"\n":                                          "GROUP-ID: is missing",
		head + "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"g\",NAME=\"n\",DEFAULT=YES,AUTOSELECT=NO\n": "AUTOSELECT: must be YES",
		head + "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"g\",NAME=\"n\",INSTREAM-ID=\"1\"\n":         "its tags need 13",
		head + "#EXT-X-TARGETDURATION:2\n":                                                     "unknown tag",
	} {
		_, err := m3u8.ParseMultivariant([]byte(in))
		require.ErrorContains(t, err, want, in)
	}
}

func TestCarriageReturnsCommentsAndBlankLinesArePassedOver(t *testing.T) {
	m, err := m3u8.ParseMedia([]byte("#EXTM3U\r\n\r\n# a comment\r\n#EXT-X-TARGETDURATION:2\r\n#EXTINF:2,\r\na.ts\r\n"))
	require.NoError(t, err)
	require.Equal(t, "a.ts", m.Segments[0].URI)
	require.Equal(t, 1, m.Version)
}

func FuzzMediaRoundTrip(f *testing.F) {
	for _, m := range []*m3u8.Media{live(), delta(), recording()} {
		f.Add(m.Append(nil))
	}
	f.Add([]byte("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-START:TIME-OFFSET=-0\n#EXT-X-SERVER-CONTROL:HOLD-BACK=6.0000000001\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := m3u8.ParseMedia(data)
		if err != nil {
			return
		}
		back, err := m3u8.ParseMedia(m.Append(nil))
		require.NoError(t, err)
		require.Equal(t, m, back)
	})
}

func FuzzMultivariantRoundTrip(f *testing.F) {
	f.Add(ladder().Append(nil))
	f.Add([]byte("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,FRAME-RATE=23.98,CLOSED-CAPTIONS=\"cc\"\na\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := m3u8.ParseMultivariant(data)
		if err != nil {
			return
		}
		back, err := m3u8.ParseMultivariant(m.Append(nil))
		require.NoError(t, err)
		require.Equal(t, m, back)
	})
}

// FuzzNothingBreaksOut writes strings from outside into every place that takes one.
func FuzzNothingBreaksOut(f *testing.F) {
	f.Add("English", "a.m4s")
	f.Add("x\"\n#EXT-X-ENDLIST", "#EXT-X-ENDLIST\n")
	f.Add("\xff\u0085\u2028", "\x00é")
	f.Fuzz(func(t *testing.T, text, uri string) {
		if text == "" || uri == "" {
			return
		}
		m := m3u8.Media{
			TargetDuration: 1, Segments: []m3u8.Segment{{Map: uri, Duration: 1, Title: text, URI: uri, Parts: []m3u8.Part{{URI: uri}}}},
			DateRanges: []m3u8.DateRange{{ID: text, Class: text, Client: []m3u8.Attribute{{Name: text, Value: text}, {Name: "X-A", Value: text}}}},
		}
		back, err := m3u8.ParseMedia(m.Append(nil))
		require.NoError(t, err)
		require.Len(t, back.Segments, 1)
		require.False(t, back.EndList)

		v := m3u8.Multivariant{
			Renditions: []m3u8.Rendition{{Type: m3u8.TypeAudio, GroupID: text, Name: text, Language: text, URI: uri}},
			Variants:   []m3u8.Variant{{Bandwidth: 1, Codecs: text, Audio: text, URI: uri}},
		}
		again, err := m3u8.ParseMultivariant(v.Append(nil))
		require.NoError(t, err)
		require.Len(t, again.Variants, 1)
		require.Len(t, again.Renditions, 1)
	})
}
