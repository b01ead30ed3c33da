package origin_test

import (
	"bufio"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/transport/origin"
)

// viewers is an origin with viewers that have waited for 1001.0, and so are in lanes.
type viewers struct {
	*testing.T
	url      string
	registry *prometheus.Registry
	stop     func()
	put      func(index int)
	conns    []net.Conn
	from     []*bufio.Reader
}

func newViewers(t *testing.T, n int, opts origin.Options) *viewers {
	v := &viewers{T: t, registry: prometheus.NewRegistry()}
	opts.Registerer = v.registry
	v.url, v.stop = serveWith(t, "127.0.0.1:0", opts)
	worker := newClient(t, v.url)
	fill(t, worker, 1)
	v.put = func(index int) {
		require.NoError(t, worker.PutPart(t.Context(), "hall", 1, testPart(firstMSN+1, index)))
	}
	for range n {
		v.conns = append(v.conns, dial(t, v.url))
		v.from = append(v.from, bufio.NewReader(v.conns[len(v.conns)-1]))
	}
	v.ask(nextPart)
	v.waiting(n)
	v.put(0)
	v.okay()
	v.lanes(n)
	return v
}

func (v *viewers) ask(target string) {
	v.Helper()
	for _, conn := range v.conns {
		ask(v.T, conn, target, "Accept-Encoding: gzip\r\n")
	}
}

func (v *viewers) okay() {
	v.Helper()
	for _, from := range v.from {
		require.Equal(v, http.StatusOK, answerOn(v.T, from).status)
	}
}

func (v *viewers) waiting(n int) {
	v.Helper()
	gaugeBecomes(v.T, v.registry, "venuecast_origin_waiting_requests", float64(n))
}

func (v *viewers) lanes(n int) {
	v.Helper()
	gaugeBecomes(v.T, v.registry, "venuecast_origin_lane_connections", float64(n))
}

func TestWhoHasWaitedWaitsAgainWithoutAGoroutine(t *testing.T) {
	const many = 200
	before := runtime.NumGoroutine()
	v := newViewers(t, many, origin.Options{})
	for i, target := range []string{
		"/live/hall/540p/index.m3u8?_HLS_msn=1001&_HLS_part=1", "/live/hall/540p/1001.2.m4s", "/live/hall/540p/index.m3u8?_HLS_msn=1001&_HLS_part=3",
	} {
		v.ask(target)
		v.waiting(many)
		v.lanes(0)
		require.Eventually(t, func() bool { return runtime.NumGoroutine() < before+50 }, 5*time.Second, time.Millisecond)
		v.put(1 + i)
		v.okay()
		v.lanes(many)
	}
}

func TestWhoHasWaitedGetsTheSameAsAnyOther(t *testing.T) {
	v := newViewers(t, 1, origin.Options{})
	for _, target := range []string{
		"/live/hall/540p/index.m3u8", "/live/hall/540p/index.m3u8?ll=0", "/live/hall/540p/index.m3u8?_HLS_skip=YES", "/live/hall/540p/index.m3u8?_HLS_skip=v2",
		nextPart, nextPart + "&_HLS_skip=YES&token=a%20b", "/live/hall/540p/index.m3u8?_HLS_msn=1000", "/live/hall/540p/index.m3u8?_HLS_msn=1&ll=0",
		"/live/hall/540p/1000.1.m4s", "/live/hall/540p/1001.0.m4s?CMCD=br%3D1500", "/live/hall/540p/1000.m4s",
	} {
		alone := dial(t, v.url)
		ask(t, alone, target, "Accept-Encoding: gzip\r\n")
		want := answerOn(t, bufio.NewReader(alone))
		require.Equal(t, http.StatusOK, want.status)
		v.ask(target)
		require.Equal(t, want, answerOn(t, v.from[0]), target)
		v.lanes(1)
	}
	v.ask("/healthz")
	v.okay()
	v.lanes(0)
}

func TestWhoHasWaitedAndWaitsAgainIsToldOfTheEnd(t *testing.T) {
	v := newViewers(t, 2, origin.Options{})
	ask(t, v.conns[0], "/live/hall/540p/1001.1.m4s", "")
	v.waiting(1)
	before := time.Now()
	v.stop()
	require.Less(t, time.Since(before), 4*time.Second)
	require.Equal(t, http.StatusServiceUnavailable, answerOn(t, v.from[0]).status)
	_, err := v.from[1].ReadByte()
	require.Error(t, err, "it was idle")
}

func TestARequestThatFailsInALaneEndsItsConnectionOnly(t *testing.T) {
	var fails atomic.Bool
	v := newViewers(t, 2, origin.Options{Now: func() time.Time {
		if fails.Load() {
			panic("for the test")
		}
		return time.Now()
	}})
	fails.Store(true)
	ask(t, v.conns[0], "/live/hall/540p/index.m3u8", "")
	_, err := v.from[0].ReadByte()
	require.Error(t, err)
	v.lanes(1)
	fails.Store(false)
	ask(t, v.conns[1], "/live/hall/540p/index.m3u8", "")
	require.Equal(t, http.StatusOK, answerOn(t, v.from[1]).status)
}
