package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuecast/venuecast/cmd/internal/loadtest"
	"github.com/venuecast/venuecast/configs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/transport/bus"
)

// ingestBench is the command bench ingest.
type ingestBench struct {
	cameras, readers       int
	media                  benchMedia
	within, settle, during time.Duration
	admin, busAdmin        string
	asJSON                 bool

	dir, natsURL string
	opts         loadtest.IntakeOptions
}

func newBenchIngest() *cobra.Command {
	b := &ingestBench{}
	var seconds float64
	cmd := &cobra.Command{
		Use:   "ingest",
		Short: "Measure what many cameras cost an ingest and its NATS server",
		Long: "Ingest plays coded media from RTSP servers on this machine as so many cameras, and takes them in with venuecast ingest and a\n" +
			"NATS server as serve embeds it. Cameras, ingest and server are processes of their own. One reader per camera reads its\n" +
			"records from the bus as a worker does. Nothing is encoded or decoded. It prints the processors that a hundred cameras\n" +
			"take, memory per camera, how long it took until all were on the bus, what was lost, and how late pictures were read.",
		Example: "  venuecast bench ingest --cameras 100\n  venuecast bench ingest --cameras 200 --bitrate 4000000 --seconds 30 --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if b.cameras < 1 || b.cameras > maxBenchCameras || seconds < 1 || seconds > 3600 {
				return fmt.Errorf("--cameras %d --seconds %v: want 1 to %d cameras and 1 to 3600 s", b.cameras, seconds, maxBenchCameras)
			}
			b.during = time.Duration(seconds * float64(time.Second))
			return b.run(cmd)
		},
	}
	f := cmd.Flags()
	f.IntVar(&b.cameras, "cameras", 100, "number of cameras")
	f.Float64Var(&seconds, "seconds", 20, "how long to measure, once all cameras are on the bus")
	f.DurationVar(&b.within, "within", 2*time.Minute, "how long to wait for that")
	f.DurationVar(&b.settle, "settle", 10*time.Second, "how long to wait then: at first the server's memory grows")
	f.StringVar(&b.media.File, "file", "", "media file that each camera plays (default: generated, 640x360 at 25 pictures per second)")
	f.Int64Var(&b.media.Bitrate, "bitrate", 2_000_000, "bit/s of the generated pictures")
	f.IntVar(&b.readers, "readers", 1, "readers of each camera's records, as its workers are: 0 or 1")
	f.StringVar(&b.admin, "ingest-metrics", "", "where the ingest serves /metrics and /debug/pprof (default: any free port)")
	f.StringVar(&b.busAdmin, "nats-metrics", "127.0.0.1:0", "where the process of the NATS server serves /debug/pprof")
	f.BoolVar(&b.asJSON, "json", false, "print JSON")
	return cmd
}

const (
	maxBenchCameras = 1000 // as many as a configuration may have
	// benchServers is how many RTSP servers there are at most, and so how many cameras' keyframes come at different times.
	benchServers = 16
)

func (b *ingestBench) run(cmd *cobra.Command) (err error) {
	if b.dir, err = os.MkdirTemp("", "venuecast-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	parts, err := b.start(ctx)
	if err != nil {
		return errors.Join(err, endAll(parts))
	}
	var result *loadtest.Intake
	measurement := pipeline.Func("measurement", func(ctx context.Context) (err error) {
		defer cancel()
		result, err = b.measure(ctx)
		return err
	})
	if err := runRoles(ctx, append(parts, []pipeline.Stage{measurement})); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	if result == nil {
		return errors.New("bench: nothing was measured")
	}
	if b.asJSON {
		return printJSON(cmd.OutOrStdout(), result)
	}
	_, err = fmt.Fprint(cmd.OutOrStdout(), result)
	return err
}

// start starts the cameras, the NATS server and the ingest. When one fails, those that were started before are returned, too.
func (b *ingestBench) start(ctx context.Context) (parts [][]pipeline.Stage, err error) {
	if b.media.Listen, err = loadtest.Addresses(ctx, min(b.cameras, benchServers)); err != nil {
		return nil, err
	}
	cameras, err := startPart(ctx, benchCamerasCommand, b.media)
	if err != nil {
		return nil, err
	}
	parts = append(parts, []pipeline.Stage{cameras})
	store := filepath.Join(b.dir, "nats")
	server, err := startPart(ctx, benchBusCommand, benchBus{Dir: store, Metrics: b.busAdmin})
	if err != nil {
		return parts, err
	}
	parts, b.natsURL = append(parts, []pipeline.Stage{server}), server.said
	if b.admin == "" {
		if b.admin, err = unusedAddress(ctx); err != nil {
			return parts, err
		}
	}
	file := filepath.Join(b.dir, "ingest.yaml")
	if err := os.WriteFile(file, []byte(b.config()), 0o600); err != nil {
		return parts, fmt.Errorf("bench: %w", err)
	}
	began := time.Now()
	ingest, err := startSelf(ctx, "ingest", "-c", file)
	if err != nil {
		return parts, err
	}
	fmt.Fprintf(os.Stderr, "venuecast: %d cameras; metrics of the ingest at http://%s/metrics\n", b.cameras, b.admin)
	b.opts = loadtest.IntakeOptions{
		Cameras: b.cameras, Within: b.within, Settle: b.settle, During: b.during, Began: began, Metrics: b.admin, Store: store,
		Ingest: ingest.cmd.Process.Pid, Bus: server.cmd.Process.Pid, Senders: cameras.cmd.Process.Pid,
	}
	return append(parts, []pipeline.Stage{ingest}), nil
}

// endAll ends what was started.
func endAll(parts [][]pipeline.Stage) error {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if err := pipeline.Run(ended, slices.Concat(parts...)...); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// config returns that of the ingest.
func (b *ingestBench) config() string {
	var text strings.Builder
	fmt.Fprintf(&text, "venue: bench\ndata: %q\nnats: {url: %q}\nmetrics: {listen: %q}\n", b.dir, b.natsURL, b.admin)
	text.WriteString("log: {level: warn}\nfeeds:\n")
	for i := range b.cameras {
		fmt.Fprintf(&text, "  - {id: %s, source: %q}\n", benchFeed(i), loadtest.CameraURL(b.media.Listen, i))
	}
	return text.String()
}

func benchFeed(i int) string { return fmt.Sprintf("camera-%d", i) }

// measure reads along and measures.
func (b *ingestBench) measure(ctx context.Context) (*loadtest.Intake, error) {
	log := newLogger(configs.Log{Level: "warn"})
	conn, err := bus.Connect(ctx, bus.Options{URL: b.natsURL, Name: "bench", Logger: log})
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }() // nothing of it is to be sent
	var readers []*bus.Reader
	defer func() {
		for _, r := range readers {
			_ = r.Close() // as above
		}
	}()
	for i := range min(b.readers, 1) * b.cameras {
		r, err := conn.NewReader(benchFeed(i), bus.ReaderOptions{Logger: log})
		if err != nil {
			return nil, err
		}
		readers, b.opts.Readers = append(readers, r), append(b.opts.Readers, r)
	}
	return loadtest.MeasureIntake(ctx, b.opts)
}
