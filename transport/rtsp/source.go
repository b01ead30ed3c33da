package rtsp

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"

	"github.com/venuecast/venuecast/pipeline/ingest"
)

// The transports of RTP.
const (
	TCP  = "tcp"  // within the RTSP connection: nothing is lost or reordered on the way
	UDP  = "udp"  // one lost packet delays its track by up to 64 packets
	Auto = "auto" // TCP, and UDP when the camera refuses it
)

// The reasons given to SourceOptions.OnRepair.
const (
	RepairSDP    = "sdp"    // a media description could not be read and was left out
	RepairPacket = "packet" // an RTP or RTCP packet could not be read
)

// SourceOptions describe a camera. URL is required.
type SourceOptions struct {
	// Name of the camera in errors and logs. It defaults to the URL, redacted.
	Name string
	// URL is rtsp:// or rtsps://, user and password within it.
	URL string
	// Transport is TCP, UDP or Auto. It defaults to TCP.
	Transport string
	// Timeout is how long to wait for the connection, for an answer, and for any byte at all. It defaults to 10 s.
	Timeout time.Duration
	// PictureTimeout ends a session in which no picture comes. It defaults to 10 s.
	PictureTimeout time.Duration
	// TLS is used for rtsps. It defaults to the certificate authorities of the system.
	TLS *tls.Config
	// Logger takes details about repairs. It defaults to none.
	Logger *slog.Logger
	// OnRepair counts what a camera got wrong, by reason. It must not block. It defaults to none.
	OnRepair func(reason string)
	// Now is the clock for arrival times. It defaults to time.Now.
	Now func() time.Time
}

// Source reads a camera. It implements ingest.Source.
type Source struct {
	options SourceOptions
	url     *base.URL
	secrets []string
}

var _ ingest.Source = (*Source)(nil)

// NewSource checks the options and returns a source. It does not connect.
func NewSource(o SourceOptions) (*Source, error) {
	if o.Name == "" {
		o.Name = RedactURL(o.URL)
	}
	u, err := parseURL(o.URL)
	if err != nil {
		return nil, fmt.Errorf("camera %s: %w", o.Name, err)
	}
	switch o.Transport {
	case "":
		o.Transport = TCP
	case TCP, UDP, Auto:
	default:
		return nil, fmt.Errorf("camera %s: transport %q: want tcp, udp or auto", o.Name, o.Transport)
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.PictureTimeout <= 0 {
		o.PictureTimeout = 10 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.OnRepair == nil {
		o.OnRepair = func(string) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Source{options: o, url: u, secrets: secrets(u)}, nil
}

// Run makes one session. It returns a *SessionError, or the cause of the end of ctx.
func (s *Source) Run(ctx context.Context, sink ingest.Sink) error {
	protocol := gortsplib.ProtocolTCP
	if s.options.Transport == UDP {
		protocol = gortsplib.ProtocolUDP
	}
	err := newSession(s, sink, protocol).run(ctx)
	if s.options.Transport == Auto && refusesTCP(err) {
		err = newSession(s, sink, gortsplib.ProtocolUDP).run(ctx)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	line := hide(reason(err, s.options.Timeout), s.secrets)
	return &SessionError{Camera: s.options.Name, Reason: line, err: err}
}
