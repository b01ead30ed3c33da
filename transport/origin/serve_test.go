package origin_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/live"
	"github.com/venuecast/venuecast/transport/origin"
	"github.com/venuecast/venuecast/transport/push"
)

var startOfTest = time.Now().Truncate(time.Second)

// serve runs an origin on a socket of its own until the test ends, or stop is called.
func serve(t *testing.T, address string, reg prometheus.Registerer) (url string, stop func()) {
	return serveWith(t, address, origin.Options{Registerer: reg})
}

func serveWith(t *testing.T, address string, opts origin.Options) (url string, stop func()) {
	var err error
	opts.Listener, err = net.Listen("tcp", address)
	require.NoError(t, err)
	opts.Feeds, opts.Token = live.New(live.Options{}), token
	server, err := origin.New(opts)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := server.Run(ctx); err != nil {
			t.Errorf("running the origin: %v", err)
		}
	})
	stop = func() { cancel(); running.Wait() }
	t.Cleanup(stop)
	scheme := "http://"
	if opts.TLS != nil {
		scheme = "https://"
	}
	return scheme + opts.Listener.Addr().String(), stop
}

func newClient(t *testing.T, url string) *push.Client {
	client, err := push.New(push.Options{URL: url, Token: token})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

func testPart(msn int64, index int) pipeline.Part {
	return pipeline.Part{Rendition: "540p", MSN: msn, Index: index, Duration: 28800, Timescale: 90000, Independent: index == 0, Data: []byte("part")}
}

func fill(t *testing.T, client *push.Client, epoch uint64) {
	feed := testFeed(startOfTest)
	_, err := client.Claim(t.Context(), pipeline.Session{Feed: feed, Epoch: epoch})
	require.NoError(t, err)
	require.NoError(t, client.PutInit(t.Context(), "hall", epoch, pipeline.Init{Rendition: "540p", Codecs: "avc1.64001F", Data: []byte("init")}))
	for i := range 6 {
		require.NoError(t, client.PutPart(t.Context(), "hall", epoch, testPart(firstMSN, i)))
	}
}

func TestAPushedPartReachesABlockedViewer(t *testing.T) {
	registry := prometheus.NewRegistry()
	url, stop := serve(t, "127.0.0.1:0", registry)
	client := newClient(t, url)
	fill(t, client, 1)

	viewer := &http.Client{Transport: &http.Transport{}}
	defer viewer.CloseIdleConnections()
	var waiting sync.WaitGroup
	var body []byte
	waiting.Go(func() {
		body = get(t, viewer, url+"/live/hall/540p/index.m3u8?_HLS_msn=1001&_HLS_part=0", http.StatusOK)
	})
	require.NoError(t, client.PutPart(t.Context(), "hall", 1, testPart(firstMSN+1, 0)))
	waiting.Wait()
	require.Contains(t, string(body), `URI="1001.0.m4s",INDEPENDENT=YES`)

	state, err := client.Claim(t.Context(), pipeline.Session{Feed: testFeed(startOfTest), Epoch: 2})
	require.NoError(t, err)
	require.Equal(t, pipeline.State{"540p": {MSN: firstMSN + 1, Part: 1}}, state)
	require.ErrorIs(t, client.PutPart(t.Context(), "hall", 1, testPart(firstMSN+1, 1)), pipeline.ErrFenced)

	// A viewer who waits does not hold up the end.
	waiting.Go(func() { get(t, viewer, url+"/live/hall/540p/1001.1.m4s", http.StatusServiceUnavailable) })
	require.Eventually(t, func() bool { return waitingRequests(t, registry) == 1 }, 5*time.Second, time.Millisecond)
	before := time.Now()
	stop()
	waiting.Wait()
	require.Less(t, time.Since(before), 4*time.Second)
}

func waitingRequests(t *testing.T, registry *prometheus.Registry) float64 {
	return gauge(t, registry, "venuecast_origin_waiting_requests")
}

func gauge(t *testing.T, registry *prometheus.Registry, name string) float64 {
	families, err := registry.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	return -1
}

func gaugeBecomes(t *testing.T, registry *prometheus.Registry, name string, n float64) {
	t.Helper()
	require.Eventually(t, func() bool { return gauge(t, registry, name) == n }, 10*time.Second, time.Millisecond)
}

func get(t *testing.T, client *http.Client, url string, want int) []byte {
	resp, err := client.Get(url)
	if err != nil {
		t.Errorf("%s: %v", url, err)
		return nil
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != want {
		t.Errorf("%s: status %d, want %d: %v", url, resp.StatusCode, want, err)
	}
	return body
}

func TestARestartedOriginAsksForANewClaim(t *testing.T) {
	url, stop := serve(t, "127.0.0.1:0", nil)
	client := newClient(t, url)
	fill(t, client, 1)
	stop()
	serve(t, strings.TrimPrefix(url, "http://"), nil)
	require.ErrorIs(t, client.PutPart(t.Context(), "hall", 1, testPart(firstMSN+1, 0)), push.ErrNoSession)
	fill(t, client, 1)
	require.NoError(t, client.PutPart(t.Context(), "hall", 1, testPart(firstMSN+1, 0)))
}
