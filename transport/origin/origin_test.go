package origin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bluenviron/gohlslib/v2/pkg/playlist"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/live"
	"github.com/venuecast/venuecast/transport/origin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	token    = "a secret of the venue"
	firstMSN = 1000
)

// testFeed has segments of 1.92 s in 6 parts; segment firstMSN begins at start.
func testFeed(start time.Time) pipeline.Feed {
	g := grid.Grid{FrameRate: codecs.Rational{Num: 25, Den: 1}, StepFrames: 48, PartFrames: 8}
	g.Epoch = codecs.TicksAt(start) - codecs.TicksIn(firstMSN*g.Step())
	return pipeline.Feed{ID: "hall", Grid: g, Ladder: ladder.Ladder{
		DVR:   time.Minute,
		Video: []ladder.Video{{Name: "540p", Width: 960, Height: 540, Bitrate: 1_500_000, Divisor: 1}},
		Audio: []ladder.Audio{{Name: "sound", Bitrate: 128_000}},
	}}
}

// house is an origin without a socket, and the worker that fills it.
type house struct {
	*testing.T
	handler  http.Handler
	feed     pipeline.Feed
	registry *prometheus.Registry
}

func newHouse(t *testing.T, opts origin.Options, liveOpts live.Options) *house {
	h := &house{T: t, feed: testFeed(time.Now().Truncate(time.Second)), registry: prometheus.NewRegistry()}
	opts.Feeds, opts.Token, opts.Registerer = live.New(liveOpts), token, h.registry
	server, err := origin.New(opts)
	require.NoError(t, err)
	h.handler = server.Handler()
	return h
}

func (h *house) do(method, path string, body []byte, header ...string) *httptest.ResponseRecorder {
	return h.with(h.Context(), method, path, body, header...)
}

func (h *house) with(ctx context.Context, method, path string, body []byte, header ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequestWithContext(ctx, method, path, bytes.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	h.handler.ServeHTTP(rec, req)
	return rec
}

func (h *house) ingest(method, path string, body []byte, header ...string) *httptest.ResponseRecorder {
	return h.do(method, "/ingest/v1/hall"+path, body, append(header, "Authorization", "Bearer "+token)...)
}

func (h *house) claim(epoch uint64) *httptest.ResponseRecorder {
	body, err := json.Marshal(pipeline.Session{Feed: h.feed, Epoch: epoch})
	require.NoError(h, err)
	return h.ingest("POST", "/session", body)
}

func (h *house) inits() {
	for name, format := range map[string]string{"540p": "avc1.64001F", "sound": "mp4a.40.2"} {
		rec := h.ingest("PUT", "/"+name+"/init", []byte("init "+name), origin.HeaderEpoch, "1", origin.HeaderCodecs, format)
		require.Equal(h, http.StatusNoContent, rec.Code, rec.Body)
	}
}

func (h *house) part(rendition string, msn int64, index int) *httptest.ResponseRecorder {
	duration, timescale := "28800", "90000"
	if rendition == "sound" {
		duration, timescale = "15360", "48000"
	}
	return h.ingest("PUT", fmt.Sprintf("/%s/%d/%d", rendition, msn, index), fmt.Appendf(nil, "%s %d.%d;", rendition, msn, index),
		origin.HeaderEpoch, "1", origin.HeaderDuration, duration, origin.HeaderTimescale, timescale,
		origin.HeaderIndependent, strconv.FormatBool(index == 0 || rendition == "sound"))
}

func (h *house) segments(from, to int64) {
	for msn := from; msn < to; msn++ {
		for i := range 6 {
			for _, name := range []string{"540p", "sound"} {
				require.Equal(h, http.StatusNoContent, h.part(name, msn, i).Code)
			}
		}
	}
}

// filled returns an origin with segments firstMSN to firstMSN+3 and one part of the next.
func filled(t *testing.T, opts origin.Options) *house {
	h := newHouse(t, opts, live.Options{})
	require.Equal(t, http.StatusOK, h.claim(1).Code)
	h.inits()
	h.segments(firstMSN, firstMSN+4)
	require.Equal(t, http.StatusNoContent, h.part("540p", firstMSN+4, 0).Code)
	return h
}

func TestWorkersMustShowTheToken(t *testing.T) {
	h := filled(t, origin.Options{})
	for _, path := range []string{"/ingest/v1/hall", "/ingest/v1/nowhere"} {
		require.Equal(t, http.StatusUnauthorized, h.do("GET", path, nil).Code)
		require.Equal(t, http.StatusUnauthorized, h.do("GET", path, nil, "Authorization", "Bearer wrong").Code)
		require.Equal(t, http.StatusUnauthorized, h.do("GET", path, nil, "Authorization", token).Code)
	}
	require.Equal(t, http.StatusOK, h.ingest("GET", "", nil).Code)
}

func TestTheStateIsTheResumeLedger(t *testing.T) {
	h := filled(t, origin.Options{})
	want := `{"540p":{"msn":1004,"part":1},"sound":{"msn":1004,"part":0}}`
	require.JSONEq(t, want, h.ingest("GET", "", nil).Body.String())
	require.JSONEq(t, want, h.claim(1).Body.String())
}

func TestWorkersAreToldWhatIsWrong(t *testing.T) {
	h := filled(t, origin.Options{})
	require.Equal(t, http.StatusOK, h.claim(5).Code)
	good := []string{origin.HeaderEpoch, "5", origin.HeaderDuration, "28800", origin.HeaderTimescale, "90000", origin.HeaderIndependent, "false"}
	for name, c := range map[string]struct {
		path   string
		body   []byte
		change []string
		want   int
	}{
		"lower epoch":       {"/540p/1004/1", []byte("x"), []string{origin.HeaderEpoch, "4"}, http.StatusPreconditionFailed},
		"unclaimed epoch":   {"/540p/1004/1", []byte("x"), []string{origin.HeaderEpoch, "6"}, http.StatusConflict},
		"too long":          {"/540p/1004/1", []byte("x"), []string{origin.HeaderDuration, "99999"}, http.StatusBadRequest},
		"no duration":       {"/540p/1004/1", []byte("x"), []string{origin.HeaderDuration, ""}, http.StatusBadRequest},
		"a gap with bytes":  {"/540p/1004/1", []byte("x"), []string{origin.HeaderGap, "true"}, http.StatusBadRequest},
		"a gap":             {"/sound/1004/1", nil, []string{origin.HeaderGap, "true", origin.HeaderTimescale, "48000", origin.HeaderDuration, "15360"}, http.StatusNoContent},
		"empty":             {"/540p/1004/1", nil, nil, http.StatusBadRequest},
		"no number":         {"/540p/x/1", []byte("x"), nil, http.StatusBadRequest},
		"unknown rendition": {"/240p/1004/1", []byte("x"), nil, http.StatusBadRequest},
		"large init":        {"/540p/init", make([]byte, live.MaxInitBytes+1), []string{origin.HeaderCodecs, "avc1.64001F"}, http.StatusRequestEntityTooLarge},
		"again":             {"/540p/1004/0", []byte("x"), nil, http.StatusNoContent},
	} {
		t.Run(name, func(t *testing.T) {
			rec := h.ingest("PUT", c.path, c.body, append(append([]string{}, good...), c.change...)...)
			require.Equal(t, c.want, rec.Code, rec.Body)
		})
	}
	require.Equal(t, http.StatusPreconditionFailed, h.claim(4).Code)
	require.Equal(t, http.StatusBadRequest, h.ingest("POST", "/session", []byte("{")).Code)
	rec := h.do("PUT", "/ingest/v1/other/540p/1/0", []byte("x"), "Authorization", "Bearer "+token)
	require.Equal(t, http.StatusNotFound, rec.Code)
}

func TestPlaylistsAreReadableByAnotherReader(t *testing.T) {
	h := filled(t, origin.Options{})
	rec := h.do("GET", "/live/hall/index.m3u8", nil)
	require.Equal(t, http.StatusOK, rec.Code)
	require.Equal(t, "application/vnd.apple.mpegurl", rec.Header().Get("Content-Type"))
	top, err := playlist.Unmarshal(rec.Body.Bytes())
	require.NoError(t, err)
	require.Equal(t, "540p/index.m3u8", top.(*playlist.Multivariant).Variants[0].URI)

	rec = h.do("GET", "/live/hall/540p/index.m3u8", nil, "Accept-Encoding", "identity")
	require.Equal(t, "public, max-age=1", rec.Header().Get("Cache-Control"))
	require.Equal(t, "Accept-Encoding", rec.Header().Get("Vary"))
	read, err := playlist.Unmarshal(rec.Body.Bytes())
	require.NoError(t, err)
	media := read.(*playlist.Media)
	require.Equal(t, firstMSN, media.MediaSequence)
	require.Len(t, media.Segments, 4)
	require.NotNil(t, media.ServerControl)
	require.Equal(t, fmt.Sprintf("%d.1.m4s", firstMSN+4), media.PreloadHint.URI)

	rec = h.do("GET", "/live/hall/540p/index.m3u8?ll=0", nil)
	require.NotContains(t, rec.Body.String(), "EXT-X-PART")
	require.NotContains(t, rec.Body.String(), "SERVER-CONTROL")
	require.Contains(t, h.do("GET", "/live/hall/index.m3u8?ll=0", nil).Body.String(), "540p/index.m3u8?ll=0\n")
}

func TestAPlaylistHasATagForEachCoding(t *testing.T) {
	h := filled(t, origin.Options{})
	const path = "/live/hall/540p/index.m3u8"
	tags := map[string]string{}
	for accept, want := range map[string]string{"": "", "gzip": "gzip", "gzip, deflate, br, zstd": "zstd"} {
		rec := h.do("GET", path, nil, "Accept-Encoding", accept)
		require.Equal(t, want, rec.Header().Get("Content-Encoding"))
		require.Equal(t, "Accept-Encoding", rec.Header().Get("Vary"))
		require.Equal(t, strconv.Itoa(rec.Body.Len()), rec.Header().Get("Content-Length"))
		tag := rec.Header().Get("ETag")
		tags[tag] = want
		again := h.do("GET", path, nil, "Accept-Encoding", accept, "If-None-Match", tag)
		require.Equal(t, http.StatusNotModified, again.Code)
		require.Equal(t, tag, again.Header().Get("ETag"))
		require.Equal(t, "Accept-Encoding", again.Header().Get("Vary"))
		require.Zero(t, again.Body.Len())
	}
	require.Len(t, tags, 3)
	for tag, coding := range tags {
		if coding == "gzip" {
			require.Equal(t, http.StatusOK, h.do("GET", path, nil, "Accept-Encoding", "zstd", "If-None-Match", tag).Code)
		}
	}
}

func TestTheDVRPointsToTheSameMedia(t *testing.T) {
	h := filled(t, origin.Options{})
	require.Equal(t, h.do("GET", "/live/hall/index.m3u8", nil).Body.String(), h.do("GET", "/dvr/hall/index.m3u8", nil).Body.String())
	rec := h.do("GET", "/dvr/hall/540p/index.m3u8?_HLS_msn=1004&_HLS_part=0", nil)
	require.Equal(t, http.StatusOK, rec.Code)
	read, err := playlist.Unmarshal(rec.Body.Bytes())
	require.NoError(t, err)
	base, err := url.Parse("/dvr/hall/540p/index.m3u8")
	require.NoError(t, err)
	segments := read.(*playlist.Media).Segments
	require.Len(t, segments, 4)
	for _, s := range segments {
		at, err := base.Parse(s.URI)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, h.do("GET", at.Path, nil).Code)
	}
	require.NotContains(t, h.do("GET", "/dvr/hall/540p/index.m3u8?ll=0", nil).Body.String(), "EXT-X-PART")
	require.Equal(t, http.StatusNotFound, h.do("GET", "/dvr/hall/540p/1000.m4s", nil).Code, "one address for each object")
	require.Equal(t, http.StatusNotFound, h.do("GET", "/dvr/other/540p/index.m3u8", nil).Code)
}

func TestAPieceOfThePastIsServed(t *testing.T) {
	h := filled(t, origin.Options{})
	begin := h.feed.Grid.SegmentTime(firstMSN).Time()
	query := fmt.Sprintf("?from=%s&to=%d", begin.Add(time.Second).Format(time.RFC3339Nano), begin.Unix()+5)
	rec := h.do("GET", "/vod/hall/index.m3u8"+query, nil)
	require.Equal(t, http.StatusOK, rec.Code, rec.Body)
	require.Equal(t, "public, max-age=12", rec.Header().Get("Cache-Control"))
	read, err := playlist.Unmarshal(rec.Body.Bytes())
	require.NoError(t, err)
	rec = h.do("GET", "/vod/hall/"+read.(*playlist.Multivariant).Variants[0].URI, nil)
	require.Equal(t, http.StatusOK, rec.Code, rec.Body)
	require.Contains(t, rec.Body.String(), "#EXT-X-START:TIME-OFFSET=1,PRECISE=YES\n")
	require.Contains(t, rec.Body.String(), "1002.m4s\n#EXT-X-ENDLIST\n")

	for path, want := range map[string]int{
		"/vod/hall/index.m3u8":                     http.StatusBadRequest,
		"/vod/hall/index.m3u8?from=5&to=now":       http.StatusBadRequest,
		"/vod/hall/index.m3u8?from=6&to=5":         http.StatusBadRequest,
		"/vod/hall/index.m3u8?from=5&to=6":         http.StatusNotFound,
		"/vod/other/index.m3u8" + query:            http.StatusNotFound,
		"/vod/hall/240p/index.m3u8" + query:        http.StatusNotFound,
		"/vod/hall/540p/index.m3u8?from=-1e300":    http.StatusBadRequest,
		"/vod/hall/540p/index.m3u8?from=0&to=1e10": http.StatusBadRequest,
	} {
		require.Equal(t, want, h.do("GET", path, nil).Code, path)
	}
}

// Names tell what will come: who asks for it early must not have caches keep that it is not there from those who ask in time.
func TestWhatIsStillToComeIsNotCachedAsMissing(t *testing.T) {
	h := newHouse(t, origin.Options{}, live.Options{})
	h.feed.Ladder.Container = ladder.MPEGTS
	require.Equal(t, http.StatusOK, h.claim(1).Code)
	h.inits()
	h.segments(firstMSN, firstMSN+4)
	end := h.feed.Grid.SegmentTime(firstMSN + 4).Time().Unix()
	for path, want := range map[string]int{
		"/live/hall/540p/1004.m4s":                                       http.StatusNotFound,
		"/live/hall/540p/1004.1.m4s":                                     http.StatusNotFound,
		"/live/hall/540p/1009.0.m4s":                                     http.StatusNotFound,
		"/live/hall/540p/index.m3u8?_HLS_msn=1006":                       http.StatusBadRequest,
		"/ts/hall/540p/1004.ts":                                          http.StatusNotFound,
		"/live/hall/thumbnail.1004.jpg":                                  http.StatusNotFound,
		"/dvr/hall/storyboard.1000-1004.jpg":                             http.StatusNotFound,
		fmt.Sprintf("/vod/hall/index.m3u8?from=%d&to=%d", end+9, end+20): http.StatusNotFound,
	} {
		rec := h.do("GET", path, nil)
		require.Equal(t, want, rec.Code, path)
		require.Equal(t, "no-store", rec.Header().Get("Cache-Control"), path)
	}
	gone := h.do("GET", "/live/hall/540p/999.m4s", nil)
	require.Equal(t, http.StatusNotFound, gone.Code)
	require.Equal(t, "public, max-age=2", gone.Header().Get("Cache-Control"), "that will never be there again")
}

func TestPlaylistRequestsAreAnsweredByTheStandard(t *testing.T) {
	h := filled(t, origin.Options{})
	for query, want := range map[string]int{
		"":                                    200,
		"?token=x&_HLS_pathway=a":             200,
		"?_HLS_msn=1":                         200,
		"?_HLS_msn=1004&_HLS_part=0":          200,
		"?_HLS_msn=1003&_HLS_part=9":          200,
		"?_HLS_msn=1003&_HLS_skip=YES":        200,
		"?_HLS_part=0":                        400,
		"?_HLS_msn=a":                         400,
		"?_HLS_msn=1006":                      400,
		"?_HLS_msn=1005&_HLS_part=5":          400,
		"?_HLS_msn=99999999999&_HLS_part=1":   400,
		"?ll=0&_HLS_msn=1004&_HLS_part=5":     200,
		"?_HLS_msn=1002&_HLS_msn=1003&again=": 400,
	} {
		rec := h.do("GET", "/live/hall/540p/index.m3u8"+query, nil)
		require.Equal(t, want, rec.Code, query)
		require.Equal(t, "*", rec.Header().Get("Access-Control-Allow-Origin"))
	}
	require.Equal(t, "public, max-age=12", h.do("GET", "/live/hall/540p/index.m3u8?_HLS_msn=1003", nil).Header().Get("Cache-Control"))
}

func TestMediaIsServedWithRangesAndTags(t *testing.T) {
	h := filled(t, origin.Options{})
	body := "540p 1001.0;540p 1001.1;540p 1001.2;540p 1001.3;540p 1001.4;540p 1001.5;"
	rec := h.do("GET", "/live/hall/540p/1001.m4s", nil)
	require.Equal(t, http.StatusOK, rec.Code)
	require.Equal(t, body, rec.Body.String())
	require.Equal(t, "video/mp4", rec.Header().Get("Content-Type"))
	tag := rec.Header().Get("ETag")
	require.Regexp(t, `^"[0-9a-f.-]+"$`, tag)

	rec = h.do("GET", "/live/hall/540p/1001.m4s", nil, "If-None-Match", tag)
	require.Equal(t, http.StatusNotModified, rec.Code)
	rec = h.do("GET", "/live/hall/540p/1001.m4s", nil, "Range", "bytes=0-3")
	require.Equal(t, http.StatusPartialContent, rec.Code)
	require.Equal(t, "540p", rec.Body.String())
	rec = h.do("HEAD", "/live/hall/540p/1001.m4s", nil)
	require.Equal(t, strconv.Itoa(len(body)), rec.Header().Get("Content-Length"))
	require.Empty(t, rec.Body.String())
	require.Equal(t, "540p 1004.0;", h.do("GET", "/live/hall/540p/1004.0.m4s", nil).Body.String())
	require.Equal(t, "audio/mp4", h.do("GET", "/live/hall/sound/1001.3.m4s", nil).Header().Get("Content-Type"))

	uri := strings.Split(h.do("GET", "/live/hall/540p/index.m3u8", nil).Body.String(), `#EXT-X-MAP:URI="`)[1]
	uri = uri[:strings.IndexByte(uri, '"')]
	require.Equal(t, "init 540p", h.do("GET", "/live/hall/540p/"+uri, nil).Body.String())
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	h := filled(t, origin.Options{})
	for _, path := range []string{
		"/live/other/index.m3u8", "/live/hall/240p/index.m3u8", "/live/hall/540p/999.m4s", "/live/hall/540p/1004.m4s",
		"/live/hall/540p/1004.3.m4s", "/live/hall/540p/1003.6.m4s", "/live/hall/540p/01001.m4s", "/live/hall/540p/-1.m4s",
		"/live/hall/540p/init.0.mp4", "/live/hall/540p/1001.m4s%00", "/live/hall/540p/..%2f..%2fetc%2fpasswd", "/live/hall/540p/",
		"/live/%2e%2e/540p/index.m3u8", "/live/hall%00/index.m3u8", "/live/hall/540p/1001.m4s/", "/watch/%00", "/page/nothing",
	} {
		rec := h.do("GET", path, nil)
		require.Equal(t, http.StatusNotFound, rec.Code, path)
		require.Equal(t, "*", rec.Header().Get("Access-Control-Allow-Origin"), path)
	}
	require.Equal(t, http.StatusMethodNotAllowed, h.do("POST", "/live/hall/index.m3u8", nil).Code)
	require.Equal(t, http.StatusNoContent, h.do("OPTIONS", "/live/hall/index.m3u8", nil).Code)
}

func TestOnePartWakesAThousandClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := filled(t, origin.Options{})
		var clients sync.WaitGroup
		playlists := make(chan string, 1000)
		hinted := make(chan string, 1)
		clients.Go(func() { hinted <- h.do("GET", "/live/hall/540p/1004.1.m4s", nil).Body.String() })
		for range 1000 {
			clients.Go(func() {
				rec := h.do("GET", "/live/hall/540p/index.m3u8?_HLS_msn=1004&_HLS_part=1", nil)
				if rec.Code == http.StatusOK {
					playlists <- rec.Body.String()
				}
			})
		}
		synctest.Wait()
		require.Empty(t, playlists)
		require.NoError(t, testutil.GatherAndCompare(h.registry, strings.NewReader(
			"# HELP venuecast_origin_waiting_requests Requests that wait for a part.\n# TYPE venuecast_origin_waiting_requests gauge\nvenuecast_origin_waiting_requests 1001\n"),
			"venuecast_origin_waiting_requests"))
		require.Equal(t, http.StatusNoContent, h.part("540p", firstMSN+4, 1).Code)
		clients.Wait()
		require.Len(t, playlists, 1000)
		require.Contains(t, <-playlists, "1004.1.m4s\"\n")
		require.Equal(t, "540p 1004.1;", <-hinted)
	})
}

func TestABlockedRequestGivesUpAfterThreeTargetDurations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := filled(t, origin.Options{})
		for _, path := range []string{"/index.m3u8?_HLS_msn=1004&_HLS_part=1", "/1004.1.m4s"} {
			before := time.Now()
			rec := h.do("GET", "/live/hall/540p"+path, nil)
			require.Equal(t, http.StatusServiceUnavailable, rec.Code)
			require.LessOrEqual(t, time.Since(before), 6*time.Second)
		}
	})
}

func TestAStoppedFeedDoesNotLookAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := filled(t, origin.Options{})
		time.Sleep(7 * time.Second)
		for _, path := range []string{"/live/hall/index.m3u8", "/live/hall/540p/index.m3u8", "/live/hall/540p/index.m3u8?_HLS_msn=1004"} {
			require.Equal(t, http.StatusServiceUnavailable, h.do("GET", path, nil).Code, path)
		}
		require.Contains(t, h.do("GET", "/api/v1/feeds", nil).Body.String(), `"live":false`)
		require.Equal(t, http.StatusOK, h.do("GET", "/live/hall/540p/1001.m4s", nil).Code)
	})
}

func TestWaitingRequestsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := filled(t, origin.Options{MaxWaiting: 1})
		ctx, leave := context.WithCancel(t.Context())
		var client sync.WaitGroup
		client.Go(func() { h.with(ctx, "GET", "/live/hall/540p/1004.1.m4s", nil) })
		synctest.Wait()
		rec := h.do("GET", "/live/hall/540p/1004.1.m4s", nil)
		require.Equal(t, http.StatusServiceUnavailable, rec.Code)
		require.Equal(t, "no-store", rec.Header().Get("Cache-Control"))
		leave()
		client.Wait()
	})
}

func TestHalfALadderIsNotShown(t *testing.T) {
	h := newHouse(t, origin.Options{}, live.Options{})
	require.Equal(t, http.StatusNotFound, h.do("GET", "/live/hall/index.m3u8", nil).Code)
	require.Equal(t, http.StatusOK, h.claim(1).Code)
	require.Equal(t, http.StatusConflict, h.part("540p", firstMSN, 0).Code, "without an init section")
	h.inits()
	for i := range 6 {
		require.Equal(t, http.StatusNoContent, h.part("540p", firstMSN, i).Code)
	}
	require.Equal(t, http.StatusServiceUnavailable, h.do("GET", "/live/hall/index.m3u8", nil).Code)
	require.Equal(t, http.StatusServiceUnavailable, h.do("GET", "/live/hall/sound/index.m3u8", nil).Code)
	require.Equal(t, http.StatusOK, h.do("GET", "/live/hall/540p/index.m3u8", nil).Code)
}

func TestThePageNeedsNothingFromElsewhere(t *testing.T) {
	h := newHouse(t, origin.Options{}, live.Options{})
	for path, kind := range map[string]string{
		"/": "text/html", "/watch/hall": "text/html", "/page/page.css": "text/css", "/page/watch.js": "text/javascript",
		"/page/feeds.js": "text/javascript", "/page/clips.js": "text/javascript", "/page/storyboard.js": "text/javascript", "/page/vendor/hls.min.js": "text/javascript",
	} {
		rec := h.do("GET", path, nil)
		require.Equal(t, http.StatusOK, rec.Code, path)
		require.True(t, strings.HasPrefix(rec.Header().Get("Content-Type"), kind), "%s: %s", path, rec.Header().Get("Content-Type"))
		if !strings.Contains(path, "vendor") {
			require.NotContains(t, rec.Body.String(), "://", path)
		}
	}
	require.Equal(t, "ok\n", h.do("GET", "/healthz", nil).Body.String())
	require.JSONEq(t, `{"feeds":[]}`, h.do("GET", "/api/v1/feeds", nil).Body.String())
}

func TestMetricsCountWhatCameAndWentOut(t *testing.T) {
	h := filled(t, origin.Options{})
	h.claim(0)
	require.NoError(t, testutil.GatherAndCompare(h.registry, strings.NewReader(`
# HELP venuecast_origin_parts_total Parts taken from workers.
# TYPE venuecast_origin_parts_total counter
venuecast_origin_parts_total{feed="hall",rendition="540p"} 25
venuecast_origin_parts_total{feed="hall",rendition="sound"} 24
# HELP venuecast_origin_refused_total Requests to write that were refused, by reason.
# TYPE venuecast_origin_refused_total counter
venuecast_origin_refused_total{reason="fenced"} 1
`), "venuecast_origin_parts_total", "venuecast_origin_refused_total"))
}
