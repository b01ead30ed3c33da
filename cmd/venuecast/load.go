package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuecast/venuecast/cmd/internal/loadtest"
	"github.com/venuecast/venuecast/pipeline"
)

// loadRun is the command load.
type loadRun struct {
	opts   loadtest.Options
	source loadtest.SourceOptions
	procs  int
	cpu    string
	admin  string // where the started origin has its metrics
	asJSON bool
}

func newLoad() *cobra.Command {
	l := &loadRun{}
	cmd := &cobra.Command{
		Use:   "load [URL]",
		Short: "Put many low-latency viewers on one playlist and measure how soon each has its part",
		Long: "Load plays a stream to many viewers at once, each with a connection of its own, as low-latency HLS clients do: every\n" +
			"one waits at the origin for the next part, and fetches it. It prints errors, how long after a part exists the answers\n" +
			"are complete, and the origin's memory per viewer.\n" +
			"Without a URL it starts an origin on this machine, on one processor, and puts the parts itself: then the time from\n" +
			"when a part is put is exact. With the URL of a playlist a part exists from when the first viewer's answer began.",
		Example: "  venuecast load\n  taskset -c 1 venuecast load --origin-cpu 0\n" +
			"  venuecast load --clients 500 --for 30s http://127.0.0.1:8080/live/camera-1/index.m3u8\n" +
			"  venuecast load --push-to http://127.0.0.1:8080 --push-token $PUSH_TOKEN --pid $(pidof venuecast)",
		Hidden: true,
		Args:   cobra.MaximumNArgs(1),
		RunE:   func(cmd *cobra.Command, args []string) error { return l.run(cmd, args) },
	}
	f := cmd.Flags()
	f.IntVar(&l.opts.Clients, "clients", 2000, "number of viewers")
	f.DurationVar(&l.opts.During, "for", time.Minute, "how long to measure, once all viewers are there")
	f.DurationVar(&l.opts.Ramp, "ramp", 5*time.Second, "time in which the viewers come")
	f.BoolVar(&l.opts.PlaylistsOnly, "playlists-only", false, "do not fetch parts")
	f.DurationVar(&l.opts.RoundTrip, "round-trip", 50*time.Millisecond, "time of the network, which a viewer's next request takes")
	f.BoolVar(&l.opts.Insecure, "insecure", false, "take any certificate")
	f.IntVar(&l.opts.PID, "pid", 0, "process of the origin on this machine, to read its memory")
	f.StringVar(&l.source.Origin, "push-to", "", "origin to put parts to, as feed \"load\"")
	f.StringVar(&l.source.Token, "push-token", "", "what that origin wants to see of workers")
	f.Int64Var(&l.source.Bitrate, "bitrate", 500_000, "bit/s of the parts that are put")
	f.IntVar(&l.procs, "procs", 1, "processors of the origin that is started (GOMAXPROCS)")
	f.StringVar(&l.cpu, "origin-cpu", "", "processor that the origin is started on, as taskset(1) takes it; keep this tool off it")
	f.StringVar(&l.admin, "origin-metrics", "127.0.0.1:0", "where the origin that is started serves /metrics and /debug/pprof")
	cmd.AddCommand(newLoadSegments(), newLoadHostile())
	f.BoolVar(&l.asJSON, "json", false, "print JSON besides")
	return cmd
}

func (l *loadRun) run(cmd *cobra.Command, args []string) error {
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	var result *loadtest.Result
	measure := func(ctx context.Context) (err error) {
		defer cancel()
		result, err = loadtest.Run(ctx, l.opts)
		return err
	}
	var stages []pipeline.Stage
	switch {
	case len(args) == 1:
		l.opts.URL = args[0]
	case l.source.Origin == "":
		dir, err := os.MkdirTemp("", "venuecast-load-")
		if err != nil {
			return fmt.Errorf("load: %w", err)
		}
		defer func() { _ = os.RemoveAll(dir) }() // the system's folder for what may stay
		child, err := l.startOrigin(ctx, dir)
		if err != nil {
			return err
		}
		stages = append(stages, child)
	}
	if len(args) == 0 {
		source, err := loadtest.NewSource(l.source)
		if err != nil {
			return err
		}
		l.opts.Source, l.opts.URL = source, source.URL()
		stages = append(stages, source)
	}
	stages = append(stages, pipeline.Func("load", func(ctx context.Context) error {
		fmt.Fprintf(os.Stderr, "venuecast: %d viewers for %v\n", l.opts.Clients, l.opts.Ramp+l.opts.During)
		return measure(ctx)
	}))
	if err := pipeline.Run(ctx, stages...); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return l.print(cmd, result)
}

func (l *loadRun) print(cmd *cobra.Command, r *loadtest.Result) error {
	if r == nil {
		return errors.New("load: nothing was measured")
	}
	if _, err := fmt.Fprint(cmd.OutOrStdout(), r); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	if l.asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(r)
	}
	return nil
}

// startOrigin starts the origin role in a process of its own, so that its memory and processor are its own.
func (l *loadRun) startOrigin(ctx context.Context, dir string) (pipeline.Stage, error) {
	address, err := unusedAddress(ctx)
	if err != nil {
		return nil, err
	}
	l.source.Origin, l.source.Token = "http://"+address, "a-token-for-one-measurement"
	file := filepath.Join(dir, "origin.yaml")
	config := fmt.Sprintf("venue: load\ndata: %s\norigin: {listen: %q, push_token: %s}\n"+
		"metrics: {listen: %q}\nlog: {level: warn}\n", dir, address, l.source.Token, l.admin)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	command := []string{self, "origin", "-c", file}
	if l.cpu != "" {
		command = append([]string{"taskset", "-c", l.cpu}, command...)
	}
	child := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // the words are ours
	child.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", l.procs))
	child.Stderr = os.Stderr
	child.Cancel = func() error { return child.Process.Signal(os.Interrupt) }
	child.WaitDelay = 10 * time.Second
	if err := child.Start(); err != nil {
		return nil, fmt.Errorf("load: starting an origin: %w", err)
	}
	l.opts.PID = child.Process.Pid
	return pipeline.Func("origin", func(ctx context.Context) error {
		err := child.Wait()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("it ended: %w", err)
	}), untilServed(ctx, l.source.Origin+"/healthz")
}

func unusedAddress(ctx context.Context) (string, error) {
	found, err := loadtest.Addresses(ctx, 1)
	if err != nil {
		return "", err
	}
	return found[0], nil
}

// untilServed waits until a URL answers with 200, for 20 s.
func untilServed(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return fmt.Errorf("load: %w", err)
		}
		response, err := client.Do(request)
		if err == nil {
			_ = response.Body.Close() // only the status counts
			if response.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(strings.ToLower(response.Status))
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("load: waiting for %s: %w", url, err)
		}
	}
}
