package origin

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// mostAtOnce bounds one call of sendfile(2), which can not do more than 2 GiB less a page.
const mostAtOnce = 1 << 30

// step sends what the socket takes. It reports whether nothing is left to be done, be it for an error.
// The header waits in the kernel for what comes behind it (MSG_MORE, send(2)), so that the client is woken once for both, and
// between the pieces in which a file is read no packet goes that is not full (TCP_CORK, tcp(7)).
func (t *transfer) step(socket uintptr) (done bool) {
	if t.left > 0 && !t.corked {
		t.cork(socket, 1)
	}
	defer func() {
		if t.left == 0 && t.corked {
			t.cork(socket, 0)
		}
	}()
	flags := syscall.MSG_NOSIGNAL
	if t.more {
		flags |= syscall.MSG_MORE
	}
	for len(t.header) > 0 {
		n, err := syscall.SendmsgN(int(socket), t.header, nil, nil, flags)
		if again, failed := t.failed(err); again || failed {
			return failed
		}
		t.header = t.header[max(n, 0):]
	}
	for t.left > 0 {
		n, err := syscall.Sendfile(int(socket), int(t.file.Fd()), &t.at, int(min(t.left, mostAtOnce)))
		if err == nil && n == 0 {
			err = io.ErrUnexpectedEOF // somebody has cut the file short
		}
		if again, failed := t.failed(err); again || failed {
			return failed
		}
		t.left -= int64(max(n, 0))
	}
	return true
}

// cork holds packets back that are not full, for 0.2 s at most, or lets the last one go. Without it all works, less well.
func (t *transfer) cork(socket uintptr, on int) {
	t.corked = on != 0
	_ = syscall.SetsockoptInt(int(socket), syscall.IPPROTO_TCP, syscall.TCP_CORK, on)
}

// failed notes an error. again reports that the socket takes no more for now.
func (t *transfer) failed(err error) (again, failed bool) {
	switch {
	case err == nil, errors.Is(err, syscall.EINTR):
		return false, false
	case errors.Is(err, syscall.EAGAIN):
		return true, false
	}
	t.err = err
	return false, true
}

// writeMore writes what belongs in one packet with what is written next. The kernel sends it after 0.2 s if nothing is.
func writeMore(conn net.Conn, b []byte) (int, error) {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return conn.Write(b)
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return 0, err
	}
	t := &transfer{header: b, more: true}
	err = t.run(raw, t.step)
	return len(b) - len(t.header), err
}
