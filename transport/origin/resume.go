package origin

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"runtime/debug"
	"sync"
	"time"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/live"
)

// lanes are for connections that were parked: they have none while they wait.
var lanes = sync.Pool{New: func() any { return &lane{from: bufio.NewReaderSize(nil, 4<<10)} }} // as net/http has

// resumeAll goes on with all that come, each in a goroutine of its own, until the context ends. Then it waits for them.
func (s *Server) resumeAll(ctx context.Context, answered <-chan *counted) error {
	var running pipeline.Group
	defer running.Wait()
	for {
		select {
		case c := <-answered:
			running.Start(ctx, pipeline.Func("lane", func(context.Context) error { s.resume(c); return nil }), func(error) {})
		case <-ctx.Done():
			return nil
		}
	}
}

// resume goes on in a lane with a connection whose request has been answered.
func (s *Server) resume(c *counted) {
	defer func() {
		if p := recover(); p != nil { // as net/http does: one request that fails ends nothing else
			s.opts.Logger.Error("a lane failed", "error", p, "stack", string(debug.Stack()))
			_ = c.Close() // the client sees that there is no answer
		}
	}()
	if r, ask := s.drive(c); r != nil {
		s.wait(c, r, ask)
	}
}

// drive runs a lane from what is left of the last answer on. If a request must wait, it returns which.
func (s *Server) drive(c *counted) (*live.Rendition, question) {
	l := lanes.Get().(*lane) //nolint:forcetypeassert // nothing else is put
	defer func() {
		l.from.Reset(nil)
		*l = lane{from: l.from, header: l.header}
		lanes.Put(l)
	}()
	l.server, l.conn = s, c
	l.from.Reset(c.Conn)
	if len(c.unread) > 0 {
		l.from.Reset(io.MultiReader(bytes.NewReader(c.unread), c.Conn))
	}
	l.run(func() outcome {
		if c.finish() != nil {
			return broken
		}
		return goesOn
	})
	return l.waits, l.ask
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
