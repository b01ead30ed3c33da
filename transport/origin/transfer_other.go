//go:build !linux

package origin

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// step sends what the socket takes, through a buffer.
func (t *transfer) step(socket uintptr) (done bool) {
	for len(t.header) > 0 || t.left > 0 {
		b := t.header
		if len(b) == 0 {
			b = make([]byte, min(t.left, 64<<10))
			if _, err := t.file.ReadAt(b, t.at); err != nil {
				t.err = errors.Join(err, io.ErrUnexpectedEOF)
				return true
			}
		}
		n, err := syscall.Write(int(socket), b)
		switch {
		case errors.Is(err, syscall.EAGAIN):
			return false
		case err != nil && !errors.Is(err, syscall.EINTR):
			t.err = err
			return true
		}
		t.sent(int64(max(n, 0)))
	}
	return true
}

func (t *transfer) sent(n int64) {
	if len(t.header) > 0 {
		t.header = t.header[n:]
		return
	}
	t.at += n
	t.left -= n
}

// writeMore writes what belongs together with what is written next, at once.
func writeMore(conn net.Conn, b []byte) (int, error) { return conn.Write(b) }
