package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuecast/venuecast/cmd/internal/loadtest"
	"github.com/venuecast/venuecast/pipeline"
)

func newLoadHostile() *cobra.Command {
	l, o := &loadRun{procs: 1}, loadtest.HostileOptions{}
	cmd := &cobra.Command{
		Use:     "hostile",
		Short:   "Measure a good client beside slow, idle and oversized requests, and what memory they cost",
		Example: "  taskset -c 1 venuecast load hostile --origin-cpu 0",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			seen, err := l.hostile(cmd.Context(), o)
			if err != nil {
				return err
			}
			return printAttacks(cmd.OutOrStdout(), seen)
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.Slow, "slow", 1000, "connections whose header comes byte by byte")
	f.IntVar(&o.Idle, "idle", 10000, "idle connections")
	f.DurationVar(&o.During, "for", 10*time.Second, "how long each is kept up")
	f.StringVar(&l.cpu, "origin-cpu", "", "processor of the origin, as taskset(1) takes it; keep this tool off it")
	f.StringVar(&l.admin, "origin-metrics", "127.0.0.1:0", "where the origin serves /metrics and /debug/pprof")
	return cmd
}

func (l *loadRun) hostile(ctx context.Context, o loadtest.HostileOptions) (seen []loadtest.Attack, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dir, err := os.MkdirTemp("", "venuecast-load-")
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // the system's folder for what may stay
	child, err := l.startOrigin(ctx, dir)
	if err != nil {
		return nil, err
	}
	source, err := loadtest.NewSource(l.source)
	if err != nil {
		return nil, err
	}
	at, err := url.Parse(source.URL())
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	o.Address, o.Path, o.PID = at.Host, at.Path, l.opts.PID
	err = pipeline.Run(ctx, child, source, pipeline.Func("attacks", func(ctx context.Context) (err error) {
		defer cancel()
		if err := source.Ready(ctx); err != nil {
			return err
		}
		seen, err = loadtest.Hostile(ctx, o)
		return err
	}))
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return seen, err
}

func printAttacks(w io.Writer, seen []loadtest.Attack) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "A GOOD CLIENT BESIDE\tCONNECTIONS\tANSWERS\tFAILED\tP50 ms\tP99 ms\tWORST ms\tMEMORY MB\t") // Flush tells
	for _, a := range seen {
		_, _ = fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%.1f\t%.1f\t%.1f\t%.1f\t\n", // Flush tells
			a.Name, a.Connections, a.Good.Answers, a.Failed, a.Good.P50, a.Good.P99, a.Good.Worst, float64(a.Resident)/1e6)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	return nil
}
