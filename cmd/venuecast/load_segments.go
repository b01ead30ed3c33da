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
	origin loadRun
	opts   loadtest.SegmentOptions
	rounds int
	out    io.Writer
}

func newLoadSegments() *cobra.Command {
	s := &segmentsRun{}
	cmd := &cobra.Command{
		Use:   "segments",
		Short: "Compare the throughput of segments with nginx serving the same files",
		Long: "The origin, with its oldest segments and its newest, and nginx (Debian: nginx-light) take turns on one processor.\n" +
			"A segment is 480 kB by default; the client takes the bytes out of its sockets without copying them.",
		Example: "  taskset -c 1 venuecast load segments --origin-cpu 0",
		Args:    cobra.NoArgs,
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
	f.Int64Var(&s.origin.source.Bitrate, "bitrate", 2_000_000, "bit/s of the segments")
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
	s.origin.source.Backlog, s.origin.source.DVR = segmentsBacklog, 10*time.Minute
	source, err := loadtest.NewSource(s.origin.source)
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
	err = pipeline.Run(ctx, child, nginx.Stage(), source, pipeline.Func("comparison", func(ctx context.Context) error {
		defer cancel()
		if err := source.Ready(ctx); err != nil {
			return err
		}
		return s.compare(ctx, dir, strings.TrimSuffix(source.URL(), "index.m3u8"), "http://"+address, nginx)
	}))
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// compare lets the servers take turns.
func (s *segmentsRun) compare(ctx context.Context, dir, ours, theirs string, nginx *loadtest.Nginx) error {
	files, err := filepath.Glob(filepath.Join(dir, "dvr/load/*/video/*.m4s"))
	if err != nil || len(files) < segmentsBacklog-5 {
		return fmt.Errorf("load: %d segments are stored: %w", len(files), err)
	}
	slices.Sort(files)
	var names, same []string
	for _, file := range files {
		msn, _, _ := strings.Cut(filepath.Base(file), "-")
		names = append(names, ours+msn+".m4s")
		same = append(same, theirs+strings.TrimPrefix(file, filepath.Join(dir, "dvr")))
	}
	if err := untilServed(ctx, same[0]); err != nil {
		return err
	}
	worker, err := nginx.Worker()
	if err != nil {
		return err
	}
	const some = 8
	servers := []server{
		{"nginx", same[:some], worker, nil},
		{"origin, oldest", names[:some], s.origin.opts.PID, nil},
		{"nginx", same[len(same)-some:], worker, nil},
		{"origin, newest", names[len(names)-some:], s.origin.opts.PID, nil},
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
	fmt.Fprintf(&b, "%-18s  %12s  %8s  %11s  %11s  %s\n",
		"", "SEGMENTS/s", "MB/s", "SERVER CPU", "CLIENT CPU", "OF NGINX, median (least–most)")
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
		fmt.Fprintf(&b, "%-18s  %12s  %8.0f  %11.2f  %11.2f  %s\n", one.name,
			strconv.FormatFloat(column(func(t loadtest.Throughput) float64 { return t.PerSecond }), 'f', 0, 64),
			column(func(t loadtest.Throughput) float64 { return t.Bytes / 1e6 }),
			column(func(t loadtest.Throughput) float64 { return t.Processors.Origin }),
			column(func(t loadtest.Throughput) float64 { return t.Processors.Tool }), ratio)
	}
	_, err := io.WriteString(s.out, b.String())
	return err //nolint:wrapcheck // of the command's output
}
