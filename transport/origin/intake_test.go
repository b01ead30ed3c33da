package origin_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/transport/origin"
)

// intake is an origin on a socket, and a connection on which two parts were put, so that it is taken from net/http.
type intake struct {
	*testing.T
	url      string
	registry *prometheus.Registry
	stop     func()
	conn     net.Conn
	from     *bufio.Reader
}

func newIntake(t *testing.T, opts origin.Options) *intake {
	i := &intake{T: t, registry: prometheus.NewRegistry()}
	opts.Registerer = i.registry
	i.url, i.stop = serveWith(t, "127.0.0.1:0", opts)
	client := newClient(t, i.url)
	fill(t, client, 1)
	client.Close() // so that what is left is
	i.conn = dial(t, i.url)
	i.from = bufio.NewReader(i.conn)
	for n := range 2 {
		require.Equal(t, http.StatusNoContent, i.put(n, "").status)
	}
	i.taken(1)
	return i
}

// taken waits until so many connections are net/http's no more.
func (i *intake) taken(n float64) {
	i.Helper()
	gaugeBecomes(i.T, i.registry, "venuecast_origin_worker_connections", n)
}

// header returns the header of a part of segment firstMSN+1, but for its length.
func partHeader(index int, more string) string {
	return fmt.Sprintf("PUT /ingest/v1/hall/540p/%d/%d HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"+
		"Venuecast-Epoch: 1\r\nVenuecast-Duration: 28800\r\nVenuecast-Timescale: 90000\r\nVenuecast-Independent: %v\r\n%s",
		firstMSN+1, index, token, index == 0, more)
}

func (i *intake) write(s string) {
	_, err := io.WriteString(i.conn, s)
	require.NoError(i, err)
}

func (i *intake) put(index int, more string) answer {
	i.write(partHeader(index, more) + "Content-Length: 4\r\n\r\npart")
	return answerOn(i.T, i.from)
}

func TestPartsOfAnIntakeAreTakenAsAnyOther(t *testing.T) {
	i := newIntake(t, origin.Options{})
	require.Equal(t, http.StatusNoContent, i.put(2, "").status)
	// One packet after the other, and two requests in one.
	for _, piece := range []string{partHeader(3, "Content-Length: 4\r\n\r\n"), "pa", "rt"} {
		i.write(piece)
	}
	require.Equal(t, http.StatusNoContent, answerOn(t, i.from).status)
	both := partHeader(4, "Content-Length: 4\r\n\r\npart") + partHeader(5, "Content-Length: 4\r\n\r\npart")
	i.write(both)
	for range 2 {
		require.Equal(t, http.StatusNoContent, answerOn(t, i.from).status)
	}
	i.taken(1)
	body := string(get(t, http.DefaultClient, i.url+"/live/hall/540p/1001.m4s", http.StatusOK))
	http.DefaultClient.CloseIdleConnections()
	require.Equal(t, strings.Repeat("part", 6), body)
}

func TestWhatAnIntakeRefusesIsAnsweredAsElsewhere(t *testing.T) {
	for name, c := range map[string]struct {
		from, to string
		want     int
	}{
		"another epoch":      {"Epoch: 1", "Epoch: 0", http.StatusPreconditionFailed},
		"no session":         {"/hall/", "/elsewhere/", http.StatusNotFound},
		"another token":      {"Bearer ", "Bearer x", http.StatusUnauthorized},
		"no place":           {"/540p/", "/540p/x", http.StatusBadRequest},
		"no such path":       {"/540p/", "/540p/9/", http.StatusNotFound},
		"a part of no time":  {"Duration: 28800", "Duration: 0", http.StatusBadRequest},
		"what is not a part": {"/540p/1001/2", "/540p/init", http.StatusBadRequest}, // its codecs are missing
	} {
		t.Run(name, func(t *testing.T) {
			i := newIntake(t, origin.Options{})
			request := strings.Replace(partHeader(2, "Content-Length: 4\r\n\r\npart"), c.from, c.to, 1)
			i.write(request)
			got := answerOn(t, i.from)
			alone := dial(t, i.url)
			_, err := io.WriteString(alone, request)
			require.NoError(t, err)
			require.Equal(t, answerOn(t, bufio.NewReader(alone)), got)
			require.Equal(t, c.want, got.status)
			require.Equal(t, http.StatusNoContent, i.put(2, "").status, "the connection goes on")
			i.taken(1)
		})
	}
}

func TestAnIntakeLeavesAllButThePlainestToTheLibrary(t *testing.T) {
	const chunked = "Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n0\r\n\r\n"
	for name, c := range map[string]struct {
		request string
		want    int
	}{
		"a GET":                {"GET /live/hall/540p/index.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n", http.StatusOK},
		"a body in chunks":     {partHeader(2, chunked), http.StatusNoContent},
		"one that waits":       {partHeader(2, "Expect: 100-continue\r\nContent-Length: 4\r\n\r\npart"), http.StatusNoContent},
		"the last one":         {partHeader(2, "Connection: close\r\nContent-Length: 4\r\n\r\npart"), http.StatusNoContent},
		"HTTP/1.0":             {strings.Replace(partHeader(2, "Content-Length: 4\r\n\r\npart"), "HTTP/1.1", "HTTP/1.0", 1), http.StatusNoContent},
		"two lengths":          {partHeader(2, "Content-Length: 4\r\nContent-Length: 5\r\n\r\npart"), http.StatusBadRequest},
		"a length and chunks":  {partHeader(2, "Content-Length: 4\r\n"+chunked), http.StatusNoContent},
		"a space in a name":    {partHeader(2, "X : y\r\nContent-Length: 4\r\n\r\npart"), http.StatusBadRequest},
		"no host":              {strings.Replace(partHeader(2, "Content-Length: 4\r\n\r\npart"), "Host: x\r\n", "", 1), http.StatusBadRequest},
		"a header of 1 MB":     {partHeader(2, "X: "+strings.Repeat("x", 1<<20)+"\r\n\r\n"), http.StatusRequestHeaderFieldsTooLarge},
		"no HTTP":              {"EHLO venue\r\n\r\n", http.StatusBadRequest},
		"a GET of what is put": {strings.Replace(partHeader(2, "\r\n"), "PUT", "GET", 1), http.StatusMethodNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIntake(t, origin.Options{})
			_, _ = io.WriteString(i.conn, c.request) // the origin may hang up before the end of it
			resp, err := http.ReadResponse(i.from, nil)
			for err == nil && resp.StatusCode == http.StatusContinue {
				resp, err = http.ReadResponse(i.from, nil)
			}
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, c.want, resp.StatusCode)
			i.taken(0)
		})
	}
}

func TestAHeaderOfAnIntakeMustComeInTime(t *testing.T) {
	i := newIntake(t, origin.Options{HeaderTimeout: 50 * time.Millisecond})
	i.write("PUT /ingest/v1/hall")
	_, err := io.Copy(io.Discard, i.from)
	require.NoError(t, err, "the origin hangs up")
}

func TestABodyOfAnIntakeMustComeInTime(t *testing.T) {
	i := newIntake(t, origin.Options{ReadTimeout: 50 * time.Millisecond})
	i.write(partHeader(2, "Content-Length: 4\r\n\r\npa"))
	got := answerOn(t, i.from)
	require.Equal(t, http.StatusBadRequest, got.status)
	_, err := i.from.ReadByte()
	require.ErrorIs(t, err, io.EOF)
	i.taken(0)
}

func TestAnIntakeTellsThatAPartIsTooLarge(t *testing.T) {
	i := newIntake(t, origin.Options{})
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.WriteString(i.conn, partHeader(9, fmt.Sprintf("Content-Length: %d\r\n\r\n", 65<<20)))
		_, _ = i.conn.Write(make([]byte, 65<<20))
	}()
	require.Equal(t, http.StatusRequestEntityTooLarge, answerOn(t, i.from).status)
	<-sent
	i.taken(0)
}

func TestIntakesDoNotHoldUpTheEnd(t *testing.T) {
	i := newIntake(t, origin.Options{ReadTimeout: time.Hour})
	half := dial(t, i.url)
	from := bufio.NewReader(half)
	for range 2 {
		_, _ = io.WriteString(half, partHeader(1, "Content-Length: 4\r\n\r\npart"))
		require.Equal(t, http.StatusNoContent, answerOn(t, from).status)
	}
	i.taken(2)
	_, _ = io.WriteString(half, partHeader(2, "Content-Length: 4\r\n\r\npa"))
	before := time.Now()
	i.stop()
	require.Less(t, time.Since(before), 20*time.Second)
}
