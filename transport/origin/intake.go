package origin

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"time"
)

// intake takes what a worker puts on one connection over plain HTTP/1.1, one after the other, without what net/http does for each
// request besides: a goroutine that listens for the client's end while the handler runs, and is stopped again. Handlers are the same,
// and what is a request net/http's parser says. Anything but a plain PUT goes back to net/http with the connection.
type intake struct {
	server *Server
	conn   *counted
	from   *bufio.Reader // of conn
	header *bufio.Reader // of one header
}

// receive answers a part that was taken and then all that is put after it on its connection, if the request before was a part, too.
// Else it returns false. If it returns true, the handler must return.
func (s *Server) receive(w http.ResponseWriter, req *http.Request) bool {
	rec, ok := w.(*recorder)
	conn := connOf(req)
	if !ok || conn == nil || conn.from.back == nil || !plainPut(req) {
		return false
	}
	if _, ok := conn.Conn.(*net.TCPConn); !ok {
		return false
	}
	before := conn.put
	if conn.put = conn.requests; before == 0 || before+1 != conn.requests || !s.parking.open() {
		return false
	}
	defer s.parking.users.Done()
	_, rw, err := http.NewResponseController(rec.ResponseWriter).Hijack()
	if err != nil {
		return false
	}
	s.parking.board(conn)
	defer s.parking.alight(conn)
	s.metrics.intakes.Inc()
	defer s.metrics.intakes.Dec()
	i := &intake{server: s, conn: conn, from: rw.Reader, header: bufio.NewReaderSize(nil, rw.Reader.Size())}
	rec.parked = true
	s.metrics.okay.Inc()
	i.run(&reply{written: written{header: w.Header(), status: http.StatusNoContent}, intake: i})
	return true
}

// plainPut reports whether a request is a PUT of HTTP/1.1 of so many bytes, after which the connection goes on.
func plainPut(req *http.Request) bool {
	if req.Method != http.MethodPut || req.ProtoMajor != 1 || req.ProtoMinor != 1 || req.Close {
		return false
	}
	if req.ContentLength < 0 || len(req.TransferEncoding) > 0 {
		return false
	}
	return req.Header["Upgrade"] == nil && req.Header["Expect"] == nil && req.Header["Connection"] == nil
}

// run sends an answer and those that follow, until something else is asked for or the connection ends.
func (i *intake) run(r *reply) {
	returned := false
	defer func() {
		if !returned {
			_ = i.conn.Close() // the worker has gone, or nothing came for long; or a handler panicked, which net/http reports
		}
	}()
	for i.answer(r) {
		if i.from.Buffered() == 0 && i.conn.await(i.from) != nil {
			return
		}
		req := i.next()
		if req == nil {
			returned = true
			i.conn.leave(i.from)
			return
		}
		r = &reply{written: written{header: http.Header{}}, intake: i}
		r.body = io.LimitedReader{R: i.from, N: req.ContentLength}
		req.Body = io.NopCloser(&r.body)
		req.RemoteAddr = i.conn.RemoteAddr().String()
		i.server.handler.ServeHTTP(r, req)
	}
}

// next takes the next request's header if it has come as a whole and is a plain one. Its body is still to come.
func (i *intake) next() *http.Request {
	came, _ := i.from.Peek(i.from.Buffered()) // that much is there
	end := bytes.Index(came, []byte("\r\n\r\n"))
	if end < 0 || !bytes.HasPrefix(came, []byte("PUT /ingest/v1/")) || !printable(came[:end]) {
		return nil
	}
	i.header.Reset(bytes.NewReader(came[:end+4]))
	req, err := http.ReadRequest(i.header)
	if err != nil || !plainPut(req) || !plainHost(req.Host) || !plainNames(req.Header) {
		return nil
	}
	_, _ = i.from.Discard(end + 4) // that much is there
	return req
}

// Bounds of what nobody has read of a request that was refused, as net/http has them.
const (
	unreadBytes = 256 << 10
	unreadTime  = 500 * time.Millisecond
)

// answer sends an answer, and reports whether the connection can have another.
func (i *intake) answer(r *reply) bool {
	if r.body.N > 0 && r.body.N <= unreadBytes {
		_, _ = io.Copy(io.Discard, &r.body) // what is left of it says whether that was all
	}
	ends := r.body.N > 0
	if ends {
		r.Header().Set("Connection", "close")
	}
	i.server.parking.hasUntil(i.conn, i.server.opts.WriteTimeout)
	if _, err := i.conn.Write(r.bytes(i.server.opts.Now())); err != nil {
		return false
	}
	if ends {
		i.linger(r)
	}
	return !ends
}

// linger lets the worker read why its request is not read any further: it could not if the connection were closed at once.
func (i *intake) linger(r *reply) {
	if tcp, ok := i.conn.Conn.(*net.TCPConn); ok {
		_ = tcp.CloseWrite() // then it reads to the end
	}
	_ = i.conn.SetReadDeadline(time.Now().Add(unreadTime)) // reading fails if that does
	_, _ = io.Copy(io.Discard, &r.body)
}

// reply is the http.ResponseWriter of a request that an intake has read.
type reply struct {
	written
	intake *intake
	body   io.LimitedReader // of the request
}

// SetReadDeadline lets http.ResponseController bound the reading of the body. The next request's bounds are others.
func (r *reply) SetReadDeadline(at time.Time) error {
	if at.IsZero() {
		return nil
	}
	return r.intake.server.parking.readUntil(r.intake.conn, at)
}

// SetWriteDeadline is here for http.ResponseController: the time that an answer has begins when it is sent.
func (r *reply) SetWriteDeadline(time.Time) error { return nil }
