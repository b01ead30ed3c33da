package push_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/transport/push"
)

// listen serves each connection with handle until the test ends, and counts them.
func listen(t *testing.T, opts push.Options, handle func(conn net.Conn, from *bufio.Reader)) (client *push.Client, connections *atomic.Int64) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	connections = &atomic.Int64{}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			serving.Go(func() {
				defer func() { _ = conn.Close() }()
				handle(conn, bufio.NewReader(conn))
			})
		}
	})
	opts.URL, opts.Token, opts.Backoff = "http://"+listener.Addr().String(), "secret", time.Millisecond
	client, err = push.New(opts)
	require.NoError(t, err)
	t.Cleanup(func() {
		client.Close()
		_ = listener.Close()
		serving.Wait()
	})
	return client, connections
}

// request reads one request as a whole, and reports whether there was one.
func request(from *bufio.Reader) bool {
	req, err := http.ReadRequest(from)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, req.Body)
	return err == nil
}

const fine = "HTTP/1.1 204 No Content\r\n\r\n"

func TestAConnectionIsUsedAgain(t *testing.T) {
	client, connections := listen(t, push.Options{}, func(conn net.Conn, from *bufio.Reader) {
		for request(from) {
			_, _ = io.WriteString(conn, fine)
		}
	})
	for range 5 {
		require.NoError(t, client.PutPart(t.Context(), "hall", 1, part))
	}
	require.EqualValues(t, 1, connections.Load())
}

func TestAConnectionThatTheOriginHasClosedIsNoFailure(t *testing.T) {
	retried := 0
	client, connections := listen(t, push.Options{Retried: func(string) { retried++ }}, func(conn net.Conn, from *bufio.Reader) {
		if request(from) {
			_, _ = io.WriteString(conn, fine) // and closes without saying so
		}
	})
	for range 3 {
		require.NoError(t, client.PutPart(t.Context(), "hall", 1, part))
	}
	require.EqualValues(t, 3, connections.Load())
	require.Zero(t, retried)
}

func TestWhatAnOriginMayAnswer(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		again        bool // the connection is used again
		want         error
	}{
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", true, nil},
		{"interim answers", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + fine, true, nil},
		{"a body until the end", "HTTP/1.1 200 OK\r\n\r\nok", false, nil},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false, nil},
		{"that it closes", "HTTP/1.1 412 Precondition Failed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", false, pipeline.ErrFenced},
		{"more than one answer", fine + fine, false, nil},
		{"a body of more than is read", "HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + strings.Repeat("x", 2_000_000), false, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			client, connections := listen(t, push.Options{}, func(conn net.Conn, from *bufio.Reader) {
				for request(from) {
					_, _ = io.WriteString(conn, c.answer)
					if !c.again {
						return
					}
				}
			})
			for range 2 {
				require.ErrorIs(t, client.PutPart(t.Context(), "hall", 1, part), c.want)
			}
			require.Equal(t, c.again, connections.Load() == 1)
		})
	}
}

func TestWhatAnOriginMustNotAnswerEnds(t *testing.T) {
	for name, answer := range map[string]string{
		"no HTTP":                 "220 mail.example.org ESMTP\r\n",
		"a header without end":    "HTTP/1.1 200 OK\r\nX-Long: " + strings.Repeat("x", 2_000_000),
		"fields without end":      "HTTP/1.1 200 OK\r\n" + strings.Repeat("X-Many: x\r\n", 200_000),
		"interim without end":     strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 10_000),
		"a body that is cut":      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok",
		"lengths that contradict": "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok",
		"other protocols":         "HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\n\r\n",
		"nothing":                 "",
	} {
		t.Run(name, func(t *testing.T) {
			failed := errors.New("it is tried again")
			ctx, stop := context.WithCancelCause(t.Context())
			client, _ := listen(t, push.Options{Retried: func(string) { stop(failed) }}, func(conn net.Conn, from *bufio.Reader) {
				if request(from) {
					_, _ = io.WriteString(conn, answer)
				}
			})
			err := client.PutPart(ctx, "hall", 1, part)
			require.True(t, ctx.Err() != nil || errors.Is(err, push.ErrRefused), err)
		})
	}
}

func TestARefusalIsHeardThoughThePartWasNotRead(t *testing.T) {
	large := part
	large.Data = bytes.Repeat([]byte{'x'}, 16<<20) // more than any socket holds
	client, _ := listen(t, push.Options{}, func(conn net.Conn, from *bufio.Reader) {
		if _, err := http.ReadRequest(from); err == nil {
			_, _ = io.WriteString(conn, "HTTP/1.1 412 Precondition Failed\r\nConnection: close\r\n\r\n")
		}
	})
	require.ErrorIs(t, client.PutPart(t.Context(), "hall", 1, large), pipeline.ErrFenced)
}

func TestAPutEndsWithItsContextWhateverItWaitsFor(t *testing.T) {
	ended := errors.New("the worker stops")
	large := part
	large.Data = bytes.Repeat([]byte{'x'}, 16<<20)
	for name, p := range map[string]pipeline.Part{"the answer": part, "the origin to read": large} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancelCause(t.Context())
			over := make(chan struct{})
			client, _ := listen(t, push.Options{}, func(_ net.Conn, from *bufio.Reader) {
				_, _ = http.ReadRequest(from)
				stop(ended)
				<-over
			})
			began := time.Now()
			require.ErrorIs(t, client.PutPart(ctx, "hall", 1, p), ended)
			require.Less(t, time.Since(began), time.Second, "it did not wait until the part was of no use")
			close(over)
		})
	}
}

func TestASilentOriginEndsTheAttempt(t *testing.T) {
	over := make(chan struct{})
	client, _ := listen(t, push.Options{Useful: 50 * time.Millisecond}, func(net.Conn, *bufio.Reader) { <-over })
	require.ErrorContains(t, client.PutPart(t.Context(), "hall", 1, part), "giving up")
	close(over)
}

func TestRedirectionsAreFollowed(t *testing.T) {
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.Handle("/ingest/", http.RedirectHandler(server.URL+"/elsewhere", http.StatusTemporaryRedirect))
	var body []byte
	mux.HandleFunc("/elsewhere", func(_ http.ResponseWriter, req *http.Request) { body, _ = io.ReadAll(req.Body) })
	client, err := push.New(push.Options{URL: server.URL, Token: "secret"})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	require.NoError(t, client.PutPart(t.Context(), "hall", 1, part))
	require.Equal(t, "part", string(body))
}

func TestManyPutAtOnce(t *testing.T) {
	client, connections := listen(t, push.Options{}, func(conn net.Conn, from *bufio.Reader) {
		for request(from) {
			_, _ = io.WriteString(conn, fine)
		}
	})
	var putting sync.WaitGroup
	for range 8 {
		putting.Go(func() {
			for range 50 {
				if err := client.PutPart(t.Context(), "hall", 1, part); err != nil {
					t.Error(err)
				}
			}
		})
	}
	putting.Wait()
	require.LessOrEqual(t, connections.Load(), int64(8))
}

func TestAHeaderCanNotCarryAnother(t *testing.T) {
	client, requests := originThat(t, push.Options{}, 204)
	err := client.PutInit(t.Context(), "hall", 1, pipeline.Init{Rendition: "540p", Codecs: "avc1\r\nVenuecast-Epoch: 9"})
	require.ErrorIs(t, err, push.ErrRefused)
	require.Zero(t, requests.Load())
}
