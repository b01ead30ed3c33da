package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/venuecast/venuecast/pipeline"
)

const (
	dialTimeout   = 2 * time.Second
	dialPause     = 250 * time.Millisecond
	reconnectWait = 50 * time.Millisecond
	// A frozen server is noticed after two pings without an answer, or one write that does not end.
	pingInterval = 500 * time.Millisecond
	writeTimeout = 2 * time.Second
	flushTimeout = time.Second
	// requestTimeout bounds each request to JetStream that has no shorter limit.
	requestTimeout = 2 * time.Second
)

// Options configures a connection.
type Options struct {
	// URL of the server, or several separated by commas. Unused with Embedded.
	URL string
	// Name of this client in the server's monitoring, and part of its reply subjects, so that permissions can be given
	// to it alone: 1 to 64 of a-z, A-Z, 0-9, - and _.
	Name string
	// Embedded connects within the process.
	Embedded *Embedded
	// Replicas of each stream and bucket that is made. It defaults to 1; a cluster has 3.
	Replicas int
	// Logger defaults to none.
	Logger *slog.Logger
}

// Conn is a connection to the bus. It outlives any loss of the server. Close must be called once.
type Conn struct {
	nc       *nats.Conn
	js       jetstream.JetStream
	replicas int
	log      *slog.Logger
	payload  *atomic.Int64 // max_payload of the server; asking the client for it waits while a write is stuck
}

// Connect connects. It keeps trying, and says so once, until ctx ends.
func Connect(ctx context.Context, o Options) (*Conn, error) {
	if !pipeline.ValidID(o.Name) {
		return nil, fmt.Errorf("connection name %q: want 1 to 64 of a-z, A-Z, 0-9, - and _", o.Name)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	payload := &atomic.Int64{}
	nc, err := dial(ctx, o, payload)
	if err != nil {
		return nil, err
	}
	payload.Store(nc.MaxPayload())
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(requestTimeout))
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("opening JetStream: %w", err)
	}
	return &Conn{nc: nc, js: js, replicas: max(o.Replicas, 1), log: o.Logger, payload: payload}, nil
}

// Close sends what is still buffered and closes the connection. Writers and readers must have ended.
func (c *Conn) Close() error {
	defer c.nc.Close()
	if !c.nc.IsConnected() {
		return nil
	}
	if err := c.nc.FlushTimeout(flushTimeout); err != nil {
		return fmt.Errorf("flushing the connection to NATS: %w", err)
	}
	return nil
}

func dial(ctx context.Context, o Options, payload *atomic.Int64) (*nats.Conn, error) {
	options := clientOptions(o, payload)
	address, err := redact(o.URL)
	if o.Embedded != nil {
		options = append(options, nats.InProcessServer(o.Embedded.server), nats.UserInfo(embeddedUser, o.Embedded.credential))
		o.URL, address, err = "", "this process", nil
	}
	if err != nil {
		return nil, err
	}
	said := false
	for {
		nc, err := nats.Connect(o.URL, options...)
		if err == nil {
			return nc, nil
		}
		if !said {
			o.Logger.Warn(fmt.Sprintf("NATS at %s unreachable: %v; retrying", address, err))
			said = true
		}
		if pipeline.Sleep(ctx, dialPause) != nil {
			return nil, fmt.Errorf("connecting to NATS at %s: %w", address, errors.Join(err, context.Cause(ctx)))
		}
	}
}

func clientOptions(o Options, payload *atomic.Int64) []nats.Option {
	return []nats.Option{
		nats.Name(o.Name),
		nats.CustomInboxPrefix("_INBOX." + o.Name),
		nats.Timeout(dialTimeout),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectWait),
		nats.ReconnectJitter(reconnectWait, reconnectWait),
		nats.ReconnectBufSize(-1), // the writer has its own ring: a second buffer would only reorder
		nats.IgnoreAuthErrorAbort(),
		nats.PingInterval(pingInterval),
		nats.MaxPingsOutstanding(2),
		nats.FlusherTimeout(writeTimeout),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				o.Logger.Warn("connection to NATS lost; reconnecting", "error", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			payload.Store(nc.MaxPayload())
			o.Logger.Info("connection to NATS is back")
		}),
		// Denied subjects and slow subscriptions are reported only here.
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
			subject := ""
			if sub != nil {
				subject = sub.Subject
			}
			o.Logger.Warn("NATS reports an error", "error", err, "client", o.Name, "subject", subject)
		}),
	}
}

// redact returns a comma-separated URL list without its passwords.
// Its error does not repeat the list: what cannot be parsed may hold a password, too.
func redact(list string) (string, error) {
	var redacted []string
	for i, s := range strings.Split(list, ",") {
		if !strings.Contains(s, "://") {
			s = "nats://" + s // as the client does
		}
		u, err := url.Parse(strings.TrimSpace(s))
		if err != nil || u.Host == "" {
			return "", fmt.Errorf("NATS URL %d of the list is not of the form nats://[user:password@]host:port", i+1)
		}
		u.User = nil
		redacted = append(redacted, u.String())
	}
	return strings.Join(redacted, ","), nil
}
