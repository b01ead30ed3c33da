package push

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// line is a connection for one request at a time.
type line struct {
	conn  net.Conn
	limit io.LimitedReader // of conn: so much may one answer have, header and all
	from  *bufio.Reader
	head  []byte // of the request before: its space is used again
	since time.Time
}

const (
	// answerBuffer holds the answer to a part as a whole.
	answerBuffer = 2 << 10
	// maxHeader bounds an answer's header, and what its body has besides its bytes.
	maxHeader = 64 << 10
	// maxInterim bounds the answers of 1xx before the one that counts (RFC 9110 §15.2), as net/http's transport does.
	maxInterim = 5
)

func newLine(conn net.Conn) *line {
	l := &line{conn: conn, limit: io.LimitedReader{R: conn}}
	l.from = bufio.NewReaderSize(&l.limit, answerBuffer)
	return l
}

func (l *line) close() { _ = l.conn.Close() } // what was written has its answer, or is sent again

// heard reports whether anything of the last answer has come.
func (l *line) heard() bool { return l.limit.N < maxHeader+maxAnswer }

// exchange sends a request and reads the answer. again reports whether the connection can have another.
func (l *line) exchange(common []byte, r request) (got answer, again bool, err error) {
	l.limit.N = maxHeader + maxAnswer
	sent := l.write(common, r)
	// An origin that refuses a part may close before it has read it: its answer says more than that it could not be written.
	got, again, err = l.read(r.method)
	if err != nil && sent != nil {
		err = sent
	}
	if err != nil {
		return answer{}, false, fmt.Errorf("sending: %w", err)
	}
	return got, again && sent == nil, nil
}

// write writes header and body in one call of the kernel, which takes the body from where it is.
func (l *line) write(common []byte, r request) error {
	h := l.head[:0]
	h = append(h, r.method...)
	h = append(append(append(h, ' '), r.path...), " HTTP/1.1\r\n"...)
	h = append(h, common...)
	for _, f := range r.header {
		h = append(append(append(append(h, f.name...), ": "...), f.value...), "\r\n"...)
	}
	h = strconv.AppendInt(append(h, "Content-Length: "...), int64(len(r.body)), 10)
	h = append(h, "\r\n\r\n"...)
	l.head = h
	both := net.Buffers{l.head, r.body}
	_, err := both.WriteTo(l.conn)
	return err //nolint:wrapcheck // who calls says what was done
}

// read reads the answer to a request.
func (l *line) read(method string) (got answer, again bool, err error) {
	asked := &http.Request{Method: method}
	for range maxInterim + 1 {
		resp, err := http.ReadResponse(l.from, asked)
		if err != nil {
			return got, false, err
		}
		got, err = read(resp)
		_ = resp.Body.Close() // it was only read
		if err == nil && resp.StatusCode/100 == 1 && resp.StatusCode != http.StatusSwitchingProtocols {
			continue
		}
		if err != nil {
			return got, false, err
		}
		ended := len(got.body) < maxAnswer && l.from.Buffered() == 0
		return got, ended && !resp.Close && resp.StatusCode != http.StatusSwitchingProtocols, nil
	}
	return got, false, errors.New("too many interim answers")
}
