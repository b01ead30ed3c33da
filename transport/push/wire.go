package push

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// wire makes requests over plain HTTP/1.1. Whoever asks writes the request and reads the answer itself: net/http's transport has two
// goroutines for each connection, and to wake them costs more than a part's bytes.
type wire struct {
	address string
	common  []byte // header fields of all requests
	dial    net.Dialer

	mu   sync.Mutex // guards the field below
	idle []*line    // the one used last is the last
}

// isPlain reports whether an origin can be spoken to without what net/http's transport knows besides: TLS, proxies, other alphabets.
func isPlain(origin *url.URL) bool {
	if origin.Scheme != "http" {
		return false
	}
	for _, c := range []byte(origin.Host) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: origin})
	return proxy == nil && err == nil
}

func newWire(origin *url.URL, token string) *wire {
	port := origin.Port()
	if port == "" {
		port = "80"
	}
	common := fmt.Sprintf("Host: %s\r\nUser-Agent: venuecast\r\nAuthorization: Bearer %s\r\n", origin.Host, token)
	return &wire{address: net.JoinHostPort(origin.Hostname(), port), common: []byte(common)}
}

// exchange sends a request and returns its answer. A connection that was open already may have been closed by the origin meanwhile;
// then a new one gets the request: all of them can be sent twice.
func (w *wire) exchange(ctx context.Context, r request, deadline time.Time) (answer, error) {
	if l := w.take(); l != nil {
		got, err := w.over(ctx, l, r, deadline)
		if err == nil || l.heard() || ctx.Err() != nil || !time.Now().Before(deadline) {
			return got, err
		}
	}
	l, err := w.connect(ctx, deadline)
	if err != nil {
		return answer{}, err
	}
	return w.over(ctx, l, r, deadline)
}

func (w *wire) connect(ctx context.Context, deadline time.Time) (*line, error) {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	conn, err := w.dial.DialContext(ctx, "tcp", w.address)
	if err != nil {
		return nil, fmt.Errorf("sending: %w", err)
	}
	return newLine(conn), nil
}

// over makes a request over a connection, which is closed unless it can be used again.
func (w *wire) over(ctx context.Context, l *line, r request, deadline time.Time) (answer, error) {
	_ = l.conn.SetDeadline(deadline) // reading fails if that does
	stop := context.AfterFunc(ctx, func() { _ = l.conn.SetDeadline(time.Unix(1, 0)) })
	got, again, err := l.exchange(w.common, r)
	if uncut := stop(); uncut && again {
		w.give(l)
	} else {
		l.close()
	}
	return got, err
}

// unused is how long a connection is kept without a request. An origin of ours closes it after 75 s.
const unused = time.Minute

// take returns a connection that is open, or nil.
func (w *wire) take() *line {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.expire()
	if len(w.idle) == 0 {
		return nil
	}
	last := len(w.idle) - 1
	l := w.idle[last]
	w.idle[last] = nil
	w.idle = w.idle[:last]
	return l
}

// give keeps a connection for the next request.
func (w *wire) give(l *line) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.expire()
	l.since = time.Now()
	w.idle = append(w.idle, l)
}

// expire closes connections that have not been used for long.
func (w *wire) expire() { // w.mu is held
	n := 0
	for n < len(w.idle) && time.Since(w.idle[n].since) > unused {
		w.idle[n].close()
		n++
	}
	w.idle = append(w.idle[:0], w.idle[n:]...)
}

// close closes connections that are not in use.
func (w *wire) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.idle {
		l.close()
	}
	w.idle = nil
}
