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

// meter follows the resident set of the origin's process, and the processor time of both.
type meter struct {
	pid    int
	before int64
	seen   []int64
	began  time.Time
	origin [2]time.Duration // processor time at the beginning and at the end
	own    [2]time.Duration
}

// watch reads twice a second, after the viewers have come.
func (m *meter) watch(ctx context.Context, ramp time.Duration) {
	if !pause(ctx, ramp) {
		return
	}
	m.began = time.Now()
	m.origin[0], m.own[0] = processorTime(m.pid), processorTime(os.Getpid())
	for pause(ctx, 500*time.Millisecond) {
		m.seen = append(m.seen, residentBytes(m.pid))
	}
	m.origin[1], m.own[1] = processorTime(m.pid), processorTime(os.Getpid())
}

// processors returns how much of one processor the origin and this tool used.
func (m *meter) processors() Processors {
	during := time.Since(m.began)
	return Processors{share(m.origin[0], m.origin[1], during), share(m.own[0], m.own[1], during)}
}

// during returns the median of what was seen, 0 without any.
func (m *meter) during() int64 {
	if m.pid == 0 || len(m.seen) == 0 {
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
