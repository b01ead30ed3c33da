// Package push is a worker's side of an origin: it claims feeds and puts init sections and parts over HTTP.
package push

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
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
	// HTTPClient makes the requests. Without one, plain HTTP is spoken by those who call, without goroutines of its own, and
	// HTTPS by a client with keep-alive connections of its own.
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

// Client writes to one origin. Its methods may be called by any goroutine.
type Client struct {
	opts  Options
	site  string // the origin's address without a path
	root  string // the path of all that is sent
	query string
	wire  *wire // nil when HTTPClient makes all requests
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
	if opts.Token == "" || !oneLine(opts.Token) {
		return nil, errors.New("no token for the origin given, or one of more than a line")
	}
	site := url.URL{Scheme: base.Scheme, User: base.User, Host: base.Host}
	c := &Client{site: site.String(), root: rooted(base.JoinPath("ingest", "v1").EscapedPath()), query: base.RawQuery}
	if opts.HTTPClient == nil && isPlain(base) {
		c.wire = newWire(base, opts.Token)
	}
	c.opts = opts.withDefaults()
	return c, nil
}

// rooted returns a path that begins at the root: that of an address without one does not.
func rooted(path string) string { return "/" + strings.TrimPrefix(path, "/") }

// Close closes connections that are not in use.
func (c *Client) Close() {
	if c.wire != nil {
		c.wire.close()
	}
	c.opts.HTTPClient.CloseIdleConnections()
}

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
	header := []field{{"Content-Type", "application/json"}}
	heard := func(h http.Header) { claimed.Demand = h.Get("Venuecast-Demand") != "" }
	answer, err := c.send(ctx, request{http.MethodPost, session.Feed.ID, c.path(session.Feed.ID, "session"), header, body, heard})
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
	header := []field{
		{"Content-Type", "video/mp4"},
		{"Venuecast-Epoch", strconv.FormatUint(epoch, 10)},
		{"Venuecast-Codecs", init.Codecs},
	}
	path := c.path(feed, init.Rendition, "init")
	if _, err := c.send(ctx, request{http.MethodPut, feed, path, header, init.Data, nil}); err != nil {
		return fmt.Errorf("putting the init section of %s/%s: %w", feed, init.Rendition, err)
	}
	return nil
}

// PutPart puts a part; it is tried again while it is useful. Putting the same part again changes nothing.
// pipeline.ErrFenced and ErrNoSession say what became of the session.
func (c *Client) PutPart(ctx context.Context, feed string, epoch uint64, part pipeline.Part) error {
	header := []field{
		{"Content-Type", "video/iso.segment"},
		{"Venuecast-Epoch", strconv.FormatUint(epoch, 10)},
		{"Venuecast-Duration", strconv.FormatInt(part.Duration, 10)},
		{"Venuecast-Timescale", strconv.FormatInt(part.Timescale, 10)},
		{"Venuecast-Independent", strconv.FormatBool(part.Independent)},
	}
	if part.Gap {
		header = append(header, field{"Venuecast-Gap", "true"})
	}
	if part.Captions != 0 {
		header = append(header, field{"Venuecast-Captions", part.Captions.String()})
	}
	path := c.path(feed, part.Rendition, strconv.FormatInt(part.MSN, 10), strconv.Itoa(part.Index))
	if _, err := c.send(ctx, request{http.MethodPut, feed, path, header, part.Data, nil}); err != nil {
		return fmt.Errorf("putting part %d.%d of %s/%s: %w", part.MSN, part.Index, feed, part.Rendition, err)
	}
	return nil
}
