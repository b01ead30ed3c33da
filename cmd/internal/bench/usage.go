package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"github.com/venuecast/venuecast/pipeline"
)

// Usage is what a process and all that it started have used.
type Usage struct {
	CPU    time.Duration // user and system
	Wall   time.Duration
	Memory int64 // the most at once, in bytes: proportional set sizes, so that shared pages count once
}

// sampleInterval is how often memory is looked at.
const sampleInterval = 500 * time.Millisecond

// Measure runs a command to its end and returns what it and its descendants used. A descendant's processor time counts
// when its parent has waited for it, as it must.
func Measure(ctx context.Context, cmd *exec.Cmd) (Usage, error) {
	var stderr bytes.Buffer
	if cmd.Stderr == nil {
		cmd.Stderr = &stderr
	}
	if err := cmd.Start(); err != nil {
		return Usage{}, fmt.Errorf("starting %s: %w", cmd.Path, err)
	}
	var u Usage
	begun := time.Now()
	running, stop := context.WithCancel(ctx)
	defer stop()
	err := pipeline.Run(running,
		pipeline.Func("memory", func(ctx context.Context) error { return watchMemory(ctx, cmd.Process.Pid, &u.Memory) }),
		pipeline.Func(cmd.Args[0], func(context.Context) error {
			defer stop()
			return cmd.Wait()
		}),
	)
	u.Wall = time.Since(begun)
	u.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if err != nil {
		return u, fmt.Errorf("%w: %s", err, lastLines(stderr.String()))
	}
	return u, nil
}

// watchMemory keeps the most memory that a process and its descendants have used until the context ends.
func watchMemory(ctx context.Context, pid int, most *int64) error {
	tick := time.NewTicker(sampleInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			*most = max(*most, treeMemory(pid))
		case <-ctx.Done():
			return nil
		}
	}
}

// treeMemory returns the proportional set size of a process and its descendants. Processes that end meanwhile count 0.
func treeMemory(pid int) (total int64) {
	total = memory(pid)
	for _, child := range children(pid) {
		total += treeMemory(child)
	}
	return total
}

func memory(pid int) int64 {
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) >= 2 && fields[0] == "Pss:" {
			kib, _ := strconv.ParseInt(fields[1], 10, 64)
			return kib << 10
		}
	}
	return 0
}

// children returns the processes that any thread of pid has started.
func children(pid int) (pids []int) {
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, t := range tasks {
		list, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, t.Name()))
		for _, field := range strings.Fields(string(list)) {
			if child, err := strconv.Atoi(field); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

// threadTime returns the processor time that the calling thread has used. Not by getrusage, which for a running thread is as
// old as the scheduler's last tick.
func threadTime() time.Duration {
	const thread = 3 // CLOCK_THREAD_CPUTIME_ID, which package syscall does not name
	var t syscall.Timespec
	_, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, thread, uintptr(unsafe.Pointer(&t)), 0)
	if errno != 0 {
		panic(fmt.Sprintf("reading a thread's processor time: %v", errno))
	}
	return time.Duration(t.Nano())
}

// processTime returns the processor time that this process has used.
func processTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(fmt.Sprintf("reading the processor time: %v", err))
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
