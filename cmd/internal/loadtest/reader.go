package loadtest

import (
	"bytes"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"
)

// reader reads answers with a length from a connection. It does as little as it can: thousands of viewers answer at the same
// moment on one processor, and what the tool needs itself is counted as the origin's.
type reader struct {
	conn   net.Conn
	buffer []byte
}

// readerBytes holds a playlist, or a part of a few hundred kbit/s, in one read.
const readerBytes = 32 << 10

// answer is one that was read to its end.
type answer struct {
	status      int
	size        int64  // of the body
	begin       []byte // of the body, as much as came with the header; valid until the next answer
	began, done time.Time
}

func (r *reader) reset(conn net.Conn) {
	r.conn = conn
	if r.buffer == nil {
		r.buffer = make([]byte, readerBytes)
	}
}

var (
	errNoAnswer = errors.New("no answer")
	errCutOff   = errors.New("an answer was cut off")
)

// read returns the next answer. Nothing may have been asked besides it.
func (r *reader) read() (answer, error) {
	var a answer
	have, end := 0, -1
	for end < 0 {
		if have == len(r.buffer) {
			return a, errors.New("an answer's header is too large")
		}
		n, err := r.conn.Read(r.buffer[have:])
		if err != nil {
			return a, errNoAnswer
		}
		if have == 0 {
			a.began = time.Now()
		}
		have += n
		end = bytes.Index(r.buffer[:have], []byte("\r\n\r\n"))
	}
	var err error
	if a.status, a.size, err = parseHead(string(r.buffer[:end])); err != nil {
		return a, err
	}
	a.begin = r.buffer[end+4 : have]
	// A body that fits goes behind its header, so that it can be looked at; else what is there already is overwritten.
	left, free := a.size-int64(len(a.begin)), r.buffer[have:]
	whole := left <= int64(len(free))
	if !whole {
		a.begin, free = nil, r.buffer
	}
	for left > 0 {
		n, err := r.conn.Read(free[:min(int64(len(free)), left)])
		if err != nil && int64(n) < left {
			return a, errCutOff
		}
		left -= int64(n)
		if whole {
			a.begin, free = a.begin[:len(a.begin)+n], free[n:]
		}
	}
	a.done = time.Now()
	return a, nil
}

// parseHead reads the status and Content-Length.
func parseHead(head string) (status int, length int64, err error) {
	line, rest, _ := strings.Cut(head, "\r\n")
	if !strings.HasPrefix(line, "HTTP/1.1 ") || len(line) < 12 {
		return 0, 0, errors.New("an answer is not HTTP/1.1")
	}
	if status, err = strconv.Atoi(line[9:12]); err != nil {
		return 0, 0, errors.New("an answer has no status")
	}
	for rest != "" {
		line, rest, _ = strings.Cut(rest, "\r\n")
		key, value, _ := strings.Cut(line, ":")
		if len(key) == len("Content-Length") && strings.EqualFold(key, "Content-Length") {
			length, err = strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			if err != nil || length < 0 {
				return 0, 0, errors.New("an answer's length is not a number")
			}
			return status, length, nil
		}
	}
	return 0, 0, errors.New("an answer has no Content-Length")
}
