package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

// process is a program and all that it starts: they are killed together.
type process struct {
	cmd   *exec.Cmd
	log   *os.File
	group pipeline.Group
	ended chan struct{} // closed when the program has ended
	err   error         // why, once ended is closed
}

// program is what a process runs.
type program struct {
	name   string
	args   []string // the first is the binary
	dir    string   // of its log
	env    []string // besides those of this process
	nobody bool     // not as root
	stdin  io.Reader
	stdout io.Writer // nil: its log
	files  []*os.File
}

// start runs the program in a process group of its own.
func (p program) start(ctx context.Context) (*process, error) {
	log, err := os.OpenFile(filepath.Join(p.dir, p.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644) //nolint:gosec // a log
	if err != nil {
		return nil, fmt.Errorf("making the log of %s: %w", p.name, err)
	}
	cmd := p.command(ctx)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = p.stdin, log, log, p.files
	if p.stdout != nil {
		cmd.Stdout = p.stdout
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting %s: %w", p.name, err), log.Close())
	}
	r := &process{cmd: cmd, log: log, ended: make(chan struct{})}
	r.group.Start(ctx, pipeline.Func(p.name, func(context.Context) error { return cmd.Wait() }), func(err error) {
		r.err = err
		close(r.ended)
	})
	return r, nil
}

// errStatus0 is how a player ends that took a live stream for one that has an end.
var errStatus0 = errors.New("exit status 0")

// command returns what runs the program, and kills it with all that it has started when ctx ends.
func (p program) command(ctx context.Context) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.args[0], p.args[1:]...) //nolint:gosec // players
	cmd.Env = append(os.Environ(), p.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if p.nobody && os.Getuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// nobody is Debian's user of that name.
const nobody = 65534

// kill ends the program and what it has started, and returns when it is gone. It may be called again.
func (r *process) kill() {
	if r == nil {
		return
	}
	_ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL) // it may have ended
	r.group.Wait()
	_ = r.log.Close() // nothing more is written
}

// run runs the program until ctx ends. Ending earlier is an error.
func (p program) run(ctx context.Context) error {
	r, err := p.start(ctx)
	if err != nil {
		return err
	}
	defer r.kill()
	<-r.ended
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("%s ended, see %s: %w", p.name, r.log.Name(), cmp.Or(r.err, errStatus0))
}

// output runs a program that ends soon and returns what it says.
func (p program) output(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	out, err := p.command(ctx).Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return "", fmt.Errorf("%s: %w: %s", filepath.Base(p.args[0]), err, failed.Stderr)
	}
	return string(out), err
}

// load returns the machine's load average over a minute; 0 when it does not say.
func load() (mean float64) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	_, _ = fmt.Sscan(string(text), &mean) // then it stays 0
	return mean
}
