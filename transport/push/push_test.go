package push_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/transport/push"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// originThat answers each request with the next status; the last one holds.
func originThat(t *testing.T, opts push.Options, statuses ...int) (*push.Client, *atomic.Int64) {
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		n := requests.Add(1)
		w.WriteHeader(statuses[min(int(n), len(statuses))-1])
	}))
	t.Cleanup(server.Close)
	opts.URL, opts.Token, opts.Backoff = server.URL, "secret", time.Millisecond
	client, err := push.New(opts)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client, &requests
}

var part = pipeline.Part{Rendition: "540p", MSN: 1000, Index: 2, Duration: 28800, Timescale: 90000, Data: []byte("part")}

// ways are the options of each way to make requests.
func ways() map[string]push.Options {
	return map[string]push.Options{"by ourselves": {}, "by net/http": {HTTPClient: &http.Client{Transport: &http.Transport{}}}}
}

func TestAnswersMeanWhatTheyShould(t *testing.T) {
	for way, opts := range ways() {
		t.Run(way, func(t *testing.T) { testAnswers(t, opts) })
	}
}

func testAnswers(t *testing.T, opts push.Options) {
	for status, want := range map[int]error{
		http.StatusPreconditionFailed: pipeline.ErrFenced,
		http.StatusNotFound:           push.ErrNoSession,
		http.StatusConflict:           push.ErrNoSession,
		http.StatusBadRequest:         push.ErrRefused,
		http.StatusUnauthorized:       push.ErrRefused,
		http.StatusNoContent:          nil,
	} {
		client, requests := originThat(t, opts, status)
		require.ErrorIs(t, client.PutPart(t.Context(), "hall", 1, part), want, status)
		require.EqualValues(t, 1, requests.Load(), "it is final")
	}
}

func TestATransientErrorIsTriedAgain(t *testing.T) {
	retried := 0
	client, requests := originThat(t, push.Options{Retried: func(string) { retried++ }}, 503, 500, 429, 204)
	require.NoError(t, client.PutPart(t.Context(), "hall", 1, part))
	require.EqualValues(t, 4, requests.Load())
	require.Equal(t, 3, retried)
}

// roundTrip is an origin without a socket, so that time in a test is its own.
type roundTrip func(*http.Request) (*http.Response, error)

func (r roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return r(req) }

func TestTryingEndsWhenThePartIsOfNoUse(t *testing.T) {
	refuses := func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusServiceUnavailable, Body: http.NoBody}, nil
	}
	hangs := func(req *http.Request) (*http.Response, error) {
		<-req.Context().Done()
		return nil, context.Cause(req.Context())
	}
	for _, c := range []struct {
		name   string
		origin roundTrip
		want   string
		tries  int // within 8 s, with waits of 50 ms to 1 s between them, or 5 s each
	}{{"it refuses", refuses, "503", 12}, {"it hangs", hangs, "deadline", 2}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				counted := roundTrip(func(req *http.Request) (*http.Response, error) { tries++; return c.origin(req) })
				client, err := push.New(push.Options{URL: "http://origin", Token: "secret", HTTPClient: &http.Client{Transport: counted}})
				require.NoError(t, err)
				began := time.Now()
				err = client.PutPart(t.Context(), "hall", 1, part)
				require.ErrorContains(t, err, c.want)
				require.NotErrorIs(t, err, push.ErrNoSession)
				require.Equal(t, 8*time.Second, time.Since(began))
				require.Equal(t, c.tries, tries)
			})
		})
	}
}

func TestTryingEndsWithItsContext(t *testing.T) {
	ended := errors.New("the worker stops")
	ctx, stop := context.WithCancelCause(t.Context())
	client, _ := originThat(t, push.Options{Retried: func(string) { stop(ended) }}, 503)
	require.Error(t, client.PutPart(ctx, "hall", 1, part))
	require.ErrorIs(t, client.PutPart(ctx, "hall", 1, part), ended)
}

func TestWhatIsSentIsWhatThePartIs(t *testing.T) {
	for way, opts := range ways() {
		t.Run(way, func(t *testing.T) { testSent(t, opts, part) })
	}
}

func testSent(t *testing.T, opts push.Options, part pipeline.Part) {
	got := make(chan *http.Request, 1)
	body := make(chan []byte, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		data, _ := io.ReadAll(req.Body)
		got <- req
		body <- data
	}))
	t.Cleanup(server.Close)
	opts.URL, opts.Token = server.URL+"/base/?key=1", "secret"
	client, err := push.New(opts)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	require.NoError(t, client.PutPart(t.Context(), "the hall", 7, part))
	req := <-got
	require.Equal(t, "PUT", req.Method)
	require.Equal(t, "/base/ingest/v1/the%20hall/540p/1000/2?key=1", req.RequestURI)
	require.Equal(t, strings.TrimPrefix(server.URL, "http://"), req.Host)
	require.Equal(t, "Bearer secret", req.Header.Get("Authorization"))
	for name, want := range map[string]string{"Epoch": "7", "Duration": "28800", "Timescale": "90000", "Independent": "false"} {
		require.Equal(t, want, req.Header.Get("Venuecast-"+name))
	}
	require.Equal(t, "part", string(<-body))
	require.Empty(t, req.Header.Get("Venuecast-Gap"))

	part.Gap, part.Data = true, nil
	require.NoError(t, client.PutPart(t.Context(), "the hall", 7, part))
	require.Equal(t, "true", (<-got).Header.Get("Venuecast-Gap"))
	require.Empty(t, <-body)
}

func TestOptionsAreChecked(t *testing.T) {
	for _, opts := range []push.Options{
		{Token: "x"},
		{URL: "origin:8080", Token: "x"},
		{URL: "ftp://origin", Token: "x"},
		{URL: "http://", Token: "x"},
		{URL: "http://origin"},
		{URL: "http://a b", Token: "x"},
		{URL: "http://origin", Token: "x\r\nX-Other: 1"},
	} {
		_, err := push.New(opts)
		require.Error(t, err, opts.URL)
	}
}

func TestAWorkerIsToldWhyTheOriginHasNoRoom(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "claiming feed a: too many feeds: the origin has 1000\nand more", http.StatusServiceUnavailable)
	}))
	t.Cleanup(server.Close)
	client, err := push.New(push.Options{URL: server.URL, Token: "secret", Backoff: time.Millisecond, Useful: 10 * time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(client.Close)

	_, err = client.Claim(t.Context(), pipeline.Session{Epoch: 1})
	require.ErrorContains(t, err, "503: claiming feed a: too many feeds: the origin has 1000")
	require.NotContains(t, err.Error(), "and more")
}
