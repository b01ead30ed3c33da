package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/venuecast/venuecast/configs"
	"github.com/venuecast/venuecast/transport/origin"
)

// originTLS returns how the origin speaks HTTPS, nil when it does not.
func (h *host) originTLS() (*tls.Config, error) {
	config := h.config.Origin.TLS
	switch {
	case config.IsZero():
		return nil, nil //nolint:nilnil // none is what is configured
	case config.SelfSigned:
		listen, _, err := net.SplitHostPort(h.config.Origin.Listen)
		if err != nil {
			return nil, fmt.Errorf("origin.listen: %w", err)
		}
		name, _ := os.Hostname() // else the certificate is not for it
		return origin.TLSSelfSigned(time.Now(), "localhost", "127.0.0.1", "::1", listen, name)
	}
	files, err := origin.TLSFiles(config.Cert, config.Key, h.log)
	if err != nil {
		return nil, fmt.Errorf("origin.tls: %w", err)
	}
	return files, nil
}

// workersListener returns where workers of this process reach an origin that speaks HTTPS to everybody else: they can not
// know its certificate. It is nil when there are none, or no HTTPS.
func (h *host) workersListener() (net.Listener, error) {
	if h.role != configs.Serve || h.config.Origin.TLS.IsZero() {
		return nil, nil //nolint:nilnil // none is needed
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("origin: listening for workers: %w", err)
	}
	h.workersAddr = listener.Addr().String()
	return listener, nil
}
