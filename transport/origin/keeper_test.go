package origin

import (
	"bufio"
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/live"
)

// hall is an origin on a socket with segment 1000 and part 1001.0, where each request is parked.
type hall struct {
	*testing.T
	*Server
	feed *live.Feed
}

// newHall returns one where parks says how a request is parked.
func newHall(t *testing.T, parks func(h *hall, w http.ResponseWriter, req *http.Request) bool) *hall {
	g := grid.Grid{FrameRate: codecs.Rational{Num: 25, Den: 1}, StepFrames: 48, PartFrames: 8}
	g.Epoch = codecs.TicksAt(time.Now()) - codecs.TicksIn(1000*g.Step())
	feeds := live.New(live.Options{})
	_, err := feeds.Claim(pipeline.Session{Epoch: 1, Feed: pipeline.Feed{ID: "hall", Grid: g, Ladder: ladder.Ladder{
		Video: []ladder.Video{{Name: "540p", Width: 960, Height: 540, Bitrate: 1_500_000, Divisor: 1}},
	}}})
	require.NoError(t, err)
	h := &hall{T: t, feed: feeds.Feed("hall")}
	require.NoError(t, h.feed.PutInit(1, pipeline.Init{Rendition: "540p", Codecs: "avc1.64001F", Data: []byte("init")}))
	for n := range 7 {
		h.put(n)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	h.Server, err = New(Options{Feeds: feeds, Token: "x", Listener: listener})
	require.NoError(t, err)
	h.handler = h.common(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if h.enter() != nil || !parks(h, w, req) {
			t.Error("it is not parked")
		}
	}))
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = h.Server.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return h
}

// put adds a part, counted from 1000.0.
func (h *hall) put(n int) {
	require.NoError(h, h.feed.PutPart(1, pipeline.Part{
		Rendition: "540p", MSN: int64(1000 + n/6), Index: n % 6, Duration: 28800, Timescale: 90000, Independent: n%6 == 0, Data: []byte("part"),
	}))
}

// parkFor parks a request for a part of segment 1001.
func (h *hall) parkFor(w http.ResponseWriter, req *http.Request, part int) bool {
	ask := question{part: true, blocking: true, want: pipeline.Position{MSN: 1001, Part: part}}
	return h.park(w, req, h.feed.Rendition("540p"), ask)
}

// ask sends a request.
func (h *hall) ask(path string) *bufio.Reader {
	conn, err := net.Dial("tcp", h.opts.Listener.Addr().String())
	require.NoError(h, err)
	h.Cleanup(func() { _ = conn.Close() })
	require.NoError(h, conn.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(h, err)
	return bufio.NewReader(conn)
}

func (h *hall) answered(from *bufio.Reader) {
	resp, err := http.ReadResponse(from, nil)
	require.NoError(h, err)
	require.NoError(h, resp.Body.Close())
	require.Equal(h, http.StatusOK, resp.StatusCode)
}

// waitsFor reports whether a request for a part of segment 1001 is parked.
func (h *hall) waitsFor(part int) bool {
	h.parking.mu.Lock()
	defer h.parking.mu.Unlock()
	return slices.ContainsFunc(slices.Concat(slices.Collect(maps.Values(h.parking.lots))...), func(p parked) bool {
		return p.ask.want.Part == part
	})
}

func (h *hall) waits(n int) {
	h.Helper()
	require.Eventually(h, func() bool { return testutil.ToFloat64(h.metrics.waiting) == float64(n) }, 5*time.Second, time.Millisecond)
}

// A request looks whether its part is there, and then joins those that wait. When the part comes between the two, the keeper has
// answered all who waited for it before.
func TestARequestThatJoinsAfterItsPartCameIsAnsweredAtOnce(t *testing.T) {
	lots := runtime.GOMAXPROCS(0)
	h := newHall(t, func(h *hall, w http.ResponseWriter, req *http.Request) bool {
		if req.URL.Path == "/next" {
			return h.parkFor(w, req, 1)
		}
		defer func() {
			if h.waitsFor(0) {
				t.Error("it waits for the part after its own")
			}
		}()
		return h.parkFor(w, req, 0)
	})
	for range lots {
		h.ask("/next")
	}
	h.waits(lots) // each has a keeper that has seen 1001.0
	for range 2 * lots {
		h.answered(h.ask("/late"))
	}
}

// The client of the request that keeps a lot may have gone before it is parked: net/http has ended its context then.
func TestALotIsKeptWhenItsFirstClientHasGone(t *testing.T) {
	h := newHall(t, func(h *hall, w http.ResponseWriter, req *http.Request) bool {
		ctx, cancel := context.WithCancel(req.Context())
		cancel()
		return h.parkFor(w, req.WithContext(ctx), 1)
	})
	first := h.ask("/")
	h.waits(1)
	h.put(7)
	h.answered(first)
}
