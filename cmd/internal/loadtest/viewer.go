package loadtest

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

// place is a part: its segment's number and its index.
type place struct {
	msn  int64
	part int
}

// next returns the part after it.
func (p place) next(perSegment int) place {
	if p.part+1 >= perSegment {
		return place{p.msn + 1, 0}
	}
	return place{p.msn, p.part + 1}
}

// sample is one answer that was complete.
type sample struct {
	place
	began, done time.Time // first byte, last byte
	media       bool
}

// viewer is one client. It is used by one goroutine, and read when that has ended.
type viewer struct {
	o       *Options
	url     *url.URL
	host    string
	path    string
	fields  string // behind a request's target
	checks  bool   // it reads what playlists say
	conn    net.Conn
	until   time.Time // the deadline of conn
	reader  reader
	request []byte // its space is used again for the next
	samples []sample
	errors  map[string]int
}

func newViewer(o *Options, u *url.URL, checks bool) *viewer {
	coding := "gzip"
	if checks {
		coding = "identity"
	}
	v := &viewer{o: o, url: u, host: hostPort(u), path: u.EscapedPath(), checks: checks, errors: map[string]int{}}
	v.fields = " HTTP/1.1\r\nHost: " + v.host + "\r\nAccept-Encoding: " + coding + "\r\nUser-Agent: venuecast-load\r\n\r\n"
	return v
}

// run follows the playlist from a part on until the context ends.
func (v *viewer) run(ctx context.Context, at place) {
	defer v.hangUp()
	for ctx.Err() == nil {
		if err := v.step(ctx, at); err != nil {
			if over(ctx) {
				return
			}
			v.errors[err.Error()]++
			v.hangUp()
			if !pause(ctx, 100*time.Millisecond) {
				return
			}
		}
		at = at.next(v.o.perSegment)
		if !pause(ctx, v.o.RoundTrip) {
			return
		}
	}
}

// step waits for one part and fetches it.
func (v *viewer) step(ctx context.Context, at place) error {
	v.request = fmt.Appendf(v.request[:0], "GET %s?_HLS_msn=%d&_HLS_part=%d%s", v.path, at.msn, at.part, v.fields)
	if err := v.get(ctx, at, false); err != nil || v.o.PlaylistsOnly {
		return err
	}
	if !pause(ctx, v.o.RoundTrip) {
		return context.Cause(ctx)
	}
	v.request = fmt.Appendf(v.request[:0], "GET %s/%d.%d.m4s%s", path.Dir(v.path), at.msn, at.part, v.fields)
	return v.get(ctx, at, true)
}

// answerWithin bounds one answer: a server gives up after three target durations.
const answerWithin = 30 * time.Second

// deadline is when an answer must be there: in time, and before the end of the measurement.
func deadline(ctx context.Context) time.Time {
	at := time.Now().Add(answerWithin)
	if end, ok := ctx.Deadline(); ok && end.Before(at) {
		return end
	}
	return at
}

// hasUntil bounds the next answer. To set a timer for each would cost thousands of viewers more than it tells.
func (v *viewer) hasUntil(at time.Time) error {
	if v.until.Equal(at) || time.Until(v.until) > answerWithin/2 {
		return nil
	}
	v.until = at
	return v.conn.SetDeadline(at) //nolint:wrapcheck // its caller says what failed
}

// over reports whether the measurement has ended. A connection may notice before the context does.
func over(ctx context.Context) bool {
	end, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(end)
}

// get sends the request and reads the answer, which for a part is thrown away.
func (v *viewer) get(ctx context.Context, at place, media bool) error {
	if err := v.connect(ctx); err != nil {
		return err
	}
	if err := v.hasUntil(deadline(ctx)); err != nil {
		return errors.New("bounding an answer failed")
	}
	if _, err := v.conn.Write(v.request); err != nil {
		return errors.New("sending a request failed")
	}
	a, err := v.reader.read()
	switch {
	case err != nil:
		return err
	case a.status != http.StatusOK:
		return fmt.Errorf("status %d", a.status)
	case a.size == 0:
		return errors.New("an answer was empty")
	case v.checks && !media && !bytes.Contains(a.begin, fmt.Appendf(nil, "\"%d.%d.m4s\"", at.msn, at.part)):
		return errors.New("a playlist lacks the part that was asked for")
	}
	v.samples = append(v.samples, sample{at, a.began, a.done, media})
	return nil
}

func (v *viewer) connect(ctx context.Context) error {
	if v.conn != nil {
		return nil
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	var err error
	if v.url.Scheme == "https" {
		secure := &tls.Dialer{NetDialer: dialer, Config: &tls.Config{
			NextProtos: []string{"http/1.1"}, InsecureSkipVerify: v.o.Insecure, //nolint:gosec // the user asked for it
		}}
		v.conn, err = secure.DialContext(ctx, "tcp", v.host)
	} else {
		v.conn, err = dialer.DialContext(ctx, "tcp", v.host)
	}
	if err != nil {
		v.conn = nil
		return errors.New("connecting failed")
	}
	v.until = time.Time{}
	v.reader.reset(v.conn)
	return nil
}

func (v *viewer) hangUp() {
	if v.conn != nil {
		_ = v.conn.Close() // nothing more is wanted of it
		v.conn = nil
	}
}

// pause waits. It returns false when the context ended.
func pause(ctx context.Context, d time.Duration) bool { return pipeline.Sleep(ctx, d) == nil }
