package origin

import (
	"bufio"
	"bytes"
	"io"
	"runtime/debug"
	"sync"
	"time"
)

// readers are for lanes of connections that were parked: they have none while they wait.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 4<<10) }} // as net/http has

// resume goes on in a lane with a connection whose request has been answered.
func (s *Server) resume(c *counted) {
	if !s.parking.open() {
		_ = c.Close() // the server is ending
		return
	}
	defer s.parking.users.Done()
	defer func() {
		if p := recover(); p != nil { // as net/http does: one request that fails ends nothing else
			s.opts.Logger.Error("a lane failed", "error", p, "stack", string(debug.Stack()))
			_ = c.Close() // the client sees that there is no answer
		}
	}()
	l := &lane{server: s, conn: c, plain: c.plain}
	l.drive()
	l.park()
}

// drive runs the lane with a reader of its own, from what is left of the last answer on.
func (l *lane) drive() {
	l.from = readers.Get().(*bufio.Reader) //nolint:forcetypeassert // nothing else is put
	defer func() {
		l.from.Reset(nil)
		readers.Put(l.from)
	}()
	l.from.Reset(io.MultiReader(bytes.NewReader(l.conn.unread), l.conn.Conn))
	l.run(func() outcome {
		var err error
		if l.raw, err = l.conn.raw(); err == nil {
			err = l.conn.finish()
		}
		if err != nil {
			return broken
		}
		return goesOn
	})
}

// finish sends what the socket did not take at once of the last answer. Here is a goroutine that may wait for a slow client.
func (c *counted) finish() error {
	if len(c.rest) == 0 {
		return nil
	}
	_ = c.SetWriteDeadline(time.Now().Add(c.within)) // the write fails if that does
	_, err := c.Conn.Write(c.rest)
	c.rest = nil
	return err //nolint:wrapcheck // the connection ends
}
