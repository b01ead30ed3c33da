// Package push is a worker's side of an origin: it claims feeds and puts init sections and parts over HTTP.
package push

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

var (
	// ErrNoSession means that the origin does not know the session: it was started anew.
	// The worker claims again, puts its init sections again, and sends what the origin's state lacks.
	ErrNoSession = errors.New("origin has no session of this feed")
	// ErrRefused means that the origin will not take this, however often it is sent.
	ErrRefused = errors.New("origin refuses")
)

// Options says where the origin is and how long to try.
type Options struct {
	// URL is the origin's address, such as http://origin:8080. It must be set.
	URL string
	// Token is the origin's ingest token. It must be set.
	Token string
	// HTTPClient makes the requests. It defaults to a client with keep-alive connections of its own.
	HTTPClient *http.Client
	// Attempt bounds one request. It defaults to 5 s.
	Attempt time.Duration
	// Useful is how long a request is tried again: a part that comes later than this helps nobody. It defaults to 8 s.
	Useful time.Duration
	// Backoff is the wait after the first failure; it doubles up to 1 s. It defaults to 50 ms.
	Backoff time.Duration
	// Retried is called for each failed attempt that is tried again.
	Retried func(feed string)
	// Logger defaults to slog.Default().
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	defaultTo(&o.Attempt, 5*time.Second)
	defaultTo(&o.Useful, 8*time.Second)
	defaultTo(&o.Backoff, 50*time.Millisecond)
	if o.HTTPClient == nil {
		o.HTTPClient = &http.Client{Transport: newTransport()}
	}
	if o.Retried == nil {
		o.Retried = func(string) {}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

func defaultTo(field *time.Duration, value time.Duration) {
	if *field <= 0 {
		*field = value
	}
}

// writeBuffer holds most parts with their header: then one call of the kernel writes them, and wakes the origin once.
const writeBuffer = 256 << 10

// newTransport returns a transport whose connections stay open between the parts of all renditions.
func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64
	t.IdleConnTimeout = time.Minute
	t.WriteBufferSize = writeBuffer
	return t
}

// Client writes to one origin. Its methods may be called by any goroutine.
type Client struct {
	opts Options
	base *url.URL
}

// New returns a client. It connects when it is used.
func New(opts Options) (*Client, error) {
	base, err := url.Parse(opts.URL)
	if err != nil {
		return nil, fmt.Errorf("reading the origin's address: %w", err)
	}
	if base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, fmt.Errorf("origin address %q: want http://host or https://host", opts.URL)
	}
	if opts.Token == "" {
		return nil, errors.New("no token for the origin given")
	}
	return &Client{opts: opts.withDefaults(), base: base}, nil
}

// Close closes connections that are not in use.
func (c *Client) Close() { c.opts.HTTPClient.CloseIdleConnections() }

// Claim opens a session and returns where each rendition goes on. pipeline.ErrFenced means that a later one is open.
func (c *Client) Claim(ctx context.Context, session pipeline.Session) (pipeline.State, error) {
	claimed, err := c.Open(ctx, session)
	return claimed.State, err
}

// Claimed is what the origin answers to a claim.
type Claimed struct {
	// State is where each rendition goes on. One on demand is absent unless somebody asks for it.
	State pipeline.State
	// Demand says that the origin reports demand: without, renditions on demand are to be made always.
	Demand bool
}

// Open opens a session. pipeline.ErrFenced means that a later one is open.
func (c *Client) Open(ctx context.Context, session pipeline.Session) (claimed Claimed, err error) {
	body, err := json.Marshal(session)
	if err != nil {
		return claimed, fmt.Errorf("writing the session of feed %s: %w", session.Feed.ID, err)
	}
	header := http.Header{"Content-Type": {"application/json"}}
	heard := func(h http.Header) { claimed.Demand = h.Get("Venuecast-Demand") != "" }
	answer, err := c.send(ctx, request{http.MethodPost, session.Feed.ID, c.address(session.Feed.ID, "session"), header, body, heard})
	if err != nil {
		return Claimed{}, fmt.Errorf("claiming feed %s: %w", session.Feed.ID, err)
	}
	if err := json.Unmarshal(answer, &claimed.State); err != nil {
		return Claimed{}, fmt.Errorf("reading the origin's state of feed %s: %w", session.Feed.ID, err)
	}
	return claimed, nil
}

// PutInit puts an init section. Putting the same bytes again changes nothing.
// pipeline.ErrFenced and ErrNoSession say what became of the session.
func (c *Client) PutInit(ctx context.Context, feed string, epoch uint64, init pipeline.Init) error {
	header := http.Header{}
	header.Set("Content-Type", "video/mp4")
	header.Set("Venuecast-Epoch", strconv.FormatUint(epoch, 10))
	header.Set("Venuecast-Codecs", init.Codecs)
	address := c.address(feed, init.Rendition, "init")
	if _, err := c.send(ctx, request{http.MethodPut, feed, address, header, init.Data, nil}); err != nil {
		return fmt.Errorf("putting the init section of %s/%s: %w", feed, init.Rendition, err)
	}
	return nil
}

// PutPart puts a part; it is tried again while it is useful. Putting the same part again changes nothing.
// pipeline.ErrFenced and ErrNoSession say what became of the session.
func (c *Client) PutPart(ctx context.Context, feed string, epoch uint64, part pipeline.Part) error {
	header := http.Header{}
	header.Set("Content-Type", "video/iso.segment")
	header.Set("Venuecast-Epoch", strconv.FormatUint(epoch, 10))
	header.Set("Venuecast-Duration", strconv.FormatInt(part.Duration, 10))
	header.Set("Venuecast-Timescale", strconv.FormatInt(part.Timescale, 10))
	header.Set("Venuecast-Independent", strconv.FormatBool(part.Independent))
	if part.Gap {
		header.Set("Venuecast-Gap", "true")
	}
	if part.Captions != 0 {
		header.Set("Venuecast-Captions", part.Captions.String())
	}
	address := c.address(feed, part.Rendition, strconv.FormatInt(part.MSN, 10), strconv.Itoa(part.Index))
	if _, err := c.send(ctx, request{http.MethodPut, feed, address, header, part.Data, nil}); err != nil {
		return fmt.Errorf("putting part %d.%d of %s/%s: %w", part.MSN, part.Index, feed, part.Rendition, err)
	}
	return nil
}

func (c *Client) address(feed string, elements ...string) string {
	return c.base.JoinPath(append([]string{"ingest", "v1", url.PathEscape(feed)}, elements...)...).String()
}

// request is what each attempt sends.
type request struct {
	method, feed, url string
	header            http.Header
	body              []byte
	heard             func(http.Header) // takes the headers of the answer; may be nil
}

// send tries a request until it is answered for good, or is no longer useful.
func (c *Client) send(ctx context.Context, r request) ([]byte, error) {
	limited, cancel := context.WithTimeout(ctx, c.opts.Useful)
	defer cancel()
	for wait := c.opts.Backoff; ; wait = min(2*wait, time.Second) {
		answer, err := c.attempt(limited, r)
		if err == nil || isFinal(err) {
			return answer, err
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		c.opts.Retried(r.feed)
		c.opts.Logger.Debug("origin is tried again", slog.String("feed", r.feed), slog.Any("error", err))
		select {
		case <-time.After(wait):
		case <-limited.Done():
			return nil, fmt.Errorf("giving up: %w", err)
		}
	}
}

func isFinal(err error) bool {
	return errors.Is(err, pipeline.ErrFenced) || errors.Is(err, ErrNoSession) || errors.Is(err, ErrRefused)
}

// maxAnswer bounds what an origin can make us read.
const maxAnswer = 1 << 20

func (c *Client) attempt(ctx context.Context, r request) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Attempt)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.method, r.url, bytes.NewReader(r.body))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	req.Header = r.header.Clone()
	req.Header.Set("Authorization", "Bearer "+c.opts.Token)
	resp, err := c.opts.HTTPClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("sending: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if r.heard != nil {
		r.heard(resp.Header)
	}
	return answer, verdict(resp.StatusCode, answer)
}

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
		return fmt.Errorf("origin answers %d", status)
	}
	return fmt.Errorf("%w: %d: %s", ErrRefused, status, bytes.TrimSpace(answer[:min(len(answer), 200)]))
}
