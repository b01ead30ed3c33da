//go:build cgo

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

// command reads the flags and runs the suite.
func command(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	s := suite{log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	short := flags.Bool("short", false, "some faults, once")
	only := flags.String("faults", "", "comma-separated names; all when empty")
	dir := flags.String("dir", "", "folder for logs and recordings (default: a new one)")
	bin := flags.String("bin", "", "folder with venuecast and nats-server (default: they are built)")
	out := flags.String("out", "chaos.json", "where to write the figures")
	lint := flags.Duration("lint", 0, "watch the playlists like strict clients for so long instead, while faults happen in turn")
	flags.IntVar(&s.times, "times", 5, "how often each fault is injected")
	flags.Uint64Var(&s.seed, "seed", uint64(time.Now().UnixNano()), "of the random moments")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var err error
	if s.faults, err = choose(*only, *short); err != nil {
		return err
	}
	if *short {
		s.times, s.again = 1, 1
	}
	if s.dir, err = workDir(*dir); err != nil {
		return err
	}
	if s.binaries, err = build(ctx, *bin, s.dir); err != nil {
		return err
	}
	defer http.DefaultClient.CloseIdleConnections()
	if *lint > 0 {
		return lintLive(ctx, s.dir, s.binaries, *lint, s.log)
	}
	failed := s.run(ctx)
	fmt.Println(table(s.results))
	return errors.Join(failed, write(*out, record{Seed: s.seed, Faults: s.results}))
}

func workDir(dir string) (string, error) {
	if dir == "" {
		return os.MkdirTemp("", "chaos-")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return filepath.Abs(dir)
}

// choose returns the faults that are named, or those of the short form, or all.
func choose(names string, short bool) ([]fault, error) {
	list := faults()
	if names == "" {
		return slices.DeleteFunc(list, func(f fault) bool { return short && !f.short }), nil
	}
	var chosen []fault
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(list, func(f fault) bool { return f.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no fault %q", name)
		}
		chosen = append(chosen, list[i])
	}
	return chosen, nil
}

// binaries are the programs of a site.
type binaries struct{ venuecast, nats, ffmpeg string }

// build makes venuecast and the NATS server of the module's own version, unless they are in bin.
func build(ctx context.Context, bin, dir string) (binaries, error) {
	ffmpeg := os.Getenv("VENUECAST_FFMPEG")
	if ffmpeg == "" {
		return binaries{}, errors.New("VENUECAST_FFMPEG is not set: run make chaos, or . scripts/env.sh first")
	}
	if bin != "" {
		return binaries{filepath.Join(bin, "venuecast"), filepath.Join(bin, "nats-server"), filepath.Join(ffmpeg, "ffmpeg")}, nil
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", dir+"/",
		"github.com/venuecast/venuecast/cmd/venuecast", "github.com/nats-io/nats-server/v2")
	if out, err := cmd.CombinedOutput(); err != nil {
		return binaries{}, fmt.Errorf("building: %w\n%s", err, out)
	}
	return binaries{filepath.Join(dir, "venuecast"), filepath.Join(dir, "nats-server"), filepath.Join(ffmpeg, "ffmpeg")}, nil
}

// suite is the faults to inject and what came of it.
type suite struct {
	log      *slog.Logger
	dir      string
	binaries binaries
	faults   []fault
	times    int
	again    int // how often a run in which a bound did not hold is made again: the short form is a gate, the long one measures
	seed     uint64
	results  []figures
}

// run injects all faults, one after another, site by site. Its error says how many times a bound did not hold.
func (s *suite) run(ctx context.Context) error {
	random := rand.New(rand.NewPCG(s.seed, 0)) //nolint:gosec // moments, not secrets
	s.log.Info("chaos begins", "seed", s.seed, "logs", s.dir)
	failed := 0
	for i, l := range layouts {
		list := slices.DeleteFunc(slices.Clone(s.faults), func(f fault) bool { return f.layout != l })
		if len(list) == 0 {
			continue
		}
		n, err := s.at(ctx, filepath.Join(s.dir, fmt.Sprintf("site-%d", i+1)), l, list, random)
		if err != nil {
			return err
		}
		failed += n
	}
	if failed > 0 {
		return fmt.Errorf("in %d of %d runs a bound did not hold", failed, len(s.results))
	}
	return nil
}

// at injects the faults of one layout. A site that does not recover is replaced.
func (s *suite) at(ctx context.Context, dir string, l layout, list []fault, random *rand.Rand) (failed int, err error) {
	var site *site
	defer func() { site.close() }()
	for i := range list {
		for n := range s.times {
			if site == nil {
				if site, err = newSite(ctx, fmt.Sprintf("%s-%d", dir, len(s.results)), s.binaries, l); err != nil {
					return failed, err
				}
			}
			f, err := s.once(ctx, site, &list[i], n+1, random)
			if ctx.Err() != nil {
				return failed, context.Cause(ctx)
			}
			if err != nil {
				s.log.Error("experiment could not be made", "fault", list[i].name, "error", err)
				f.bound(false, "%v", err)
				site.close()
				site = nil
			}
			s.results = append(s.results, f)
			if len(f.Failed) > 0 {
				failed++
			}
		}
	}
	return failed, nil
}

// once makes one run. On a machine that was overloaded meanwhile a failure says nothing, and it is made again.
func (s *suite) once(ctx context.Context, site *site, f *fault, run int, random *rand.Rand) (figures, error) {
	for attempt := 1; ; attempt++ {
		e := &experiment{site: site, fault: f, run: run, random: random, log: s.log}
		got, err := e.do(ctx)
		overload := e.pulse.stall() >= overloaded
		if err != nil || len(got.Failed) == 0 || attempt == attempts || !overload && attempt > s.again {
			return got, err
		}
		s.log.Warn("a bound did not hold; once more", "fault", f.name, "run", run, "failed", got.Failed, "stall", e.pulse.stall())
	}
}

// record is what chaos.json holds.
type record struct {
	Seed   uint64    `json:"seed"`
	Faults []figures `json:"faults"`
}

func write(file string, r record) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(data, '\n'), 0o644) //nolint:gosec // figures for everyone
}
