package loadtest

import (
	"syscall"
	"unsafe"
)

// truncate takes up to n bytes out of a TCP socket; the kernel writes none of them (tcp(7), MSG_TRUNC).
func truncate(fd int, scratch []byte, n int64) (int, error) {
	// The length is not that of scratch, which syscall.Recvfrom would insist on.
	got, _, errno := syscall.Syscall6(syscall.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&scratch[0])), uintptr(n),
		syscall.MSG_TRUNC|syscall.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(got), nil
}
