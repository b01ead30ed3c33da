package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuecast/venuecast/cmd/internal/loadtest"
	"github.com/venuecast/venuecast/pipeline"
)

// segmentsRun is the command load segments.
type segmentsRun struct {
	origin  loadRun
	opts    loadtest.SegmentOptions
	bitrate int64 // of all segments; 0: as rungs says
	rounds  int
	out     io.Writer
}

// rungs are the renditions that are compared by default, in bit/s: the default ladder at 1080p, 720p, 480p and 360p. At 1.92 s
// they make segments of 1440, 720, 336 and 192 kB. They are fetched equally often; an audience takes the larger ones more often,
// which is in our favour: the more bytes, the less a request costs besides.
var rungs = []int64{6_000_000, 3_000_000, 1_400_000, 800_000}

func newLoadSegments() *cobra.Command {
	s := &segmentsRun{}
	cmd := &cobra.Command{
		Use:   "segments",
		Short: "Compare the throughput of segments with nginx serving the same files",
		Long: "The origin, with its oldest segments and its newest, and nginx (Debian: nginx-light) take turns on one processor.\n" +
			"The segments are those of a ladder, 1440, 720, 336 and 192 kB in equal numbers, or with --bitrate all of one size\n" +
			"(2000000: 480 kB). The client takes the bytes out of its sockets without copying them.",
		Example: "  taskset -c 1 venuecast load segments --origin-cpu 0\n" +
			"  taskset -c 1 venuecast load segments --origin-cpu 0 --bitrate 2000000",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s.out = cmd.OutOrStdout()
			return s.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.IntVar(&s.opts.Connections, "connections", 16, "connections of the client")
	f.DurationVar(&s.opts.During, "for", 3*time.Second, "how long each run is")
	f.IntVar(&s.rounds, "rounds", 5, "how often they take turns")
	f.StringVar(&s.origin.cpu, "origin-cpu", "", "processor of the servers, as taskset(1) takes it; keep this tool off it")
	f.Int64Var(&s.bitrate, "bitrate", 0, "bit/s of all segments (default those of a ladder)")
	f.StringVar(&s.origin.admin, "origin-metrics", "127.0.0.1:0", "where the origin serves /metrics and /debug/pprof")
	return cmd
}

// Segments of the backlog: the oldest have left memory, which holds two live windows.
const segmentsBacklog = 60

func (s *segmentsRun) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dir, err := os.MkdirTemp("", "venuecast-load-")
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // the system's folder for what may stay
	s.origin.procs = 1
	child, err := s.origin.startOrigin(ctx, dir)
	if err != nil {
		return err
	}
	sources, err := s.sources()
	if err != nil {
		return err
	}
	address, err := unusedAddress(ctx)
	if err != nil {
		return err
	}
	nginx, err := loadtest.StartNginx(ctx, dir, filepath.Join(dir, "dvr"), address, s.origin.cpu)
	if err != nil {
		return err
	}
	stages := []pipeline.Stage{child, nginx.Stage(), pipeline.Func("comparison", func(ctx context.Context) error {
		defer cancel()
		for _, source := range sources {
			if err := source.Ready(ctx); err != nil {
				return err
			}
		}
		return s.compare(ctx, filepath.Join(dir, "dvr"), "http://"+address, sources, nginx)
	})}
	for _, source := range sources {
		stages = append(stages, source)
	}
	if err = pipeline.Run(ctx, stages...); errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// sources returns one for each size of segments. Each is a feed of its own.
func (s *segmentsRun) sources() (sources []*loadtest.Source, err error) {
	bitrates := rungs
	if s.bitrate > 0 {
		bitrates = []int64{s.bitrate}
	}
	for _, bitrate := range bitrates {
		o := s.origin.source
		o.Feed, o.Bitrate, o.Backlog, o.DVR = fmt.Sprintf("load-%dk", bitrate/1000), bitrate, segmentsBacklog, 10*time.Minute
		source, err := loadtest.NewSource(o)
		if err != nil {
			return nil, err
		}
		sources = append(sources, source)
	}
	return sources, nil
}

// some is how many segments of each size are fetched, again and again.
const some = 8

// sameFiles is what both servers are asked for, one size after the other.
type sameFiles struct {
	ours, theirs []string
}

// storedFiles returns the oldest segments that are stored, and the newest. dvr is where, theirs what nginx calls it.
func storedFiles(dvr, theirs string, sources []*loadtest.Source) (oldest, newest sameFiles, err error) {
	stored := make([][]string, len(sources))
	for i, source := range sources {
		stored[i], err = filepath.Glob(filepath.Join(dvr, source.Feed(), "*/video/*.m4s"))
		if err != nil || len(stored[i]) < segmentsBacklog-5 {
			return oldest, newest, fmt.Errorf("load: %d segments are stored: %w", len(stored[i]), err)
		}
		slices.Sort(stored[i])
	}
	for n := range some {
		for i, source := range sources {
			ours := strings.TrimSuffix(source.URL(), "index.m3u8")
			oldest.add(stored[i][n], ours, theirs, dvr)
			newest.add(stored[i][len(stored[i])-some+n], ours, theirs, dvr)
		}
	}
	return oldest, newest, nil
}

func (f *sameFiles) add(file, ours, theirs, dvr string) {
	msn, _, _ := strings.Cut(filepath.Base(file), "-")
	f.ours = append(f.ours, ours+msn+".m4s")
	f.theirs = append(f.theirs, theirs+strings.TrimPrefix(file, dvr))
}

// compare lets the servers take turns.
func (s *segmentsRun) compare(ctx context.Context, dvr, theirs string, sources []*loadtest.Source, nginx *loadtest.Nginx) error {
	oldest, newest, err := storedFiles(dvr, theirs, sources)
	if err != nil {
		return err
	}
	if err := untilServed(ctx, oldest.theirs[0]); err != nil {
		return err
	}
	worker, err := nginx.Worker()
	if err != nil {
		return err
	}
	servers := []server{
		{"nginx", oldest.theirs, worker, nil},
		{"origin, oldest", oldest.ours, s.origin.opts.PID, nil},
		{"nginx", newest.theirs, worker, nil},
		{"origin, newest", newest.ours, s.origin.opts.PID, nil},
	}
	for range s.rounds {
		for i := range servers {
			o := s.opts
			o.URLs, o.PID = servers[i].urls, servers[i].pid
			t, err := loadtest.Segments(ctx, o)
			if err != nil {
				return fmt.Errorf("%s: %w", servers[i].name, err)
			}
			servers[i].runs = append(servers[i].runs, t)
		}
	}
	return s.print(servers)
}

// server is one of those compared.
type server struct {
	name string
	urls []string
	pid  int
	runs []loadtest.Throughput
}

func (s *segmentsRun) print(servers []server) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%-18s  %12s  %8s  %11s  %11s  %8s  %s\n",
		"", "SEGMENTS/s", "MB/s", "SERVER CPU", "CLIENT CPU", "µs EACH", "OF NGINX, median (least–most)")
	for i, one := range servers {
		column := func(f func(loadtest.Throughput) float64) float64 {
			var list []float64
			for _, r := range one.runs {
				list = append(list, f(r))
			}
			slices.Sort(list)
			return list[len(list)/2]
		}
		ratio := ""
		if i%2 == 1 {
			var list []float64
			for n, r := range one.runs {
				list = append(list, r.PerSecond/servers[i-1].runs[n].PerSecond)
			}
			slices.Sort(list)
			ratio = fmt.Sprintf("%.2f (%.2f–%.2f)", list[len(list)/2], list[0], list[len(list)-1])
		}
		fmt.Fprintf(&b, "%-18s  %12s  %8.0f  %11.2f  %11.2f  %8.1f  %s\n", one.name,
			strconv.FormatFloat(column(func(t loadtest.Throughput) float64 { return t.PerSecond }), 'f', 0, 64),
			column(func(t loadtest.Throughput) float64 { return t.Bytes / 1e6 }),
			column(func(t loadtest.Throughput) float64 { return t.Processors.Origin }),
			column(func(t loadtest.Throughput) float64 { return t.Processors.Tool }),
			column(func(t loadtest.Throughput) float64 { return t.Processors.Origin / t.PerSecond * 1e6 }), ratio)
	}
	_, err := io.WriteString(s.out, b.String())
	return err //nolint:wrapcheck // of the command's output
}
