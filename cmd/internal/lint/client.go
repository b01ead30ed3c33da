package lint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/venuecast/venuecast/pipeline/rules"
)

const (
	// maxBody bounds what is read of one answer.
	maxBody = 64 << 20
	// limit bounds one request: a server may hold a playlist for three target durations.
	limit = time.Minute
)

// ask makes a request and returns what came back, whatever it is.
func ask(ctx context.Context, client *http.Client, q *rules.Request) rules.Response {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	r := rules.Response{Asked: time.Now()}
	r.Err = exchange(ctx, client, q, &r)
	r.At = time.Now()
	return r
}

func exchange(ctx context.Context, client *http.Client, q *rules.Request, r *rules.Response) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, q.URL, http.NoBody)
	if err != nil {
		return fmt.Errorf("asking for %s: %w", q.URL, err)
	}
	request.Header.Set("Accept-Encoding", codings(q)) // by hand, so that the answer's coding can be seen
	request.Header.Set("User-Agent", "venuecast-lint")
	if q.Range != "" {
		request.Header.Set("Range", q.Range)
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("asking for %s: %w", q.URL, err)
	}
	defer func() { _ = response.Body.Close() }() // what was wanted of it has been read
	r.Status, r.Protocol, r.Header = response.StatusCode, response.Proto, response.Header
	r.Redirected = response.Request != nil && response.Request.URL.String() != request.URL.String()
	return readBody(response, r)
}

func readBody(response *http.Response, r *rules.Response) error {
	var first [1]byte
	n, err := io.ReadFull(response.Body, first[:])
	r.FirstByte = time.Now()
	if errors.Is(err, io.EOF) {
		return nil
	}
	body, err := decoded(response.Header.Get("Content-Encoding"), io.MultiReader(bytes.NewReader(first[:n]), response.Body))
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	defer func() { _ = body.Close() }() // it was only read
	if r.Body, err = io.ReadAll(io.LimitReader(body, maxBody)); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	return nil
}

// Local is a transport to a handler of the same process. Bodies arrive whole.
type Local struct{ Handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (l Local) RoundTrip(request *http.Request) (*http.Response, error) {
	answer := &recorder{header: http.Header{}}
	served := request.Clone(request.Context())
	served.RequestURI = request.URL.RequestURI()
	l.Handler.ServeHTTP(answer, served)
	if err := request.Context().Err(); err != nil {
		return nil, fmt.Errorf("asking the handler: %w", err)
	}
	answer.WriteHeader(http.StatusOK)
	return &http.Response{
		StatusCode: answer.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: answer.header,
		Body: io.NopCloser(&answer.body), ContentLength: int64(answer.body.Len()), Request: request,
	}, nil
}

// recorder is a writer for Local.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}
