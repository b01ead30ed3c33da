package origin

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/venuecast/venuecast/pipeline/live"
)

// parking is where requests over plain HTTP/1.1 wait for a part. Of such a request only the connection is kept: net/http
// would keep two goroutines and its buffers for each, 40 KiB. When the part comes, one goroutine writes the answer, which is the
// same for all who asked the same, to one connection after the other, without waiting for any; then they go on in lanes.
//
// That goroutine is the one in which the first request to wait there was read, its keeper.
type parking struct {
	users sync.WaitGroup // handlers that park or keep
	homes []*returned

	mu    sync.Mutex // guards the fields below
	ended bool
	lots  map[lotKey][]parked
	next  int
	lanes map[*counted]struct{} // connections that are in a lane or an intake
	hurry atomic.Bool           // the server is ending
}

// lotKey names a lot: of the requests that wait in a rendition, as many lots as there are processors.
type lotKey struct {
	rendition *live.Rendition
	number    int
}

// parked is a request that waits.
type parked struct {
	conn  *counted
	ask   question
	since time.Time
	until time.Time
}

// lookAfter is how often those who wait are looked at: whether they have waited too long, or have gone.
const lookAfter = time.Second

type connKey struct{}

func withConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}

// connOf returns the connection of a request that has it for itself, nil of others.
func connOf(req *http.Request) *counted {
	if req.ProtoMajor != 1 {
		return nil
	}
	conn, _ := req.Context().Value(connKey{}).(*counted)
	return conn
}

// parkable returns the connection of a request that can be parked: one with nothing special about it.
func parkable(req *http.Request) *counted {
	conn := connOf(req)
	if conn == nil || conn.from.back == nil || !ordinary(req) {
		return nil
	}
	if _, ok := conn.Conn.(*net.TCPConn); !ok {
		return nil
	}
	return conn
}

// ordinary reports whether a request is a plain GET of HTTP/1.1 for all of something, after which the connection goes on.
func ordinary(req *http.Request) bool {
	if req.Method != http.MethodGet || req.ProtoMajor != 1 || req.ProtoMinor != 1 || req.Close {
		return false
	}
	if req.ContentLength != 0 || len(req.TransferEncoding) > 0 || conditional(req) {
		return false
	}
	return req.Header["Upgrade"] == nil && req.Header["Expect"] == nil
}

// park takes the connection of a request away from net/http until the question can be answered. It returns false when it
// can not. Else the handler must return. The request must have entered.
func (s *Server) park(w http.ResponseWriter, req *http.Request, r *live.Rendition, ask question) bool {
	conn := parkable(req)
	rec, ok := w.(*recorder)
	if conn == nil || !ok || !s.parking.open() {
		return false
	}
	defer s.parking.users.Done()
	_, rw, err := http.NewResponseController(rec.ResponseWriter).Hijack()
	if err != nil {
		return false
	}
	rec.parked = true
	conn.carried = carried{unread: unread(rw.Reader)}
	ask.coding = codingOf(req.Header)
	s.wait(conn, r, ask)
	return true
}

// wait parks a connection whose request has been read. Who called it must do no more with the connection.
func (s *Server) wait(conn *counted, r *live.Rendition, ask question) {
	now := time.Now()
	one := parked{conn, ask, now, now.Add(waitAtMost(r))}
	key, first := s.parking.add(r, one)
	if first {
		s.keep(conn.from.back.closed, key)
	} else if snap := r.Snapshot(); answered(snap)(&one) { // it came meanwhile, and the keeper had looked by then
		s.settle(key, answered(snap), snap, nil)
	}
}

// unread returns what the client has sent behind its request.
func unread(r *bufio.Reader) []byte {
	if r.Buffered() == 0 {
		return nil
	}
	ahead, _ := r.Peek(r.Buffered()) // that much is there
	return append([]byte(nil), ahead...)
}

// add parks a request. The first in a lot is told so: it must keep the lot.
func (p *parking) add(r *live.Rendition, one parked) (key lotKey, first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lots == nil {
		p.lots = map[lotKey][]parked{}
	}
	p.next = (p.next + 1) % runtime.GOMAXPROCS(0)
	key = lotKey{r, p.next}
	lot, there := p.lots[key]
	p.lots[key] = append(lot, one)
	return key, !there
}

// pick removes from a lot those that match. When none is left, the lot is no more.
func (p *parking) pick(key lotKey, match func(*parked) bool) (taken []parked, left bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	lot := p.lots[key]
	stay := lot[:0]
	for i := range lot {
		if match(&lot[i]) {
			taken = append(taken, lot[i])
		} else {
			stay = append(stay, lot[i])
		}
	}
	clear(lot[len(stay):])
	if len(stay) == 0 {
		delete(p.lots, key)
		return taken, false
	}
	p.lots[key] = stay
	return taken, true
}

// open reports whether requests can be parked. Then users.Done must be called when the handler is done.
func (p *parking) open() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		p.users.Add(1)
	}
	return !p.ended
}

// board notes that a connection is in a lane or an intake.
func (p *parking) board(c *counted) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lanes == nil {
		p.lanes = map[*counted]struct{}{}
	}
	p.lanes[c] = struct{}{}
}

// alight notes that it is there no more.
func (p *parking) alight(c *counted) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.lanes, c)
}

// hasUntil bounds the time that the client has for the next answer.
func (p *parking) hasUntil(c *counted, within time.Duration) {
	_ = c.SetWriteDeadline(time.Now().Add(within)) // the write fails if that does
	if p.hurry.Load() {
		_ = c.SetWriteDeadline(time.Now().Add(min(within, closeTimeout)))
	}
}

// readUntil bounds the reading of what a worker puts.
func (p *parking) readUntil(c *counted, at time.Time) error {
	if p.hurry.Load() {
		at = time.Now().Add(closeTimeout)
	}
	err := c.SetReadDeadline(at)
	if p.hurry.Load() { // it began meanwhile
		err = c.SetReadDeadline(time.Now().Add(closeTimeout))
	}
	return err //nolint:wrapcheck // its caller is net/http
}

// hasten bounds the time that clients have for the requests and answers under way in lanes: the server is ending.
func (p *parking) hasten() {
	p.hurry.Store(true)
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.lanes {
		_ = c.SetDeadline(time.Now().Add(closeTimeout)) // a connection that has gone needs none
	}
}

// end waits for the keepers, who know that the server ends, and closes the connections that nobody took back.
func (p *parking) end() {
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	p.users.Wait()
	for _, home := range p.homes {
		home.drain()
	}
}

// keep answers those who wait in a lot until there are none, or the server ends. The context of the request that it was called
// with would end with that client, who may have gone by now: the others have nothing to do with it.
func (s *Server) keep(ends <-chan struct{}, key lotKey) {
	look := time.NewTicker(lookAfter)
	defer look.Stop()
	left := true
	defer func() {
		if left { // a panic, which net/http reports: nobody would keep the lot any more
			s.settle(key, everyone, nil, errBusy)
		}
	}()
	for left {
		snap := key.rendition.Snapshot()
		if snap.Retired() {
			left = s.settle(key, everyone, nil, live.ErrGone)
			continue
		}
		if left = s.settle(key, answered(snap), snap, nil); !left {
			return
		}
		select {
		case <-snap.Changed():
		case <-look.C:
			left = s.settle(key, overdue(time.Now()), nil, context.DeadlineExceeded)
		case <-ends:
			left = s.settle(key, everyone, nil, context.Canceled)
		}
	}
}

// settle answers those in a lot that match: with what is in snap, or why there is nothing. It reports whether others are left.
func (s *Server) settle(key lotKey, match func(*parked) bool, snap *live.Snapshot, err error) (left bool) {
	taken, left := s.parking.pick(key, match)
	answers := map[question]whole{}
	for i := range taken {
		p := &taken[i]
		a, ok := answers[p.ask]
		if !ok {
			a = s.whole(key.rendition, p.ask, snap, err)
			answers[p.ask] = a
		}
		s.leave()
		a.counter.Inc()
		s.send(p.conn, a)
	}
	// Not before all have their answer: what these ask next can wait.
	for i := range taken {
		taken[i].conn.goOn()
	}
	return left
}

func everyone(*parked) bool { return true }

// answered matches those for whom snap has what they want.
func answered(snap *live.Snapshot) func(*parked) bool {
	last, ok := snap.LastPart()
	return func(p *parked) bool { return ok && !last.Less(p.ask.want) }
}

// overdue matches those that have waited too long, or whose client has gone. Most wait for a fraction of a second: they are not looked at.
func overdue(now time.Time) func(*parked) bool {
	return func(p *parked) bool {
		return now.After(p.until) || now.Sub(p.since) > lookAfter && p.conn.gone()
	}
}
