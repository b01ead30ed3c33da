package origin_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/transport/origin"
)

// ask sends one request for a playlist or part that is not there yet.
func ask(t *testing.T, conn net.Conn, target, header string) {
	_, err := io.WriteString(conn, "GET "+target+" HTTP/1.1\r\nHost: x\r\n"+header+"\r\n")
	require.NoError(t, err)
}

// answer is a response that has been read.
type answer struct {
	status int
	length int64
	header http.Header
	body   []byte
}

func answerOn(t *testing.T, from *bufio.Reader) answer {
	resp, err := http.ReadResponse(from, nil)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	resp.Header.Del("Date")
	return answer{resp.StatusCode, resp.ContentLength, resp.Header, body}
}

const nextPart = "/live/hall/540p/index.m3u8?_HLS_msn=1001&_HLS_part=0"

// serving returns an origin on a socket with one segment, its worker, and how many requests wait there.
func serving(t *testing.T) (url string, put func(index int, data []byte), waiting func(n int)) {
	registry := prometheus.NewRegistry()
	url, _ = serveWith(t, "127.0.0.1:0", origin.Options{Registerer: registry})
	worker := newClient(t, url)
	fill(t, worker, 1)
	put = func(index int, data []byte) {
		part := testPart(firstMSN+1, index)
		part.Data = data
		require.NoError(t, worker.PutPart(t.Context(), "hall", 1, part))
	}
	return url, put, func(n int) {
		t.Helper()
		gaugeBecomes(t, registry, "venuecast_origin_waiting_requests", float64(n))
	}
}

func TestAWaitingRequestHasNoGoroutine(t *testing.T) {
	url, put, waiting := serving(t)
	before := runtime.NumGoroutine()
	var conns []net.Conn
	for range 200 {
		conns = append(conns, dial(t, url))
		ask(t, conns[len(conns)-1], nextPart, "Accept-Encoding: gzip\r\n")
	}
	waiting(200)
	require.Eventually(t, func() bool { return runtime.NumGoroutine() < before+50 }, 5*time.Second, time.Millisecond)
	put(0, []byte("part"))
	for _, conn := range conns {
		require.Equal(t, http.StatusOK, answerOn(t, bufio.NewReader(conn)).status)
	}
	waiting(0)
}

func TestAParkedRequestIsAnsweredAsAnyOther(t *testing.T) {
	url, put, waiting := serving(t)
	for i, target := range []string{nextPart, "/live/hall/540p/1001.1.m4s"} {
		for _, coding := range []string{"", "Accept-Encoding: gzip\r\n", "Accept-Encoding: gzip;q=0.5\r\nAccept-Encoding: zstd\r\n"} {
			plain, parked := dial(t, url), dial(t, url)
			ask(t, plain, target, coding+"Range: \r\n") // a header of no effect, that net/http has to deal with
			ask(t, parked, target, coding)
			if coding == "" {
				waiting(2)
				put(i, []byte("part"))
			}
			require.Equal(t, answerOn(t, bufio.NewReader(plain)), answerOn(t, bufio.NewReader(parked)))
		}
	}
}

func TestRequestsBehindAParkedOneAreAnsweredInTurn(t *testing.T) {
	url, put, waiting := serving(t)
	conn := dial(t, url)
	ask(t, conn, nextPart, "\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n")
	waiting(1)
	ask(t, conn, "/live/hall/540p/1001.1.m4s", "")
	put(0, []byte("part"))
	from := bufio.NewReader(conn)
	require.Contains(t, string(answerOn(t, from).body), "1001.0.m4s")
	require.Equal(t, "ok\n", string(answerOn(t, from).body))
	waiting(1)
	put(1, []byte("the next"))
	require.Equal(t, "the next", string(answerOn(t, from).body))
}

func TestASlowClientHoldsUpNobody(t *testing.T) {
	url, put, waiting := serving(t)
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<20) // more than sockets hold
	slow, good := dial(t, url), dial(t, url)
	ask(t, slow, "/live/hall/540p/1001.0.m4s", "")
	waiting(1)
	ask(t, good, nextPart, "")
	waiting(2)
	put(0, large)
	require.Equal(t, http.StatusOK, answerOn(t, bufio.NewReader(good)).status)
	from := bufio.NewReader(slow)
	require.True(t, bytes.Equal(large, answerOn(t, from).body))
	ask(t, slow, "/healthz", "")
	require.Equal(t, "ok\n", string(answerOn(t, from).body))
}

func TestAParkedRequestEndsWithItsClient(t *testing.T) {
	url, _, waiting := serving(t)
	conn := dial(t, url)
	ask(t, conn, nextPart, "")
	waiting(1)
	require.NoError(t, conn.Close())
	waiting(0)
}
