package origin_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/bluenviron/gohlslib/v2/pkg/playlist"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/codecs/h264"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/live"
	"github.com/venuecast/venuecast/transport/origin"
)

// newMuxedHouse returns an origin of a feed in MPEG-TS with segments firstMSN to firstMSN+3 of media that can be read,
// and one part more of video.
func newMuxedHouse(t *testing.T, opts origin.Options, except ...int64) *house {
	h := newHouse(t, opts, live.Options{})
	h.feed.Ladder.Container = ladder.MPEGTS
	require.Equal(t, http.StatusOK, h.claim(1).Code)
	sps, err := hex.DecodeString("6742c01ed900a02ff97011000003000100000300320f162e48")
	require.NoError(t, err)
	picture, format, err := cmaf.VideoInit(cmaf.VideoTrack{
		Codec: codecs.H264, Timescale: 90000, ParameterSets: h264.AnnexB([][]byte{sps, {0x68, 0xcb, 0x83, 0xcb, 0x20}}),
	})
	require.NoError(t, err)
	sound, _, err := cmaf.AudioInit(cmaf.AudioTrack{Timescale: 48000, Config: []byte{0x11, 0x90}})
	require.NoError(t, err)
	h.ingest("PUT", "/540p/init", picture, origin.HeaderEpoch, "1", origin.HeaderCodecs, format)
	h.ingest("PUT", "/sound/init", sound, origin.HeaderEpoch, "1", origin.HeaderCodecs, "mp4a.40.2")
	for msn := int64(firstMSN); msn < firstMSN+4; msn++ {
		for i := range 6 {
			h.mediaPart("540p", msn, i, except...)
			h.mediaPart("sound", msn, i)
		}
	}
	h.mediaPart("540p", firstMSN+4, 0)
	return h
}

// mediaPart puts a part of fragments, or of nonsense in the segments named.
func (h *house) mediaPart(rendition string, msn int64, part int, nonsense ...int64) {
	f := cmaf.Fragment{BaseTime: uint64(msn*48+int64(part)*8) * 3600}
	duration, timescale, count, each := "28800", "90000", 8, uint32(3600)
	if rendition == "sound" {
		f.BaseTime = uint64(msn*90+int64(part)*15) * 1024
		duration, timescale, count, each = "15360", "48000", 15, 1024
	}
	for i := range count {
		s := cmaf.Sample{Duration: each, Key: rendition == "sound" || part == 0 && i == 0}
		s.Data = append([]byte{0, 0, 0, 101, 0x41}, make([]byte, 100)...)
		if s.Key {
			s.Data[4] = 0x65
		}
		f.Samples = append(f.Samples, s)
	}
	data := f.Marshal()
	for _, n := range nonsense {
		if n == msn {
			data = []byte("what was written here is no fragment")
		}
	}
	rec := h.ingest("PUT", fmt.Sprintf("/%s/%d/%d", rendition, msn, part), data,
		origin.HeaderEpoch, "1", origin.HeaderDuration, duration, origin.HeaderTimescale, timescale,
		origin.HeaderIndependent, fmt.Sprint(rendition == "sound" || part == 0))
	require.Equal(h, http.StatusNoContent, rec.Code, rec.Body)
}

func TestPlayersWithoutFragmentedMP4AreServed(t *testing.T) {
	h := newMuxedHouse(t, origin.Options{})
	for _, file := range []string{"index.m3u8", "dvr.m3u8"} {
		rec := h.do("GET", "/ts/hall/"+file, nil)
		require.Equal(t, http.StatusOK, rec.Code)
		top, err := playlist.Unmarshal(rec.Body.Bytes())
		require.NoError(t, err)
		variants := top.(*playlist.Multivariant).Variants
		require.Len(t, variants, 1)
		require.Equal(t, "540p/"+file, variants[0].URI)
		require.Equal(t, []string{"avc1.42C01E", "mp4a.40.2"}, variants[0].Codecs)

		rec = h.do("GET", "/ts/hall/"+variants[0].URI, nil)
		require.Equal(t, http.StatusOK, rec.Code)
		require.Equal(t, "application/vnd.apple.mpegurl", rec.Header().Get("Content-Type"))
		read, err := playlist.Unmarshal(rec.Body.Bytes())
		require.NoError(t, err)
		media := read.(*playlist.Media)
		require.Equal(t, 3, media.Version)
		require.Equal(t, firstMSN, media.MediaSequence)
		require.Len(t, media.Segments, 4)
		for _, tag := range []string{"EXT-X-PART", "EXT-X-MAP", "SERVER-CONTROL", "PRELOAD", "RENDITION-REPORT"} {
			require.NotContains(t, rec.Body.String(), tag)
		}
		for _, s := range media.Segments {
			require.NotNil(t, s.DateTime)
			require.Equal(t, http.StatusOK, h.do("GET", "/ts/hall/540p/"+s.URI, nil).Code)
		}
	}
}

func TestASegmentOfMPEGTSNeverChanges(t *testing.T) {
	h := newMuxedHouse(t, origin.Options{})
	rec := h.do("GET", "/ts/hall/540p/1001.ts", nil)
	require.Equal(t, "video/mp2t", rec.Header().Get("Content-Type"))
	require.Equal(t, "public, max-age=12", rec.Header().Get("Cache-Control"))
	require.Zero(t, rec.Body.Len()%188)
	tag := rec.Header().Get("ETag")
	other := newMuxedHouse(t, origin.Options{}).do("GET", "/ts/hall/540p/1001.ts", nil)
	require.Equal(t, rec.Body.Bytes(), other.Body.Bytes(), "another origin makes the same")
	require.Equal(t, tag, other.Header().Get("ETag"))
	require.Equal(t, http.StatusNotModified, h.do("GET", "/ts/hall/540p/1001.ts", nil, "If-None-Match", tag).Code)
	piece := h.do("GET", "/ts/hall/540p/1001.ts", nil, "Range", "bytes=188-375")
	require.Equal(t, http.StatusPartialContent, piece.Code)
	require.Equal(t, rec.Body.Bytes()[188:376], piece.Body.Bytes())
	require.NotEqual(t, rec.Body.Bytes(), h.do("GET", "/ts/hall/sound/1001.ts", nil).Body.Bytes(), "sound alone")
}

func TestWhatIsNotThereInMPEGTSIsNotFound(t *testing.T) {
	h := newMuxedHouse(t, origin.Options{})
	for _, path := range []string{
		"/ts/other/index.m3u8", "/ts/hall/iframes.m3u8", "/ts/hall/240p/index.m3u8", "/ts/hall/540p/1004.ts", "/ts/hall/540p/999.ts",
		"/ts/hall/540p/01001.ts", "/ts/hall/540p/1001.m4s", "/ts/hall/540p/.ts", "/ts/hall/540p/..%2f1001.ts", "/ts/hall/540p/-1.ts",
	} {
		require.Equal(t, http.StatusNotFound, h.do("GET", path, nil).Code, path)
	}
	plain := filled(t, origin.Options{})
	for _, path := range []string{"/ts/hall/index.m3u8", "/ts/hall/540p/index.m3u8", "/ts/hall/540p/1001.ts"} {
		require.Equal(t, http.StatusNotFound, plain.do("GET", path, nil).Code, "the ladder does not ask for it")
	}
}

func TestASegmentIsMadeOnceHoweverManyAsk(t *testing.T) {
	h := newMuxedHouse(t, origin.Options{})
	var clients sync.WaitGroup
	for range 50 {
		clients.Go(func() {
			if code := h.do("GET", "/ts/hall/540p/1002.ts", nil).Code; code != http.StatusOK {
				t.Errorf("status %d", code)
			}
		})
	}
	clients.Wait()
	require.InDelta(t, 1, h.counted(t, "made"), 0)
	require.InDelta(t, 49, h.counted(t, "kept")+h.counted(t, "shared"), 0)
}

// counted returns how many requests for segments of MPEG-TS had that result.
func (h *house) counted(t *testing.T, result string) float64 {
	families, err := h.registry.Gather()
	require.NoError(t, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "venuecast_origin_ts_segments_total" && m.GetLabel()[0].GetValue() == result {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

func TestSegmentsOfMPEGTSAreKeptWithinABound(t *testing.T) {
	size := newMuxedHouse(t, origin.Options{}).do("GET", "/ts/hall/540p/1000.ts", nil).Body.Len()
	h := newMuxedHouse(t, origin.Options{MuxedBytes: int64(2*size + size/2)})
	for _, msn := range []int{1000, 1001, 1000, 1002, 1000, 1001} {
		require.Equal(t, http.StatusOK, h.do("GET", fmt.Sprintf("/ts/hall/540p/%d.ts", msn), nil).Code)
	}
	require.InDelta(t, 4, h.counted(t, "made"), 0, "1001 was not asked for longest")
	require.InDelta(t, 2, h.counted(t, "kept"), 0)
	require.NoError(t, testutil.GatherAndCompare(h.registry, strings.NewReader(fmt.Sprintf(
		"# HELP venuecast_origin_ts_cache_bytes Segments of MPEG-TS that are kept in memory.\n"+
			"# TYPE venuecast_origin_ts_cache_bytes gauge\nvenuecast_origin_ts_cache_bytes %d\n", 2*size)),
		"venuecast_origin_ts_cache_bytes"))
}

func TestASegmentThatCanNotBeReadHarmsNoOther(t *testing.T) {
	var log bytes.Buffer
	h := newMuxedHouse(t, origin.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}, 1001)
	for range 3 {
		require.Equal(t, http.StatusInternalServerError, h.do("GET", "/ts/hall/540p/1001.ts", nil).Code)
	}
	require.Equal(t, 1, strings.Count(log.String(), "can not be made"), log.String())
	require.Contains(t, log.String(), "hall/540p/1001")
	for _, path := range []string{"/ts/hall/540p/1000.ts", "/ts/hall/540p/1002.ts", "/ts/hall/sound/1001.ts", "/live/hall/540p/1001.m4s"} {
		require.Equal(t, http.StatusOK, h.do("GET", path, nil).Code, path)
	}
	require.InDelta(t, 3, h.counted(t, "failed"), 0)
}
