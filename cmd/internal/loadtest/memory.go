package loadtest

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// memory follows the resident set of a process.
type memory struct {
	pid    int
	before int64
	seen   []int64
}

// watch reads it twice a second, after the viewers have come.
func (m *memory) watch(ctx context.Context, ramp time.Duration) {
	if m.pid == 0 || !pause(ctx, ramp) {
		return
	}
	for pause(ctx, 500*time.Millisecond) {
		m.seen = append(m.seen, residentBytes(m.pid))
	}
}

// during returns the median of what was seen, 0 without any.
func (m *memory) during() int64 {
	if len(m.seen) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(m.seen))[len(m.seen)/2]
}

// residentBytes returns VmRSS of a process (proc_pid_status(5)), 0 when it cannot be read.
func residentBytes(pid int) int64 {
	if pid == 0 {
		return 0
	}
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	defer func() { _ = file.Close() }() // it was only read
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var kib int64
		if value, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			if _, err := fmt.Sscan(strings.TrimSpace(value), &kib); err == nil {
				return kib << 10
			}
		}
	}
	return 0
}
