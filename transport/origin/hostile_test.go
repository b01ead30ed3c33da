package origin_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline/live"
	"github.com/venuecast/venuecast/transport/origin"
)

func dial(t *testing.T, url string) net.Conn {
	_, address, _ := strings.Cut(url, "://")
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	return conn
}

// exchange sends bytes as they are and returns the status of the answer, 0 when there is none.
func exchange(t *testing.T, url, request string) int {
	conn := dial(t, url)
	_, _ = io.WriteString(conn, request) // the server may have hung up before the end of it
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

func TestHostileRequestsGetTheirStatusAndHarmNobody(t *testing.T) {
	url, _ := serveWith(t, "127.0.0.1:0", origin.Options{HeaderTimeout: 100 * time.Millisecond})
	fill(t, newClient(t, url), 1)
	const end = " HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, c := range map[string]struct {
		request string
		want    int
	}{
		"1 MB of header":       {"GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", 1<<20) + "\r\n\r\n", http.StatusRequestHeaderFieldsTooLarge},
		"1 MB of headers":      {"GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: a\r\n", 1<<17) + "\r\n", http.StatusRequestHeaderFieldsTooLarge},
		"1 MB of path":         {"GET /" + strings.Repeat("a", 1<<20) + end, http.StatusRequestHeaderFieldsTooLarge},
		"NUL in the path":      {"GET /live/hall\x00/index.m3u8" + end, http.StatusBadRequest},
		"NUL, escaped":         {"GET /live/hall%00/index.m3u8" + end, http.StatusNotFound},
		"dots, escaped":        {"GET /live/hall/540p/..%2f..%2f..%2fetc%2fpasswd" + end, http.StatusNotFound},
		"dots, twice escaped":  {"GET /live/hall/540p/%252e%252e%252fsession.json" + end, http.StatusNotFound},
		"backslashes":          {"GET /live/hall/540p/..%5c..%5csession.json" + end, http.StatusNotFound},
		"no header but a host": {"GET /healthz" + end, http.StatusOK},
		"no host":              {"GET /healthz HTTP/1.1\r\n\r\n", http.StatusBadRequest},
		"two lengths":          {"PUT /ingest/v1/hall/540p/1/0 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", http.StatusBadRequest},
		"absurd length":        {"PUT /ingest/v1/hall/540p/1/0 HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\nx", http.StatusBadRequest},
		"not HTTP":             {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", http.StatusBadRequest},
		"absurd number":        {"GET /live/hall/540p/index.m3u8?_HLS_msn=99999999999999999999" + end, http.StatusBadRequest},
		"absurd part":          {"GET /live/hall/540p/99999999999999999999.99999999999999999999.m4s" + end, http.StatusNotFound},
	} {
		require.Equal(t, c.want, exchange(t, url, c.request), name)
	}
	require.Equal(t, http.StatusOK, exchange(t, url, "GET /live/hall/540p/index.m3u8?_HLS_msn=1000"+end), "another client is unharmed")
}

func TestSlowHeadersAreCutOff(t *testing.T) {
	url, _ := serveWith(t, "127.0.0.1:0", origin.Options{HeaderTimeout: 100 * time.Millisecond})
	var slow sync.WaitGroup
	for range 50 {
		conn := dial(t, url)
		slow.Go(func() {
			_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n")
			_, _ = io.Copy(io.Discard, conn) // until the server hangs up
		})
	}
	require.Equal(t, http.StatusOK, exchange(t, url, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"))
	slow.Wait()
}

func TestSlowBodiesAreCutOffWhetherAnybodyReadsThemOrNot(t *testing.T) {
	url, _ := serveWith(t, "127.0.0.1:0", origin.Options{ReadTimeout: 100 * time.Millisecond})
	const length, chunks = "Content-Length: 10\r\n\r\n123", "Transfer-Encoding: chunked\r\n\r\n10\r\n123"
	for _, request := range []string{
		"GET /healthz HTTP/1.1\r\nHost: x\r\n" + length, "GET /healthz HTTP/1.1\r\nHost: x\r\n" + chunks,
		"POST / HTTP/1.1\r\nHost: x\r\n" + length, "PUT /ingest/v1/hall/540p/1/0 HTTP/1.1\r\nHost: x\r\n" + length,
	} {
		conn := dial(t, url)
		_, err := io.WriteString(conn, request)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, conn)
		require.NoError(t, err, "the server hangs up")
	}
}

// Over HTTP/2 the limit of an answer ends its stream. Who writes it may be in the middle of a frame, and waits for the connection.
func TestAnAnswerOverHTTP2ThatNobodyReadsEnds(t *testing.T) {
	registry := prometheus.NewRegistry()
	url, _ := serveWith(t, "127.0.0.1:0", origin.Options{WriteTimeout: time.Second, Registerer: registry})
	worker := newClient(t, url)
	fill(t, worker, 1)
	part := testPart(firstMSN+1, 0)
	part.Data = make([]byte, 8<<20) // more than sockets hold
	require.NoError(t, worker.PutPart(t.Context(), "hall", 1, part))
	a := &archive{T: t, registry: registry}
	before := a.answers()
	conn := dial(t, url)
	require.NoError(t, conn.(*net.TCPConn).SetReadBuffer(64<<10)) // else it grows
	path := "/live/hall/540p/1001.0.m4s"
	header := "\x82\x86\x04" + string(rune(len(path))) + path + "\x01\x01x" // GET, http, path, host (RFC 7541 §6)
	_, err := io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+
		"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x04\x7f\xff\xff\xff"+ // SETTINGS: windows of 2 GiB (RFC 9113 §6.5)
		"\x00\x00\x04\x08\x00\x00\x00\x00\x00\x7f\x00\x00\x00"+ // WINDOW_UPDATE of the connection
		"\x00\x00"+string(rune(len(header)))+"\x01\x05\x00\x00\x00\x01"+header) // HEADERS
	require.NoError(t, err)
	require.Eventually(t, func() bool { return a.answers() == before+1 }, 10*time.Second, time.Millisecond)
}

func TestConnectionsAreBounded(t *testing.T) {
	registry := prometheus.NewRegistry()
	url, _ := serveWith(t, "127.0.0.1:0", origin.Options{Connections: 3, Registerer: registry})
	idle := []net.Conn{dial(t, url), dial(t, url), dial(t, url)}
	require.Eventually(t, func() bool { return gauge(t, registry, "venuecast_origin_connections") == 3 }, 5*time.Second, time.Millisecond)
	status := make(chan int)
	go func() { status <- exchange(t, url, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") }()
	select {
	case <-status:
		t.Fatal("a fourth connection was served")
	case <-time.After(50 * time.Millisecond):
	}
	require.NoError(t, idle[0].Close())
	require.Equal(t, http.StatusOK, <-status)
}

func TestManyIdleConnectionsHarmNobody(t *testing.T) {
	url, _ := serve(t, "127.0.0.1:0", nil)
	for range 400 {
		dial(t, url)
	}
	require.Equal(t, http.StatusOK, exchange(t, url, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"))
}

// Slow headers, idle connections, requests that wait and go, and large headers: a good client is served beside them,
// and nothing is left when they have gone.
func TestNothingIsLeftOfHostileClients(t *testing.T) {
	url, put, waiting := serving(t)
	require.Equal(t, http.StatusOK, exchange(t, url, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"))
	before := runtime.NumGoroutine()
	var conns []net.Conn
	for range 100 {
		slow, idle, waits, large := dial(t, url), dial(t, url), dial(t, url), dial(t, url)
		conns = append(conns, slow, idle, waits, large)
		_, err := io.WriteString(slow, "GET / HTTP/1.1\r\nHo")
		require.NoError(t, err)
		ask(t, idle, "/healthz", "")
		ask(t, waits, nextPart, "")
		_, _ = io.WriteString(large, "GET / HTTP/1.1\r\nX: "+strings.Repeat("a", 64<<10)) // the server may have hung up before the end of it
	}
	waiting(100)
	good := dial(t, url)
	ask(t, good, nextPart, "")
	waiting(101)
	put(0, []byte("part"))
	require.Equal(t, http.StatusOK, answerOn(t, bufio.NewReader(good)).status)
	require.Equal(t, http.StatusBadRequest, exchange(t, url, "GET /live/hall/540p/index.m3u8?_HLS_msn=99999999999999999999 HTTP/1.1\r\nHost: x\r\n\r\n"))
	for _, conn := range append(conns, good) {
		require.NoError(t, conn.Close())
	}
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+5 }, 10*time.Second, time.Millisecond)
}

func TestHTTP2CarriesManyBlockedRequestsOnOneConnection(t *testing.T) {
	config, err := origin.TLSSelfSigned(time.Now(), "127.0.0.1")
	require.NoError(t, err)
	registry := prometheus.NewRegistry()
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	url, _ := serveWith(t, "127.0.0.1:0", origin.Options{TLS: config, Plain: plain, Registerer: registry})
	worker := newClient(t, "http://"+plain.Addr().String())
	fill(t, worker, 1)

	cert, err := x509.ParseCertificate(config.Certificates[0].Certificate[0])
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	viewer := &http.Client{Transport: transport}
	resp, err := viewer.Get(url + "/healthz")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 2, resp.ProtoMajor)
	var waiting sync.WaitGroup
	for range 100 {
		waiting.Go(func() { get(t, viewer, url+"/live/hall/540p/index.m3u8?_HLS_msn=1001&_HLS_part=0", http.StatusOK) })
	}
	require.Eventually(t, func() bool { return waitingRequests(t, registry) == 100 }, 5*time.Second, time.Millisecond)
	require.EqualValues(t, 2, gauge(t, registry, "venuecast_origin_connections"), "one of the viewer, one of the worker")
	require.NoError(t, worker.PutPart(t.Context(), "hall", 1, testPart(firstMSN+1, 0)))
	waiting.Wait()
}

func TestAbsurdRangesAreAnswered(t *testing.T) {
	h := filled(t, origin.Options{})
	for header, want := range map[string]int{
		"bytes=0-":                    http.StatusPartialContent,
		"bytes=-1":                    http.StatusPartialContent,
		"bytes=71-99999":              http.StatusPartialContent,
		"bytes=72-":                   http.StatusRequestedRangeNotSatisfiable,
		"bytes=99999999999999999999-": http.StatusRequestedRangeNotSatisfiable,
		"bytes=5-4":                   http.StatusRequestedRangeNotSatisfiable,
		"bytes=-99999999999999999999": http.StatusRequestedRangeNotSatisfiable,
		"potatoes=0-1":                http.StatusRequestedRangeNotSatisfiable,
		"bytes=" + strings.Repeat("0-,", 4000) + "0-": http.StatusOK, // more than all of it is all of it
	} {
		rec := h.do("GET", "/live/hall/540p/1001.m4s", nil, "Range", header)
		require.Equal(t, want, rec.Code, "%.40s", header)
		require.Less(t, rec.Body.Len(), 1000)
	}
}

func TestPlaylistsHaveTagsAndLengths(t *testing.T) {
	h := filled(t, origin.Options{})
	for _, path := range []string{"/live/hall/index.m3u8", "/live/hall/540p/index.m3u8", "/dvr/hall/540p/index.m3u8?ll=0"} {
		rec := h.do("GET", path, nil)
		tag := rec.Header().Get("ETag")
		require.Regexp(t, `^W/"[0-9a-f]+-[0-9a-f]{8}"$`, tag)
		head := h.do("HEAD", path, nil)
		require.Equal(t, http.StatusOK, head.Code)
		require.Equal(t, fmt.Sprint(rec.Body.Len()), head.Header().Get("Content-Length"))
		again := h.do("GET", path, nil, "If-None-Match", `"other", `+tag)
		require.Equal(t, http.StatusNotModified, again.Code)
		require.Zero(t, again.Body.Len())
		require.Equal(t, rec.Header().Get("Cache-Control"), again.Header().Get("Cache-Control"))
	}
	before := h.do("GET", "/live/hall/540p/index.m3u8", nil).Header().Get("ETag")
	require.Equal(t, http.StatusNoContent, h.part("540p", firstMSN+4, 1).Code)
	require.Equal(t, http.StatusOK, h.do("GET", "/live/hall/540p/index.m3u8", nil, "If-None-Match", before).Code)
}

func FuzzRequestsNeverFailInside(f *testing.F) {
	for _, path := range []string{
		"/live/hall/540p/index.m3u8?_HLS_msn=1004&_HLS_part=0&_HLS_skip=v2", "/dvr/hall/540p/iframes.m3u8?ll=0", "/vod/hall/index.m3u8?from=0&to=1e9",
		"/vod/hall/540p/index.m3u8?from=2026-11-22T12:00:00Z&to=9999-12-31T23:59:59Z", "/live/hall/540p/1000.m4s", "/live/hall/540p/1004.1.m4s",
		"/live/hall/sound/init.0.mp4", "/api/v1/feeds/hall/events", "/api/v1/clips/x.mp4", "/watch/hall", "/page/page.css", "/live/hall/thumbnail.jpg",
		"/live/hall/thumbnail.1000.jpg", "/dvr/hall/storyboard.vtt", "/dvr/hall/storyboard.1000-1002.jpg", "/vod/hall/storyboard.vtt?from=0&to=1e9", "//", "/live/hall/../x", "/%zz",
	} {
		f.Add(path)
	}
	feeds := live.New(live.Options{})
	server, err := origin.New(origin.Options{Feeds: feeds, Token: token})
	require.NoError(f, err)
	h := &house{handler: server.Handler(), feed: testFeed(time.Now().Truncate(time.Second))}
	f.Fuzz(func(t *testing.T, target string) {
		if feeds.Feed("hall") == nil {
			h.T = t
			require.Equal(t, http.StatusOK, h.claim(1).Code)
			h.inits()
			h.segments(firstMSN, firstMSN+4)
		}
		req, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n")))
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond) // of a client that has no patience
		defer cancel()
		rec := httptest.NewRecorder()
		h.handler.ServeHTTP(rec, req.WithContext(ctx))
		require.NotEqual(t, http.StatusInternalServerError, rec.Code)
		require.NotContains(t, rec.Body.String(), "root:")
	})
}
