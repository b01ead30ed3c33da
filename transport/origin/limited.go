package origin

import (
	"io"
	"net"
	"sync"
	"syscall"

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
	plain    plainly // what a lane knows of the client's requests
	requests int     // since net/http has it
	segment  int     // the last of them that was for a stored segment, see lane
	put      int     // likewise a part that was put, see intake
	more     bool    // what is written next has a file behind it
}

// Read implements net.Conn.
func (c *counted) Read(b []byte) (int, error) {
	if c.back {
		return c.from.back.read(c, b)
	}
	return c.Conn.Read(b)
}

// Write implements net.Conn.
func (c *counted) Write(b []byte) (int, error) {
	if c.more {
		c.more = false
		return writeMore(c.Conn, b)
	}
	return c.Conn.Write(b)
}

// ReadFrom implements io.ReaderFrom: a file goes to a TCP connection without passing through this process.
func (c *counted) ReadFrom(r io.Reader) (int64, error) {
	piece, ok := r.(*io.LimitedReader)
	if !ok {
		return io.Copy(c.Conn, r)
	}
	file, ok := piece.R.(*stored)
	if !ok {
		return io.Copy(c.Conn, r)
	}
	n, err := sendFile(c.Conn, file, piece.N)
	piece.N -= n
	return n, err
}

// raw returns the connection as the system has it. Only of TCP connections.
func (c *counted) raw() (syscall.RawConn, error) {
	return c.Conn.(syscall.Conn).SyscallConn() //nolint:forcetypeassert // only TCP connections get here
}

// Close implements net.Conn.
func (c *counted) Close() error {
	defer c.once.Do(func() {
		c.from.count.Dec()
		<-c.from.free
	})
	return c.Conn.Close()
}
