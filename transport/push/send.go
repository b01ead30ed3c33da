package push

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

// request is what each attempt sends.
type request struct {
	method, feed, path string
	header             []field
	body               []byte
	heard              func(http.Header) // takes the headers of the answer; may be nil
}

// field is a header field.
type field struct{ name, value string }

// path returns the path of a feed's elements, escaped.
func (c *Client) path(feed string, elements ...string) string {
	var b strings.Builder
	b.WriteString(c.root)
	b.WriteByte('/')
	b.WriteString(url.PathEscape(feed))
	for _, e := range elements {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(e))
	}
	if c.query != "" {
		b.WriteByte('?')
		b.WriteString(c.query)
	}
	return b.String()
}

// send tries a request until it is answered for good, or is no longer useful.
func (c *Client) send(ctx context.Context, r request) ([]byte, error) {
	useful := time.Now().Add(c.opts.Useful)
	for wait := c.opts.Backoff; ; wait = min(2*wait, time.Second) {
		answer, err := c.attempt(ctx, r, useful)
		if err == nil || isFinal(err) {
			return answer, err
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		c.opts.Retried(r.feed)
		c.opts.Logger.Debug("origin is tried again", slog.String("feed", r.feed), slog.Any("error", err))
		if pipeline.Sleep(ctx, min(wait, time.Until(useful))) != nil || !time.Now().Before(useful) {
			return nil, fmt.Errorf("giving up: %w", err)
		}
	}
}

func isFinal(err error) bool {
	return errors.Is(err, pipeline.ErrFenced) || errors.Is(err, ErrNoSession) || errors.Is(err, ErrRefused)
}

// attempt makes a request once, and ends by when it is of no more use.
func (c *Client) attempt(ctx context.Context, r request, useful time.Time) ([]byte, error) {
	for _, f := range r.header {
		if !oneLine(f.value) {
			return nil, fmt.Errorf("%w: header %s has more than a line", ErrRefused, f.name)
		}
	}
	deadline := time.Now().Add(c.opts.Attempt)
	if useful.Before(deadline) {
		deadline = useful
	}
	got, err := c.exchange(ctx, r, deadline)
	if err != nil {
		return nil, err
	}
	if r.heard != nil {
		r.heard(got.header)
	}
	return got.body, verdict(got.status, got.body)
}

// oneLine reports whether a header field can have a value (RFC 9110 §5.5).
func oneLine(value string) bool {
	for _, c := range []byte(value) {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// answer is what an origin says.
type answer struct {
	status int
	header http.Header
	body   []byte // of maxAnswer at most
}

// maxAnswer bounds what an origin can make us read.
const maxAnswer = 1 << 20

func (c *Client) exchange(ctx context.Context, r request, deadline time.Time) (answer, error) {
	if c.wire == nil {
		return c.viaLibrary(ctx, r, deadline)
	}
	got, err := c.wire.exchange(ctx, r, deadline)
	if err == nil && got.status/100 == 3 {
		return c.viaLibrary(ctx, r, deadline) // it follows where that leads
	}
	return got, err
}

// viaLibrary makes a request with net/http's client.
func (c *Client) viaLibrary(ctx context.Context, r request, deadline time.Time) (got answer, err error) {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.method, c.site+r.path, bytes.NewReader(r.body))
	if err != nil {
		return got, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	for _, f := range r.header {
		req.Header.Set(f.name, f.value)
	}
	req.Header.Set("Authorization", "Bearer "+c.opts.Token)
	resp, err := c.opts.HTTPClient.Do(req)
	if err != nil {
		return got, fmt.Errorf("sending: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	return read(resp)
}

// read reads an answer. It does not close its body.
func read(resp *http.Response) (got answer, err error) {
	got.status, got.header = resp.StatusCode, resp.Header
	if resp.Body == http.NoBody {
		return got, nil
	}
	if got.body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer)); err != nil {
		return got, fmt.Errorf("reading the answer: %w", err)
	}
	return got, nil
}

// newTransport returns a transport whose connections stay open between the parts of all renditions.
func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64
	t.IdleConnTimeout = time.Minute
	t.WriteBufferSize = writeBuffer
	return t
}

// writeBuffer holds most parts with their header: then one call of the kernel writes them, and wakes the origin once.
const writeBuffer = 256 << 10

// verdict says what a status means for the worker.
func verdict(status int, answer []byte) error {
	switch {
	case status/100 == 2:
		return nil
	case status == http.StatusPreconditionFailed:
		return pipeline.ErrFenced
	case status == http.StatusNotFound, status == http.StatusConflict:
		return ErrNoSession
	case status >= 500, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		return fmt.Errorf("origin answers %d: %s", status, firstLine(answer))
	}
	return fmt.Errorf("%w: %d: %s", ErrRefused, status, firstLine(answer))
}

// firstLine returns what an answer says, without the rest of what a proxy in between may have to say.
func firstLine(answer []byte) []byte {
	line, _, _ := bytes.Cut(bytes.TrimSpace(answer), []byte("\n"))
	return line[:min(len(line), 200)]
}
