package origin

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/venuecast/venuecast/pipeline/live"
)

// Options says what a Server serves and where.
type Options struct {
	// Feeds is what workers write and viewers read. It must be set, and run besides.
	Feeds *live.Feeds
	// Clips, if not nil, is what viewers can have cut. The server runs it.
	Clips *Clips
	// Demands, if not nil, tells workers what viewers ask for of renditions on demand. The server runs it.
	Demands *Demands
	// Listener is where Run accepts connections; Run closes it. It may be nil when only Handler is used.
	Listener net.Listener
	// TLS, if not nil, is how Run speaks HTTPS on the Listener, HTTP/2 included.
	TLS *tls.Config
	// Plain, if not nil, is where Run speaks plain HTTP besides: with TLS on the Listener, for workers on the same machine.
	// Run closes it.
	Plain net.Listener
	// Connections bounds the connections of each listener; more wait to be accepted. It defaults to 32768.
	Connections int
	// Token is what workers must show. It must be set.
	Token string
	// MaxWaiting bounds the requests that wait for a part; more get 503. It defaults to 20000.
	MaxWaiting int
	// MuxedBytes bounds the segments of MPEG-TS that are kept in memory. It defaults to 64 MiB.
	MuxedBytes int64
	// HeaderTimeout bounds the reading of one request's header. It defaults to 5 s.
	HeaderTimeout time.Duration
	// WriteTimeout bounds the sending of one answer. It defaults to 30 s.
	WriteTimeout time.Duration
	// ReadTimeout bounds the reading of one request body. It defaults to 15 s.
	ReadTimeout time.Duration
	// Registerer takes the metrics. It defaults to a registry of its own.
	Registerer prometheus.Registerer
	// Logger defaults to slog.Default().
	Logger *slog.Logger
	// Now is the clock. It defaults to time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() (Options, error) {
	if o.Feeds == nil {
		return o, errors.New("origin: no feeds given")
	}
	if o.Token == "" {
		return o, errors.New("origin: no ingest token given")
	}
	if o.MaxWaiting <= 0 {
		o.MaxWaiting = 20000
	}
	if o.MuxedBytes <= 0 {
		o.MuxedBytes = 64 << 20
	}
	if o.Connections <= 0 {
		o.Connections = 32768
	}
	if o.HeaderTimeout <= 0 {
		o.HeaderTimeout = 5 * time.Second
	}
	if o.WriteTimeout <= 0 {
		o.WriteTimeout = 30 * time.Second
	}
	if o.ReadTimeout <= 0 {
		o.ReadTimeout = 15 * time.Second
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o, nil
}
