//go:build unix

package metrics

import (
	"syscall"
	"time"
)

// processorTime returns the processor time of this process so far, native threads included.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
