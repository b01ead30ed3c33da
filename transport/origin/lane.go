package origin

import (
	"bufio"
	"net/http"
	"syscall"
	"time"

	"github.com/venuecast/venuecast/pipeline/live"
)

// lane answers requests for stored segments on one connection over plain HTTP/1.1, without what net/http does for each: that is
// more work than to send the segment. It knows the plainest of requests only (see plainly). At anything else the connection goes
// back to net/http with all that has not been answered, so net/http decides what is a request and what is not.
type lane struct {
	server *Server
	conn   *counted
	from   *bufio.Reader
	plain  plainly
	fixed  map[laneKey][]byte // header fields that are the same for many segments
	date   time.Time          // to the second, of
	dated  []byte             // the header field
	send   transfer
	step   func(uintptr) bool // of send
	raw    syscall.RawConn
	header []byte // of the answer before: its space is used again
}

// laneKey is what header fields hang on.
type laneKey struct {
	contentType string
	target      time.Duration
}

// ride answers a request for a segment and those that follow on its connection, if the one before was for a segment, too, and
// nothing about it is special. Else it returns false. If it returns true, media is closed and the handler must return.
// To take a connection and to give it back costs as much as the lane saves: who asks for playlists in between had better stay.
func (s *Server) ride(w http.ResponseWriter, req *http.Request, r *live.Rendition, media live.Media) bool {
	conn, file := parkable(req), storedFile(media)
	rec, ok := w.(*recorder)
	if conn == nil || file == nil || !ok {
		return false
	}
	before := conn.segment
	if conn.segment = conn.requests; before == 0 || before+1 != conn.requests || !s.parking.open() {
		return false
	}
	defer s.parking.users.Done()
	raw, err := conn.raw()
	if err != nil {
		return false
	}
	_, rw, err := http.NewResponseController(rec.ResponseWriter).Hijack()
	if err != nil {
		return false
	}
	rec.parked = true
	s.parking.board(conn)
	defer s.parking.alight(conn)
	s.metrics.lanes.Inc()
	defer s.metrics.lanes.Dec()
	l := &lane{server: s, conn: conn, raw: raw, from: rw.Reader, fixed: map[laneKey][]byte{}}
	l.step = l.send.step
	l.run(segmentAnswer{r, file, media.Tag})
	return true
}

// storedFile returns the file that media lie in, nil when they lie elsewhere.
func storedFile(media live.Media) *stored {
	file, _ := media.ReadSeekCloser.(*stored)
	return file
}

// segmentAnswer is a segment on its way.
type segmentAnswer struct {
	rendition *live.Rendition
	file      *stored
	tag       string
}

// run sends an answer and those that follow, until something else is asked for or the connection ends.
func (l *lane) run(a segmentAnswer) {
	for {
		if err := l.answer(a); err != nil {
			_ = l.conn.Close() // the client is slow or has gone
			return
		}
		if l.from.Buffered() == 0 {
			if err := l.conn.await(l.from); err != nil {
				_ = l.conn.Close() // the client has gone, or nothing came for long
				return
			}
		}
		var ok bool
		if a, ok = l.next(); !ok {
			l.conn.leave(l.from)
			return
		}
	}
}

// next takes the next request, if it is a plain one that has come as a whole, for a segment that lies in a file.
func (l *lane) next() (a segmentAnswer, ok bool) {
	request, _ := l.from.Peek(l.from.Buffered()) // that much is there
	target, length, ok := l.plain.read(request)
	if !ok {
		return a, false
	}
	r := l.server.opts.Feeds.Feed(target.feed)
	if r == nil {
		return a, false
	}
	if a.rendition = r.Rendition(target.rendition); a.rendition == nil || a.rendition.OnDemand() {
		return a, false
	}
	media, err := a.rendition.Snapshot().Segment(target.msn)
	if err != nil {
		return a, false
	}
	if a.file, a.tag = storedFile(media), media.Tag; a.file == nil {
		_ = media.Close() // it was not even read
		return a, false
	}
	_, _ = l.from.Discard(length) // that much is there
	return a, true
}

// answer sends one segment, and closes it.
func (l *lane) answer(a segmentAnswer) error {
	defer func() { _ = a.file.Close() }() // it was only read
	l.server.parking.hasUntil(l.conn, l.server.opts.WriteTimeout)
	l.send = transfer{header: l.head(a), more: a.file.Size() > 0, file: a.file.open.File, left: a.file.Size()}
	l.server.metrics.okay.Inc()
	return l.send.run(l.raw, l.step)
}
