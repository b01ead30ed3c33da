package loadtest

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// kernelTick is what proc_pid_stat(5) counts time in: USER_HZ is 100 on every Linux.
const kernelTick = 10 * time.Millisecond

// processorTime returns user and system time of a process on this machine, 0 when it cannot be read.
func processorTime(pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The second field is a name in brackets and may hold anything; utime and stime are the 12th and 13th after it.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(string(fields[11]), 10, 64) // the kernel writes numbers
	system, _ := strconv.ParseInt(string(fields[12]), 10, 64)
	return time.Duration(user+system) * kernelTick
}

// share returns how much of one processor a process used between two readings.
func share(from, to, during time.Duration) float64 {
	if from == 0 || to <= from {
		return 0
	}
	return float64(to-from) / float64(during)
}
