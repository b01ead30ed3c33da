package origin

import (
	"io"
	"net"
	"sync"
)

// limited is a listener that accepts so many connections at a time; others wait in the kernel's queue until one has gone.
type limited struct {
	net.Listener
	free   chan struct{}
	closed chan struct{}
	once   sync.Once
}

func newLimited(listener net.Listener, connections int) *limited {
	return &limited{Listener: listener, free: make(chan struct{}, connections), closed: make(chan struct{})}
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
	return &counted{Conn: conn, release: func() { <-l.free }}, nil
}

// Close implements net.Listener.
func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// counted is a connection that gives its place up when it is closed, once.
type counted struct {
	net.Conn
	release func()
	once    sync.Once
}

// ReadFrom implements io.ReaderFrom: a file goes to a TCP connection without passing through this process.
func (c *counted) ReadFrom(r io.Reader) (int64, error) { return io.Copy(c.Conn, r) }

// Close implements net.Conn.
func (c *counted) Close() error {
	defer c.once.Do(c.release)
	return c.Conn.Close()
}
