//go:build cgo

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
)

// process is a program that a test has started. It is ended with the test.
type process struct {
	name  string
	cmd   *exec.Cmd // it runs once a line of its output was seen
	group pipeline.Group
	ended chan struct{} // closed when it has
	err   error         // why it ended; valid once ended is closed

	mu      sync.Mutex // guards the fields below
	output  strings.Builder
	written chan struct{} // closed and replaced at every line
}

// startVenuecast runs venuecast with these arguments, in a process of its own: the test binary under its command's name
// (see TestMain), and so with the race detector when the tests have it.
func startVenuecast(t *testing.T, args ...string) *process {
	t.Helper()
	var p *process
	t.Cleanup(func() { // clean-ups run last in, first out: this one after that of start
		if p == nil {
			return
		}
		require.NoError(t, p.err, "venuecast must end cleanly:\n%s", p.text())
		require.NotContains(t, p.text(), "DATA RACE")
		require.NotContains(t, p.text(), "panic:")
	})
	p = start(t, exec.Command("venuecast", args...))
	return p
}

// start runs a program till the end of the test; it is told to end with SIGTERM.
func start(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	needTool(t, cmd.Path)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	out, in := io.Pipe()
	cmd = withContext(ctx, cmd)
	cmd.Stdout, cmd.Stderr = in, in
	p := &process{name: cmd.Args[0], cmd: cmd, ended: make(chan struct{}), written: make(chan struct{})}
	program := pipeline.Func(p.name, func(context.Context) error {
		defer func() { _ = in.Close() }()                        // so that the reader ends
		if err := cmd.Run(); !errors.Is(err, context.Canceled) { // which means: told to end, and ended with status 0
			return err
		}
		return nil
	})
	reader := pipeline.Func("output", func(context.Context) error { return p.read(out) })
	both := pipeline.Func("process", func(ctx context.Context) error { return pipeline.Run(ctx, program, reader) })
	p.group.Start(ctx, both, func(err error) {
		p.err = err
		close(p.ended)
	})
	t.Cleanup(func() {
		cancel()
		p.group.Wait()
		if t.Failed() {
			t.Logf("output of %s:\n%s", p.name, p.text())
		}
	})
	return p
}

// withContext returns the command bound to a context: SIGTERM at its end, SIGKILL 10 s later.
func withContext(ctx context.Context, cmd *exec.Cmd) *exec.Cmd {
	bound := exec.CommandContext(ctx, cmd.Path, cmd.Args[1:]...)
	bound.Args, bound.Dir, bound.Env = cmd.Args, cmd.Dir, cmd.Env
	bound.Cancel = func() error { return bound.Process.Signal(syscall.SIGTERM) }
	bound.WaitDelay = 10 * time.Second
	return bound
}

// read keeps what the program writes.
func (p *process) read(r io.Reader) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		p.mu.Lock()
		p.output.WriteString(lines.Text() + "\n")
		close(p.written)
		p.written = make(chan struct{})
		p.mu.Unlock()
	}
	return lines.Err()
}

func (p *process) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

// count returns how many lines of the output match.
func (p *process) count(pattern string) int {
	return len(regexp.MustCompile(pattern).FindAllString(p.text(), -1))
}

// hangUp sends SIGHUP.
func (p *process) hangUp(t *testing.T) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGHUP))
}

// await waits for a line that matches and returns its first group.
func (p *process) await(t *testing.T, pattern string, limit time.Duration) string {
	t.Helper()
	expression, timeout := regexp.MustCompile(pattern), time.After(limit)
	for {
		p.mu.Lock()
		found, written := expression.FindStringSubmatch(p.output.String()), p.written
		p.mu.Unlock()
		if found != nil {
			return found[len(found)-1]
		}
		select {
		case <-written:
		case <-p.ended:
			require.FailNow(t, p.name+" ended", "%v\n%s", p.err, p.text())
		case <-timeout:
			require.FailNow(t, p.name+" is late", "no line matches %s within %v:\n%s", pattern, limit, p.text())
		}
	}
}

// needTool fails the test when a program is missing: a test that is skipped proves nothing.
func needTool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	require.NoError(t, err, "%s is missing: `scripts/deps.sh test` installs what the end-to-end tests need", name)
	return path
}

// ffTool returns ffmpeg or ffprobe of the build that venuecast is linked with.
func ffTool(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("VENUECAST_FFMPEG")
	require.NotEmpty(t, dir, "VENUECAST_FFMPEG is not set: run make test, or . scripts/env.sh first")
	return fmt.Sprintf("%s/%s", dir, name)
}

// loadAverage says how busy the machine is: real players and real time need it to have something left.
func loadAverage() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(data))
}
