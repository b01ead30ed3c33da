package origin

import (
	"bufio"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/venuecast/venuecast/pipeline/live"
)

// lane answers requests for live playlists and media on one connection over plain HTTP/1.1, without what net/http does for each:
// that is more work than to send a segment. It knows the plainest of requests only (see plainly). At anything else the connection
// goes back to net/http with all that has not been answered, so net/http decides what is a request and what is not.
//
// Connections get into lanes when they have asked for two segments on end, and when they have waited (see parking).
type lane struct {
	server *Server
	conn   *counted
	from   *bufio.Reader
	date   time.Time // to the second, of
	dated  []byte    // the header field
	send   transfer
	raw    syscall.RawConn    // of conn, once a file has been sent
	step   func(uintptr) bool // of send, likewise
	header []byte             // of the answer before: its space is used again

	waits *live.Rendition // for what ask says, nil if the connection has ended or gone elsewhere
	ask   question
}

// outcome is what became of a request in a lane.
type outcome uint8

const (
	goesOn   outcome = iota // it has been answered
	mustWait                // as lane.ask says
	foreign                 // it is for net/http, and has not been taken
	broken                  // the client is slow or has gone
)

// ride answers a request for a segment and those that follow on its connection, if the one before was for a segment, too, and
// nothing about it is special. Else it returns false. If it returns true, media is closed and the handler must return.
// To take a connection from net/http costs as much as the lane saves in one request.
func (s *Server) ride(w http.ResponseWriter, req *http.Request, r *live.Rendition, media live.Media) bool {
	conn := parkable(req)
	rec, ok := w.(*recorder)
	if conn == nil || storedFile(media) == nil || !ok {
		return false
	}
	before := conn.segment
	if conn.segment = conn.requests; before == 0 || before+1 != conn.requests || !s.parking.open() {
		return false
	}
	defer s.parking.users.Done()
	_, rw, err := http.NewResponseController(rec.ResponseWriter).Hijack()
	if err != nil {
		return false
	}
	rec.parked = true
	l := &lane{server: s, conn: conn, from: rw.Reader}
	l.run(func() outcome { return l.sendMedia(r, media) })
	if l.waits != nil {
		s.wait(conn, l.waits, l.ask)
	}
	return true
}

// run answers what first does and then one request after the other, until one must wait or is for net/http, or the connection ends.
func (l *lane) run(first func() outcome) {
	l.server.parking.board(l.conn)
	defer l.server.parking.alight(l.conn)
	l.server.metrics.lanes.Inc()
	defer l.server.metrics.lanes.Dec()
	now := first()
	for now == goesOn {
		if l.from.Buffered() == 0 && l.conn.await(l.from) != nil { // the client has gone, or nothing came for long
			now = broken
			break
		}
		now = l.next()
	}
	switch now {
	case mustWait:
		_ = l.conn.SetDeadline(time.Time{}) // if it fails writing does
		l.conn.carried = carried{unread: unread(l.from)}
	case foreign:
		l.conn.leave(l.from)
	default:
		_ = l.conn.Close() // nothing more is wanted of it
	}
}

// next takes the next request, if it is a plain one that has come as a whole, and answers it or says that it must wait.
func (l *lane) next() outcome {
	request, _ := l.from.Peek(l.from.Buffered()) // that much is there
	asked, length, ok := l.conn.plain.read(request)
	if !ok {
		return foreign
	}
	feed := l.server.opts.Feeds.Feed(asked.feed)
	if feed == nil {
		return foreign
	}
	r := feed.Rendition(asked.rendition)
	if r == nil || r.OnDemand() {
		return foreign
	}
	var now outcome
	if asked.file.kind == playlistFile {
		now = l.playlist(r, asked.query)
	} else {
		now = l.media(r, asked.file)
	}
	if now != foreign {
		_, _ = l.from.Discard(length) // that much is there
	}
	return now
}

// playlist answers with a playlist, as Server.getPlaylist does, or says that it must wait.
func (l *lane) playlist(r *live.Rendition, query string) outcome {
	snap := r.Snapshot()
	d, err := parseQuery(query)
	if err != nil || snap.Err(l.server.opts.Now()) != nil {
		return foreign
	}
	ask := d.question(live.Form{})
	ask.coding = l.conn.plain.coding
	if ask.blocking {
		last, _ := snap.LastPart()
		var ok bool
		if ask.want, ok = d.wanted(last, r.Parts(), r.AdvancePartLimit()); !ok {
			return foreign
		}
		if last.Less(ask.want) {
			return l.wait(r, ask)
		}
	}
	a := l.server.whole(r, ask, snap, nil)
	a.counter.Inc()
	return l.write(a.bytes)
}

// wait notes what must be waited for.
func (l *lane) wait(r *live.Rendition, ask question) outcome {
	if l.server.enter() != nil {
		return foreign
	}
	l.waits, l.ask = r, ask
	return mustWait
}

// media answers with a segment or a part, as Server.getMedia does.
func (l *lane) media(r *live.Rendition, f file) outcome {
	snap := r.Snapshot()
	if f.kind == partFile && f.place == snap.Next() && snap.Err(l.server.opts.Now()) == nil {
		return l.wait(r, question{part: true, blocking: true, want: f.place})
	}
	var media live.Media
	var err error
	if f.kind == segmentFile {
		media, err = snap.Segment(f.place.MSN)
	} else {
		media, err = snap.Part(f.place)
	}
	if err != nil {
		return foreign
	}
	return l.sendMedia(r, media)
}

// storedFile returns the file that media lie in, nil when they lie elsewhere.
func storedFile(media live.Media) *stored {
	file, _ := media.ReadSeekCloser.(*stored)
	return file
}

// sendMedia sends a segment or part that lies in memory or in a file, and closes it.
func (l *lane) sendMedia(r *live.Rendition, media live.Media) outcome {
	defer func() { _ = media.Close() }() // it was only read
	file := storedFile(media)
	if media.Bytes == nil && file == nil {
		return foreign
	}
	l.server.metrics.okay.Inc()
	if media.Bytes != nil {
		return l.write(l.head(r, media.Tag, int64(len(media.Bytes))), media.Bytes)
	}
	return l.sendFile(r, media.Tag, file)
}

// sendFile sends what lies in a file.
func (l *lane) sendFile(r *live.Rendition, tag string, file *stored) outcome {
	if l.raw == nil {
		raw, err := l.conn.raw()
		if err != nil {
			return broken
		}
		l.raw, l.step = raw, l.send.step
	}
	l.server.parking.hasUntil(l.conn, l.server.opts.WriteTimeout)
	l.send = transfer{header: l.head(r, tag, file.Size()), more: file.Size() > 0, file: file.open.File, left: file.Size()}
	if l.send.run(l.raw, l.step) != nil {
		return broken
	}
	return goesOn
}

// write sends an answer that is in memory.
func (l *lane) write(pieces ...[]byte) outcome {
	l.server.parking.hasUntil(l.conn, l.server.opts.WriteTimeout)
	all := net.Buffers(pieces)
	if _, err := all.WriteTo(l.conn.Conn); err != nil {
		return broken
	}
	return goesOn
}
