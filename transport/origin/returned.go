package origin

import (
	"bufio"
	"io"
	"net"
	"sync"
	"time"
)

// returned is a listener through which connections come back to net/http that a lane or an intake cannot go on with.
// Those that were parked come here first, and go into a lane.
type returned struct {
	addr   net.Addr
	idle   time.Duration // how long the next request may take to begin
	header time.Duration // and then to have come
	lanes  chan *counted // to go into one
	conns  chan *counted // for net/http
	closed chan struct{}

	mu      sync.Mutex // guards the field below
	waiting map[*counted]struct{}
}

// carried is what a connection brings along.
type carried struct {
	back   bool          // to net/http, which has read nothing since
	rest   []byte        // of the last answer: what the socket did not take at once
	within time.Duration // in which that must be sent
	unread []byte        // what the client has sent already
	failed error         // of the first read
}

// comingBack bounds the connections that are yet to be taken. Who brings more waits.
const comingBack = 1024

func newReturned(addr net.Addr, idle, header time.Duration) *returned {
	return &returned{
		addr: addr, idle: idle, header: header, lanes: make(chan *counted, comingBack), conns: make(chan *counted, comingBack),
		closed: make(chan struct{}), waiting: map[*counted]struct{}{},
	}
}

// give hands a connection back to net/http. It owns it from then on.
func (r *returned) give(c *counted) {
	c.back = true
	r.hand(c, r.conns)
}

func (r *returned) hand(c *counted, to chan<- *counted) {
	select {
	case to <- c:
	case <-r.closed:
		_ = c.Close() // the server is ending
	}
}

// read is the first read of a connection that has come back. net/http takes it for a new one, and would close it soon if nothing
// came. It tries again after an error, to tell HTTP/2 from 1.1, so that must stay.
func (r *returned) read(c *counted, b []byte) (n int, err error) {
	if c.failed != nil {
		return 0, c.failed
	}
	defer func() { c.failed, c.back = err, err != nil || len(c.unread) > 0 }()
	if len(c.unread) > 0 {
		n := copy(b, c.unread)
		c.unread = c.unread[n:]
		return n, nil
	}
	if !r.wait(c) {
		return 0, net.ErrClosed
	}
	n, err = c.Conn.Read(b)
	r.came(c)
	_ = c.SetReadDeadline(time.Now().Add(r.header)) // the next read fails if that does
	return n, err
}

// wait notes that a connection is idle, so that it does not hold up the end. It returns false when that has come.
// Who has read something says so with came.
func (r *returned) wait(c *counted) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting == nil {
		return false
	}
	_ = c.SetReadDeadline(time.Now().Add(r.idle)) // the read fails if that does
	r.waiting[c] = struct{}{}
	return true
}

// came notes that a connection is idle no longer.
func (r *returned) came(c *counted) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.waiting, c)
}

// await waits for the next request on a connection that net/http does not have to begin, as net/http would.
func (c *counted) await(from *bufio.Reader) error {
	if !c.from.back.wait(c) {
		return io.EOF
	}
	_, err := from.Peek(1)
	c.from.back.came(c)
	return err
}

// leave gives a connection back to net/http with what has been read of it.
func (c *counted) leave(from *bufio.Reader) {
	_ = c.SetDeadline(time.Time{}) // if it fails the next read does
	c.requests, c.segment, c.put = 0, 0, 0
	c.carried = carried{unread: unread(from)}
	c.from.back.give(c)
}

// Accept implements net.Listener.
func (r *returned) Accept() (net.Conn, error) {
	select {
	case c := <-r.conns:
		return c, nil
	case <-r.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. Idle connections end.
func (r *returned) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting == nil {
		return nil
	}
	close(r.closed)
	for c := range r.waiting {
		_ = c.SetReadDeadline(time.Unix(1, 0)) // it is past; a connection that has gone needs none
	}
	r.waiting = nil
	return nil
}

// Addr implements net.Listener.
func (r *returned) Addr() net.Addr { return r.addr }

// drain closes what nobody has taken. Nothing may be given any more.
func (r *returned) drain() {
	_ = r.Close() // it can not fail
	for {
		select {
		case c := <-r.conns:
			_ = c.Close() // nobody uses it
		case c := <-r.lanes:
			_ = c.Close()
		default:
			return
		}
	}
}
