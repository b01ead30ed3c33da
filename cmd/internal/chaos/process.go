//go:build cgo

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

// program is what a site runs. It can be killed, frozen and started again as it was.
type program struct {
	name string
	args []string // the first is the binary
	log  *os.File

	group *pipeline.Group
	ended chan struct{} // closed when the process has ended
	cmd   *exec.Cmd

	mu      sync.Mutex // guards the fields below
	claimed time.Time  // when it last claimed the feed
	ready   chan struct{}
	isReady bool
}

// newProgram prepares a program whose output goes to a file in dir.
func newProgram(dir, name string, args ...string) (*program, error) {
	log, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return nil, fmt.Errorf("making the log of %s: %w", name, err)
	}
	return &program{name: name, args: args, log: log}, nil
}

// start runs the program. ctx ends it with SIGTERM, and SIGKILL when it takes longer than that may.
func (p *program) start(ctx context.Context) error {
	out, in, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	p.cmd = exec.CommandContext(ctx, p.args[0], p.args[1:]...)
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = 10 * time.Second
	p.cmd.Stdout, p.cmd.Stderr = in, in
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C ends the site in order
	p.mu.Lock()
	p.claimed, p.ready, p.isReady = time.Time{}, make(chan struct{}), false
	p.mu.Unlock()
	err = p.cmd.Start()
	_ = in.Close() // the process has its own
	if err != nil {
		return errors.Join(fmt.Errorf("starting %s: %w", p.name, err), out.Close())
	}
	p.group, p.ended = &pipeline.Group{}, make(chan struct{})
	cmd, ended := p.cmd, p.ended
	p.group.Start(ctx, pipeline.Func("output of "+p.name, func(context.Context) error { return p.read(out) }), func(error) {})
	p.group.Start(ctx, pipeline.Func(p.name, func(context.Context) error { return cmd.Wait() }), func(error) { close(ended) })
	return nil
}

// readyLine is what venuecast, its camera and NATS say when they are ready.
var readyLine = regexp.MustCompile("venuecast is ready|camera plays at|Server is ready")

// read keeps the log, and notes in it when the program is ready and when it claims the feed.
// It ends when the last child that shares the output has.
func (p *program) read(out *os.File) error {
	defer out.Close()
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		_, _ = fmt.Fprintln(p.log, line) // a log that cannot be written shows in the log
		p.mu.Lock()
		if strings.Contains(line, "feed is claimed") {
			p.claimed = time.Now()
		}
		if !p.isReady && readyLine.MatchString(line) {
			p.isReady = true
			close(p.ready)
		}
		p.mu.Unlock()
	}
	return lines.Err()
}

// await waits until the program is ready.
func (p *program) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	select {
	case <-p.ready:
		return nil
	case <-p.ended:
		return fmt.Errorf("%s ended, see %s", p.name, p.log.Name())
	case <-ctx.Done():
		return fmt.Errorf("%s is not ready, see %s: %w", p.name, p.log.Name(), ctx.Err())
	}
}

// claimedAt returns when the program last claimed the feed; zero: not since it was started.
func (p *program) claimedAt() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.claimed
}

func (p *program) signal(s syscall.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("signal %v to %s: %w", s, p.name, err)
	}
	return nil
}

// kill ends the program at once, and returns when it is gone.
func (p *program) kill() error {
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.ended
	return nil
}

// close waits for the program, whose context has ended.
func (p *program) close() {
	if p.group != nil {
		p.group.Wait()
	}
	_ = p.log.Close() // nothing more is written
}

// child returns the process that a worker runs for its feed.
func (p *program) child() (int, error) {
	pid := strconv.Itoa(p.cmd.Process.Pid)
	tasks, err := filepath.Glob("/proc/" + pid + "/task/*/children")
	if err != nil {
		return 0, err
	}
	for _, t := range tasks {
		list, err := os.ReadFile(t)
		if err != nil {
			continue // that thread has ended
		}
		for _, f := range strings.Fields(string(list)) {
			return strconv.Atoi(f)
		}
	}
	return 0, fmt.Errorf("%s has no child", p.name)
}
