package origin_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/live"
	"github.com/venuecast/venuecast/transport/origin"
)

// archive is an origin on a socket whose segments, from firstMSN on, lie in files.
type archive struct {
	*testing.T
	url      string
	registry *prometheus.Registry
	dir      string
	disk     *origin.Disk
	stop     func()
}

const archived = 4

// newArchive returns one whose segments are of six parts each: somePart in the first two, part in the others.
func newArchive(t *testing.T, part []byte, opts origin.Options) *archive {
	a := &archive{T: t, registry: prometheus.NewRegistry(), dir: t.TempDir()}
	kept, err := origin.OpenFiles(a.registry)
	require.NoError(t, err)
	a.disk, err = origin.OpenDisk(a.dir, origin.DiskOptions{KeepOpen: 3, Kept: kept})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.disk.Close()) })
	opts.Feeds = live.New(live.Options{Store: a.disk, PreferStore: true})
	opts.Listener, err = net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	opts.Token, opts.Registerer = token, a.registry
	server, err := origin.New(opts)
	require.NoError(t, err)
	a.url = "http://" + opts.Listener.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := pipeline.Run(ctx, opts.Feeds, server); err != nil && ctx.Err() == nil {
			t.Errorf("running the origin: %v", err)
		}
	})
	a.stop = func() { cancel(); running.Wait() }
	t.Cleanup(a.stop)
	a.fill(opts.Feeds, part)
	return a
}

func (a *archive) fill(feeds *live.Feeds, data []byte) {
	_, err := feeds.Claim(pipeline.Session{Feed: testFeed(startOfTest), Epoch: 1})
	require.NoError(a, err)
	feed := feeds.Feed("hall")
	require.NoError(a, feed.PutInit(1, pipeline.Init{Rendition: "540p", Codecs: "avc1.64001F", Data: []byte("init")}))
	for n := range 6 * archived {
		part := testPart(int64(firstMSN+n/6), n%6)
		if part.Data = somePart; n >= 6*2 {
			part.Data = data
		}
		require.NoError(a, feed.PutPart(1, part))
	}
	require.Eventually(a, func() bool { return len(a.files()) == archived }, 10*time.Second, time.Millisecond)
}

// files returns the names of the segments that are stored.
func (a *archive) files() (names []string) {
	names, err := fs.Glob(os.DirFS(a.dir), "hall/*/540p/*.m4s")
	require.NoError(a, err)
	return names
}

func segmentPath(n int) string { return fmt.Sprintf("/live/hall/540p/%d.m4s", firstMSN+n) }

func (a *archive) lanes(n float64) {
	a.Helper()
	gaugeBecomes(a.T, a.registry, "venuecast_origin_lane_connections", n)
}

// answers returns how many answers were counted.
func (a *archive) answers() (n float64) {
	families, err := a.registry.Gather()
	require.NoError(a, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "venuecast_origin_responses_total" {
				n += m.GetCounter().GetValue()
			}
		}
	}
	return n
}

// inLane returns a connection that has asked for two segments, and so is in a lane.
func (a *archive) inLane() (net.Conn, *bufio.Reader) {
	conn := dial(a.T, a.url)
	require.NoError(a, conn.(*net.TCPConn).SetReadBuffer(64<<10)) // else it grows as much is read
	from := bufio.NewReader(conn)
	for n := range 2 {
		ask(a.T, conn, segmentPath(n), "")
		require.Equal(a, http.StatusOK, answerOn(a.T, from).status)
	}
	return conn, from
}

var somePart = bytes.Repeat([]byte("0123456789abcdef"), 1<<10)

// What a lane must not forget of what Server.common does: the header, and the count. TestASlowReaderInALaneIsCutOff has the third.
func TestASegmentInALaneIsAnsweredAsAnyOther(t *testing.T) {
	a := newArchive(t, somePart, origin.Options{})
	conn, from := a.inLane()
	a.lanes(1)
	for n := range archived {
		alone := dial(t, a.url)
		ask(t, alone, segmentPath(n), "")
		ask(t, conn, segmentPath(n)+"?CMCD=br%3D1500", "User-Agent: another\r\n")
		want := answerOn(t, bufio.NewReader(alone))
		got := answerOn(t, from)
		require.Equal(t, bytes.Repeat(somePart, 6), got.body)
		require.Equal(t, want, got)
		a.lanes(1)
	}
	require.Eventually(t, func() bool { return a.answers() == 2+2*archived }, 10*time.Second, time.Millisecond, "each is counted")
	require.NoError(t, conn.Close())
	a.lanes(0)
}

// All that is not a plain request for a live playlist or media that are there is answered as if there were no lanes.
func TestALaneLeavesTheRestToOthers(t *testing.T) {
	a := newArchive(t, somePart, origin.Options{HeaderTimeout: 300 * time.Millisecond})
	segment := "GET " + segmentPath(0) + " HTTP/1.1\r\nHost: x\r\n"
	for name, request := range map[string]string{
		"all renditions":          "GET /live/hall/index.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n",
		"a playlist of pictures":  "GET /live/hall/540p/iframes.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n",
		"a playlist of the past":  "GET /dvr/hall/540p/index.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n",
		"a malformed directive":   "GET /live/hall/540p/index.m3u8?_HLS_msn=-1 HTTP/1.1\r\nHost: x\r\n\r\n",
		"a part without segment":  "GET /live/hall/540p/index.m3u8?_HLS_part=1 HTTP/1.1\r\nHost: x\r\n\r\n",
		"a place too far ahead":   "GET /live/hall/540p/index.m3u8?_HLS_msn=9999 HTTP/1.1\r\nHost: x\r\n\r\n",
		"a playlist known":        "GET /live/hall/540p/index.m3u8 HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\n\r\n",
		"a part that is not":      "GET /live/hall/540p/1000.7.m4s HTTP/1.1\r\nHost: x\r\n\r\n",
		"a part too far ahead":    "GET /live/hall/540p/9999.1.m4s HTTP/1.1\r\nHost: x\r\n\r\n",
		"an init section":         "GET /live/hall/540p/init.x.mp4 HTTP/1.1\r\nHost: x\r\n\r\n",
		"a segment that is not":   "GET /live/hall/540p/1.m4s HTTP/1.1\r\nHost: x\r\n\r\n",
		"a rendition that is not": "GET /live/hall/1/1000.m4s HTTP/1.1\r\nHost: x\r\n\r\n",
		"a feed that is not":      "GET /live/x/540p/1000.m4s HTTP/1.1\r\nHost: x\r\n\r\n",
		"an escaped path":         "GET /live/h%61ll/540p/1000.m4s HTTP/1.1\r\nHost: x\r\n\r\n",
		"dots in the path":        "GET /live/../live/hall/540p/1000.m4s HTTP/1.1\r\nHost: x\r\n\r\n",
		"the whole address":       "GET http://x/live/hall/540p/1000.m4s HTTP/1.1\r\nHost: x\r\n\r\n",
		"HEAD":                    strings.Replace(segment, "GET", "HEAD", 1) + "\r\n",
		"OPTIONS":                 strings.Replace(segment, "GET", "OPTIONS", 1) + "\r\n",
		"POST":                    strings.Replace(segment, "GET", "POST", 1) + "Content-Length: 1\r\n\r\nx",
		"a range":                 segment + "Range: bytes=10-19\r\n\r\n",
		"an absurd range":         segment + "Range: bytes=99999999-\r\n\r\n",
		"any tag":                 segment + "If-None-Match: *\r\n\r\n",
		"another tag":             segment + "If-Match: \"x\"\r\n\r\n",
		"the last request":        segment + "Connection: close\r\n\r\n",
		"the last, among others":  segment + "Connection: x, close\r\n\r\n",
		"an expectation":          segment + "Expect: 100-continue\r\n\r\n",
		"a body":                  segment + "Content-Length: 5\r\n\r\nGET /",
		"a body in chunks":        segment + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"two lengths":             segment + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nx",
		"length and chunks":       segment + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"an unknown coding":       segment + "Transfer-Encoding: x\r\n\r\n",
		"no host":                 "GET " + segmentPath(0) + " HTTP/1.1\r\n\r\n",
		"two hosts":               segment + "Host: y\r\n\r\n",
		"an impossible host":      "GET " + segmentPath(0) + " HTTP/1.1\r\nHost: x/y\r\n\r\n",
		"HTTP/1.0":                strings.Replace(segment, "1.1", "1.0", 1) + "\r\n",
		"HTTP/9.9":                strings.Replace(segment, "1.1", "9.9", 1) + "\r\n",
		"a space before a colon":  segment + "Content-Length : 1\r\n\r\n",
		"a folded line":           segment + "X: a\r\n b\r\n\r\n",
		"a NUL":                   segment + "X: \x00\r\n\r\n",
		"a bare line feed":        "GET " + segmentPath(0) + " HTTP/1.1\nHost: x\n\n",
		"lone line feeds inside":  segment + "X: a\nContent-Length: 1\r\n\r\n",
		"not HTTP":                "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
		"a header without an end": segment + "X: " + strings.Repeat("a", 100),
		"a large header":          segment + "X: " + strings.Repeat("a", 6<<10) + "\r\n\r\n",
		"a header beyond limits":  segment + "X: " + strings.Repeat("a", 64<<10) + "\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			method, _, _ := strings.Cut(request, " ")
			conn, from := a.inLane()
			require.Equal(t, answersTo(t, dial(t, a.url), nil, method, request), answersTo(t, conn, from, method, request))
			a.lanes(0)
		})
	}
	a.lanes(0)
}

// answersTo returns what a client reads after a request, which is followed by one of the plainest unless the connection ends.
func answersTo(t *testing.T, conn net.Conn, from *bufio.Reader, method, request string) (got []answer) {
	if from == nil {
		from = bufio.NewReader(conn)
	}
	_, _ = io.WriteString(conn, request+"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") // the server may have hung up before the end of it
	for _, method := range []string{method, http.MethodGet} {
		resp, err := http.ReadResponse(from, &http.Request{Method: method})
		if err != nil {
			return got
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close() // it has been read
		resp.Header.Del("Date")
		got = append(got, answer{resp.StatusCode, resp.ContentLength, resp.Header, fmt.Append(nil, len(body), crc32.ChecksumIEEE(body))})
		if resp.Close { // after which the server hangs up, perhaps before the client has read all
			got[len(got)-1].body = nil
			return got
		}
		require.NoError(t, err)
	}
	return got
}

func TestRequestsInALaneMayComeInOnePieceOrInMany(t *testing.T) {
	a := newArchive(t, somePart, origin.Options{})
	conn, from := a.inLane()
	plain := func(n int) string { return "GET " + segmentPath(n) + " HTTP/1.1\r\nHost: x\r\n\r\n" }
	_, err := io.WriteString(conn, plain(2)+plain(3)+"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"+plain(0)+plain(1)+plain(2)[:20])
	require.NoError(t, err)
	for _, want := range []int{2, 3, -1, 0, 1} {
		got := answerOn(t, from)
		require.Equal(t, http.StatusOK, got.status)
		if want >= 0 {
			require.Len(t, got.body, 6*len(somePart))
		} else {
			require.Equal(t, "ok\n", string(got.body))
		}
	}
	_, err = io.WriteString(conn, plain(2)[20:])
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answerOn(t, from).status)
}

var largePart = bytes.Repeat([]byte("0123456789abcdef"), 1<<17) // six are more than sockets hold

func TestASegmentThatIsRemovedWhileItIsSentIsSentWhole(t *testing.T) {
	a := newArchive(t, largePart, origin.Options{})
	files := openDescriptors(t)
	lane, fromLane := a.inLane()
	other := dial(t, a.url)
	fromOther := bufio.NewReader(other)
	ask(t, lane, segmentPath(2), "")
	ask(t, other, segmentPath(2), "")
	for _, from := range []*bufio.Reader{fromLane, fromOther} {
		_, err := from.Peek(100)
		require.NoError(t, err)
	}
	for _, name := range a.files() {
		require.NoError(t, a.disk.Remove(name))
	}
	for _, from := range []*bufio.Reader{fromLane, fromOther} {
		require.True(t, bytes.Equal(bytes.Repeat(largePart, 6), answerOn(t, from).body))
	}
	require.Zero(t, gauge(t, a.registry, "venuecast_origin_open_files"))
	require.NoError(t, lane.Close())
	require.NoError(t, other.Close())
	require.Eventually(t, func() bool { return openDescriptors(t) <= files }, 5*time.Second, time.Millisecond)
}

// openDescriptors returns how many this process has, of those that stand for files.
func openDescriptors(t *testing.T) (n int) {
	const dir = "/proc/self/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Skip("no /proc here")
	}
	for _, e := range entries {
		if target, err := os.Readlink(path.Join(dir, e.Name())); err == nil && strings.Contains(target, ".m4s") {
			n++
		}
	}
	return n
}

func TestASlowReaderInALaneIsCutOff(t *testing.T) {
	a := newArchive(t, largePart, origin.Options{WriteTimeout: time.Second})
	before := runtime.NumGoroutine()
	var conns []net.Conn
	for range 4 {
		conn, _ := a.inLane()
		conns = append(conns, conn)
	}
	a.lanes(4)
	for _, conn := range conns {
		ask(t, conn, segmentPath(2), "")
	}
	a.lanes(0)
	require.Eventually(t, func() bool { return gauge(t, a.registry, "venuecast_origin_connections") == 0 }, 5*time.Second, time.Millisecond)
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+5 }, 5*time.Second, time.Millisecond)
	require.LessOrEqual(t, openDescriptors(t), 3, "kept for the next")
}

func TestLanesDoNotHoldUpTheEnd(t *testing.T) {
	a := newArchive(t, somePart, origin.Options{})
	for range 10 {
		a.inLane()
	}
	a.lanes(10)
	before := time.Now()
	a.stop()
	require.Less(t, time.Since(before), 4*time.Second)
}

func TestASlowReaderInALaneHoldsUpTheEndForSecondsOnly(t *testing.T) {
	a := newArchive(t, largePart, origin.Options{WriteTimeout: time.Hour})
	conn, from := a.inLane()
	ask(t, conn, segmentPath(2), "")
	_, err := from.Peek(100)
	require.NoError(t, err)
	before := time.Now()
	a.stop()
	require.Less(t, time.Since(before), 20*time.Second)
}
