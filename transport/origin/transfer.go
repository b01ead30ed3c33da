package origin

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// transfer sends a header, which may be empty, and a piece of a file behind it, which may be, too.
type transfer struct {
	header []byte
	more   bool // something comes behind the header, at once
	file   *os.File
	at     int64 // the next byte of the file
	left   int64 // bytes of it
	corked bool  // no packet goes that is not full
	err    error
}

// sendFile sends a piece of a file over a TCP connection without that it passes through this process.
// It returns how many bytes of the file were sent: n, or what there is.
func sendFile(conn net.Conn, file *stored, n int64) (sent int64, err error) {
	at, err := file.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, err
	}
	n = min(n, file.Size()-at)
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return io.CopyN(conn, file, n)
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return 0, err
	}
	t := &transfer{file: file.open.File, at: at, left: n}
	err = t.run(raw, t.step)
	_, seekErr := file.Seek(t.at, io.SeekStart)
	return t.at - at, errors.Join(err, seekErr)
}

// run takes as many steps as it needs, waiting for the client in between. The write deadline holds.
func (t *transfer) run(raw syscall.RawConn, step func(socket uintptr) (done bool)) error {
	if err := raw.Write(step); err != nil {
		return err
	}
	return t.err
}
