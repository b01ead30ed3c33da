package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/fleet"
	"github.com/venuecast/venuecast/transport/metrics"
)

// childCommand is the hidden command that transcodes one feed: a crash in native code costs one feed.
const childCommand = "transcode-feed"

// job is what a child is told, as the first JSON document on its standard input; orders follow. The input ends when the parent does.
type job struct {
	Assignment fleet.Assignment `json:"assignment"`
	NATS       string           `json:"nats"` // with credential: it never appears on a command line
	Replicas   int              `json:"replicas"`
	Origin     string           `json:"origin"`
	Token      string           `json:"token"`
	Level      string           `json:"level"`
	Format     string           `json:"format"`
	// Software has it use no card and no hardware encoder.
	Software bool `json:"software,omitempty"`
	// Report is for measurements: the child ends after the first absence of the source, and writes into this file what it
	// spent in libav. Empty: neither.
	Report string `json:"report,omitempty"`
	// Profile is a folder for its profiles; empty: none are made.
	Profile string `json:"profile,omitempty"`
}

// The exit status with which a child says that another worker has taken over.
const exitFenced = 3

const (
	// stuckAfter is how long a child may make no progress before it is killed, and startAfter the same for its first.
	stuckAfter = 5 * time.Second
	startAfter = 15 * time.Second
	// drainTime is how long a child may take to end after SIGTERM.
	drainTime = 5 * time.Second
)

// children runs each feed in a process of its own. It is a fleet.Runner.
type children struct {
	job    job // what all have in common
	relay  *metrics.Relay
	worker *metrics.Worker
	log    *slog.Logger
	orders
	niceness
}

// Run runs the child for one feed and returns why it ended.
func (c *children) Run(ctx context.Context, a fleet.Assignment) error {
	c.worker.Feed(a.Feed)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	cmd, in, out, err := c.start(ctx, a)
	if err != nil {
		return err
	}
	defer in.Close()
	defer c.end(a.Feed)
	c.born(a.Feed, cmd.Process.Pid)
	defer c.gone(a.Feed)
	kill := func() {
		cancel(errStuck)
		_ = cmd.Process.Kill()
	}
	reading, stop := context.WithCancel(context.WithoutCancel(ctx))
	err = pipeline.Run(reading,
		pipeline.Func("watchdog", func(ctx context.Context) error { return c.watch(ctx, a.Feed, kill) }),
		pipeline.Func("child", func(context.Context) error {
			defer stop()
			// The output ends when the child does; only then may it be waited for.
			return errors.Join(c.relay.Read(a.Feed, out), ended(cmd.Wait()))
		}),
	)
	switch {
	case errors.Is(context.Cause(ctx), errStuck):
		c.worker.Restarted(a.Feed, "stuck")
		return errStuck
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil && !errors.Is(err, pipeline.ErrFenced):
		c.worker.Restarted(a.Feed, "crash")
	}
	return err
}

var errEnded = errors.New("the child ended by itself")

var errStuck = errors.New("the child made no part for too long and was killed")

func (c *children) start(ctx context.Context, a fleet.Assignment) (*exec.Cmd, io.WriteCloser, io.Reader, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("finding this binary: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, childCommand)
	cmd.Stderr = os.Stderr
	debug, _ := awakened(os.Getenv("GODEBUG"))
	cmd.Env = append(os.Environ(), "GODEBUG="+debug)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = drainTime
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C reaches it through its parent, in order
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, nil, fmt.Errorf("starting the child: %w", err)
	}
	j := c.job
	j.Assignment = a
	if err := json.NewEncoder(in).Encode(j); err != nil {
		_ = cmd.Process.Kill()
		return nil, nil, nil, errors.Join(fmt.Errorf("telling the child its job: %w", err), cmd.Wait())
	}
	if err := c.begin(a.Feed, in); err != nil {
		c.log.Warn("child does not know its plan", "feed", a.Feed, "error", err)
	}
	return cmd, in, out, nil
}

// watch looks from outside whether the child gets on, and kills it when it does not.
func (c *children) watch(ctx context.Context, feed string, kill func()) error {
	tick := time.NewTicker(stuckAfter / 20)
	defer tick.Stop()
	seen, since, limit := 0.0, time.Now(), startAfter
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		// A child that cannot reach the origin tries again and again: killing it would not help.
		now := c.relay.Value(feed, "venuecast_transcode_parts_total") + c.relay.Value(feed, "venuecast_push_retries_total")
		if now != seen {
			seen, since, limit = now, time.Now(), stuckAfter
			continue
		}
		if time.Since(since) > limit {
			c.log.Error("child makes no part and is killed", "feed", feed, "silent", time.Since(since).Round(time.Millisecond))
			kill()
			return nil
		}
	}
}

// ended translates the end of a child into an error.
func ended(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == exitFenced {
		return pipeline.ErrFenced
	}
	if err == nil {
		return errEnded
	}
	return fmt.Errorf("the child ended: %w", err)
}
