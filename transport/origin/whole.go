package origin

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/venuecast/venuecast/pipeline/live"
)

// whole is an answer as it goes over the wire.
type whole struct {
	bytes   []byte
	counter prometheus.Counter // of its class of status
}

// whole renders the answer to a question, by what answers it elsewhere.
func (s *Server) whole(r *live.Rendition, ask question, snap *live.Snapshot, err error) whole {
	w := &written{header: http.Header{}}
	commonHeader(w.header)
	req := &http.Request{Method: http.MethodGet, Header: http.Header{"Accept-Encoding": {ask.coding}}}
	s.reply(w, req, r, ask, snap, err)
	return whole{w.bytes(s.opts.Now()), s.metrics.responses.WithLabelValues(class(w.status))}
}

// written is an http.ResponseWriter that keeps what is written.
type written struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (w *written) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *written) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write implements http.ResponseWriter.
func (w *written) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// bytes returns status line, header and body (RFC 9112 §2.1).
func (w *written) bytes(now time.Time) []byte {
	w.WriteHeader(http.StatusOK)
	w.header.Set("Date", now.UTC().Format(http.TimeFormat))
	if w.status != http.StatusNoContent {
		w.header.Set("Content-Length", strconv.Itoa(w.body.Len()))
	}
	var out bytes.Buffer
	out.Grow(w.body.Len() + 1024)
	// A bytes.Buffer takes every write, so these can not fail.
	_, _ = fmt.Fprintf(&out, "HTTP/1.1 %d %s\r\n", w.status, http.StatusText(w.status))
	_ = w.header.Write(&out)
	_, _ = out.WriteString("\r\n")
	_, _ = out.Write(w.body.Bytes())
	return out.Bytes()
}

// send writes an answer. What the socket does not take at once is sent when the connection goes on.
func (s *Server) send(c *counted, a whole) {
	n, err := c.tryWrite(a.bytes)
	if err != nil {
		c.failed = err // the client has gone: nobody is left to tell
		return
	}
	c.rest = a.bytes[n:]
	c.within = s.opts.WriteTimeout + time.Duration(len(c.rest)/slowest)*time.Second
}

// goOn hands a connection that has been answered to a lane, for its next request, if it works.
func (c *counted) goOn() {
	if c.failed != nil {
		_ = c.Close() // nothing more is wanted of it
		return
	}
	c.from.back.hand(c, c.from.back.lanes)
}

// tryWrite writes what the socket takes without waiting.
func (c *counted) tryWrite(b []byte) (n int, err error) {
	once := func(fd uintptr) bool {
		n, err = syscall.Write(int(fd), b)
		return true
	}
	raw, rawErr := c.raw()
	if rawErr != nil {
		return 0, rawErr
	}
	if rawErr = raw.Write(once); rawErr != nil {
		return 0, rawErr
	}
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR) {
		return 0, nil
	}
	return max(n, 0), err
}

// gone reports whether the client has closed its side.
func (c *counted) gone() bool {
	var n int
	var err error
	raw, rawErr := c.raw()
	if rawErr != nil {
		return true
	}
	rawErr = raw.Read(func(fd uintptr) bool {
		n, _, err = syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		return true
	})
	waits := errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR)
	return rawErr != nil || err == nil && n == 0 || err != nil && !waits
}
