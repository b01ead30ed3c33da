//go:build !linux

package loadtest

import "syscall"

// truncate reads up to len(scratch) bytes: only Linux can do without.
func truncate(fd int, scratch []byte, _ int64) (int, error) { return syscall.Read(fd, scratch) }
