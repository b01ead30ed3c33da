package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/venuecast/venuecast/cmd/internal/loadtest"
	"github.com/venuecast/venuecast/configs"
	"github.com/venuecast/venuecast/transport/bus"
	"github.com/venuecast/venuecast/transport/metrics"
)

// The hidden commands of bench ingest. Each is told its job as a JSON document on its standard input, says one line on its
// standard output when it is ready, and ends when it is told to.
const (
	benchCamerasCommand = "bench-cameras"
	benchBusCommand     = "bench-bus"
)

// benchMedia is the job of bench-cameras.
type benchMedia struct {
	File    string   `json:"file"` // empty: generated
	Bitrate int64    `json:"bitrate"`
	Listen  []string `json:"listen"`
}

// benchBus is the job of bench-bus. It says the server's URL.
type benchBus struct {
	Dir     string `json:"dir"`
	Metrics string `json:"metrics"`
}

func newBenchParts() []*cobra.Command {
	part := func(name string, run func(context.Context, *json.Decoder, io.Writer) error) *cobra.Command {
		return &cobra.Command{Use: name, Hidden: true, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			return run(cmd.Context(), json.NewDecoder(cmd.InOrStdin()), cmd.OutOrStdout())
		}}
	}
	return []*cobra.Command{part(benchCamerasCommand, playCameras), part(benchBusCommand, serveBus)}
}

func playCameras(ctx context.Context, in *json.Decoder, out io.Writer) error {
	var m benchMedia
	if err := in.Decode(&m); err != nil {
		return fmt.Errorf("reading the job: %w", err)
	}
	media, err := m.load()
	if err != nil {
		return err
	}
	cameras, err := loadtest.NewCameras(media, m.Listen)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, "ready"); err != nil {
		return err
	}
	return cameras.Run(ctx)
}

func (m benchMedia) load() (*loadtest.Coded, error) {
	if m.File != "" {
		return loadCoded(m.File)
	}
	return loadtest.Generated(m.Bitrate)
}

func serveBus(ctx context.Context, in *json.Decoder, out io.Writer) error {
	var b benchBus
	if err := in.Decode(&b); err != nil {
		return fmt.Errorf("reading the job: %w", err)
	}
	collectEarly() // as in serve
	server, err := bus.StartEmbedded(bus.EmbeddedOptions{Dir: b.Dir, Logger: newLogger(configs.Log{Level: "warn"})})
	if err != nil {
		return err
	}
	defer func() { _ = server.Close() }() // its files are removed
	admin, err := metrics.NewServer(metrics.Options{Listen: b.Metrics, Gatherer: prometheus.NewRegistry()})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, server.URL()); err != nil {
		return errors.Join(err, admin.Close())
	}
	return admin.Run(ctx)
}

// part is a process of this binary. It is a pipeline.Stage, whose context tells it to end; it fails when it ends by itself.
type part struct {
	cmd  *exec.Cmd
	said string             // the first line of its standard output
	end  context.CancelFunc // tells it to end
}

// partEnd is how long a part may take to end after SIGINT.
const partEnd = 10 * time.Second

// startSelf starts this binary with these arguments.
func startSelf(ctx context.Context, args ...string) (*part, error) {
	p, err := newPart(ctx, args...)
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", args[0], err)
	}
	return p, nil
}

// startPart starts a hidden command with its job, and returns when it is ready.
func startPart(ctx context.Context, command string, job any) (*part, error) {
	p, out, err := launch(ctx, command, job)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", command, err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		return nil, errors.Join(fmt.Errorf("%s does not start", command), lines.Err(), p.cmd.Wait())
	}
	p.said = lines.Text()
	return p, nil
}

func launch(ctx context.Context, command string, job any) (*part, io.Reader, error) {
	text, err := json.Marshal(job)
	if err != nil {
		return nil, nil, err
	}
	p, err := newPart(ctx, command)
	if err != nil {
		return nil, nil, err
	}
	p.cmd.Stdin = strings.NewReader(string(text))
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	return p, out, p.cmd.Start()
}

func newPart(ctx context.Context, args ...string) (*part, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this binary: %w", err)
	}
	ctx, end := context.WithCancel(context.WithoutCancel(ctx))
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C reaches it through this process, in order
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = partEnd
	return &part{cmd: cmd, end: end}, nil
}

// Name implements pipeline.Stage.
func (p *part) Name() string { return p.cmd.Args[1] }

// Run waits for the end of the process.
func (p *part) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, p.end)
	defer stop()
	defer p.end()
	err := p.cmd.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("it ended: %w", err)
}
