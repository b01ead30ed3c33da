package origin

import (
	"io"
	"net"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// limited is a listener that accepts so many connections at a time; others wait in the kernel's queue until one has gone.
type limited struct {
	net.Listener
	free   chan struct{}
	closed chan struct{}
	once   sync.Once
	count  prometheus.Gauge
	back   *returned // where connections come back to net/http, nil when they can not
}

func newLimited(listener net.Listener, connections int, count prometheus.Gauge) *limited {
	return &limited{Listener: listener, free: make(chan struct{}, connections), closed: make(chan struct{}), count: count}
}

// Accept implements net.Listener.
func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.free <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.free
		return nil, err
	}
	l.count.Inc()
	return &counted{Conn: conn, from: l}, nil
}

// Close implements net.Listener.
func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// counted is a connection that gives its place up when it is closed, once.
type counted struct {
	net.Conn
	from *limited
	once sync.Once
	carried
}

// Read implements net.Conn.
func (c *counted) Read(b []byte) (int, error) {
	if c.back {
		return c.from.back.read(c, b)
	}
	return c.Conn.Read(b)
}

// ReadFrom implements io.ReaderFrom: a file goes to a TCP connection without passing through this process.
func (c *counted) ReadFrom(r io.Reader) (int64, error) { return io.Copy(c.Conn, r) }

// Close implements net.Conn.
func (c *counted) Close() error {
	defer c.once.Do(func() {
		c.from.count.Dec()
		<-c.from.free
	})
	return c.Conn.Close()
}
