package origin_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/live"
	"github.com/venuecast/venuecast/transport/origin"
)

// newDemandHouse is an origin whose 1080p is on demand, with segments of 540p and sound; grown counts the calls to report demand.
func newDemandHouse(t *testing.T, grown *[]string) *house {
	demands, err := origin.NewDemands(prometheus.NewRegistry(), slog.New(slog.DiscardHandler), func(string, pipeline.Demand) error { return nil })
	require.NoError(t, err)
	opts := live.Options{OnDemand: true, Demanded: func(feed, rendition string, _ bool) {
		*grown = append(*grown, feed+"/"+rendition)
	}}
	h := newHouse(t, origin.Options{Demands: demands}, opts)
	h.feed.Ladder.Video = append([]ladder.Video{
		{Name: "1080p", Width: 1920, Height: 1080, Bitrate: 5_000_000, Divisor: 1, Encode: ladder.EncodeOnDemand},
	}, h.feed.Ladder.Video...)
	rec := h.claim(1)
	require.Equal(t, "reported", rec.Header().Get(origin.HeaderDemand))
	h.inits()
	rec = h.ingest("PUT", "/1080p/init", []byte("init 1080p"), origin.HeaderEpoch, "1", origin.HeaderCodecs, "avc1.640028")
	require.Equal(t, http.StatusNoContent, rec.Code)
	h.segments(firstMSN, firstMSN+8)
	return h
}

func TestWhatIsDemandAndWhatIsNot(t *testing.T) {
	var grown []string
	h := newDemandHouse(t, &grown)
	for _, free := range []string{"/live/hall/index.m3u8", "/live/hall/540p/index.m3u8", "/live/hall/540p/1007.m4s", "/live/hall/1080p/999999.m4s", "/live/hall/1080p/x.m4s"} {
		h.do("GET", free, nil)
	}
	for _, path := range []string{"/live/hall/1080p/index.m3u8", "/live/hall/1080p/1007.m4s"} {
		h.do("HEAD", path, nil)
		h.with(origin.WithoutDemand(shortly(t)), "GET", path, nil)
	}
	require.Empty(t, grown)
	require.Equal(t, http.StatusNotFound, h.do("GET", "/live/hall/1080p/iframes.m3u8", nil).Code)
	require.Equal(t, http.StatusOK, h.do("GET", "/live/hall/1080p/index.m3u8?_HLS_msn=1007&_HLS_part=5", nil).Code)
	require.Equal(t, []string{"hall/1080p"}, grown)
	h.with(shortly(t), "GET", "/live/hall/1080p/1003.2.m4s", nil)
	require.Equal(t, []string{"hall/1080p", "hall/1080p"}, grown, "somebody wants more")
	h.with(shortly(t), "GET", "/live/hall/1080p/1005.m4s", nil)
	require.Len(t, grown, 2)
}

func shortly(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

func TestMediaOfAColdRenditionAreWaitedForAndNotForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var grown []string
		h := newDemandHouse(t, &grown)
		answers := make(chan *httptest.ResponseRecorder, 3)
		begun := time.Now()
		for _, path := range []string{"/live/hall/1080p/1007.m4s", "/live/hall/1080p/1007.1.m4s", "/live/hall/1080p/1008.0.m4s"} {
			go func() { answers <- h.do("GET", path, nil) }()
			synctest.Wait()
			require.Empty(t, answers)
		}
		text := h.do("GET", "/live/hall/1080p/index.m3u8", nil).Body.String()
		require.Contains(t, text, "1007.m4s")
		require.NotContains(t, text, "GAP")
		for i := range 6 {
			require.Equal(t, http.StatusNoContent, h.part("1080p", 1007, i).Code)
		}
		synctest.Wait()
		require.Len(t, answers, 2)
		bodies := (<-answers).Body.String() + (<-answers).Body.String()
		require.Equal(t, 2, strings.Count(bodies, "1080p 1007.1;"), bodies)
		last := <-answers
		require.Equal(t, http.StatusServiceUnavailable, last.Code)
		require.Equal(t, "no-store", last.Header().Get("Cache-Control"))
		require.Equal(t, 4*time.Second, time.Since(begun))
	})
}

func TestOnlySoManyWaitForMediaThatAreNotMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, origin.Options{MaxWaiting: 2}, live.Options{OnDemand: true})
		h.feed.Ladder.Video = append([]ladder.Video{{Name: "1080p", Divisor: 1, Bitrate: 1, Encode: ladder.EncodeOnDemand}}, h.feed.Ladder.Video...)
		require.Empty(t, h.claim(1).Header().Get(origin.HeaderDemand), "nobody tells the worker")
		h.inits()
		h.ingest("PUT", "/1080p/init", []byte("init"), origin.HeaderEpoch, "1", origin.HeaderCodecs, "avc1.640028")
		h.segments(firstMSN, firstMSN+8)
		codes := make(chan int, 3)
		begun := time.Now()
		for i := range 3 {
			go func() { codes <- h.do("GET", fmt.Sprintf("/live/hall/1080p/1007.%d.m4s", i), nil).Code }()
			synctest.Wait()
		}
		require.Equal(t, http.StatusServiceUnavailable, <-codes)
		require.Zero(t, time.Since(begun), "it is turned away at once")
		<-codes
		<-codes
	})
}

func TestDemandIsReportedAtOnceAndAgainWhileItLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reports := make(chan pipeline.Demand, 100)
		demands, err := origin.NewDemands(prometheus.NewRegistry(), slog.New(slog.DiscardHandler), func(_ string, d pipeline.Demand) error {
			reports <- d
			return nil
		})
		require.NoError(t, err)
		feeds := live.New(live.Options{OnDemand: true, Demanded: demands.Grown})
		server, err := origin.New(origin.Options{Feeds: feeds, Demands: demands, Token: token})
		require.NoError(t, err)
		h := &house{T: t, feed: testFeed(time.Now().Truncate(time.Second)), handler: server.Handler()}
		h.feed.Ladder.Video = append([]ladder.Video{{Name: "1080p", Divisor: 1, Bitrate: 1, Encode: ladder.EncodeOnDemand}}, h.feed.Ladder.Video...)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { demands.Run(ctx, feeds); close(ended) }()
		h.claim(1)
		h.inits()
		h.ingest("PUT", "/1080p/init", []byte("init"), origin.HeaderEpoch, "1", origin.HeaderCodecs, "avc1.640028")
		h.segments(firstMSN, firstMSN+8)
		time.Sleep(3500 * time.Millisecond) // between two reports
		require.Empty(t, reports)
		h.do("GET", "/live/hall/1080p/index.m3u8", nil)
		synctest.Wait()
		require.Len(t, reports, 1, "at once")
		require.Equal(t, pipeline.Position{MSN: 1007}, (<-reports)["1080p"].From)
		time.Sleep(pipeline.DemandHold + 5*time.Second)
		require.Len(t, reports, 30)
		cancel()
		<-ended
	})
}
