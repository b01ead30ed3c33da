package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/url"
	"os"
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
		fmt.Fprintln(os.Stderr, "players:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	seconds int
	segment time.Duration
	only    string
	url     string
	dvr     bool
	binary  string
	ffmpeg  string // folder of ffmpeg
	files   string // folder of the pages and scripts
	dir     string
	out     string

	latency  bool
	modes    string
	joins    int
	joinTime time.Duration
	query    url.Values // for the page of a browser
}

// leastSeconds leaves time to every step of the trial.
const leastSeconds = 40

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("players", flag.ContinueOnError)
	flags.IntVar(&o.seconds, "seconds", 60, "how long each player plays, from its first picture")
	flags.DurationVar(&o.segment, "segment", 2*time.Second, "segment of the venue's ladder, which is the distance of its IDRs")
	flags.StringVar(&o.only, "only", "", "comma-separated names of players; all when empty")
	flags.StringVar(&o.url, "url", "", "multivariant playlist of a feed that plays already (default: a venue is started)")
	flags.BoolVar(&o.dvr, "dvr", false, "play the DVR's playlists instead of those of the live edge")
	flags.StringVar(&o.binary, "bin", "bin/venuecast", "venuecast, as make build makes it")
	flags.StringVar(&o.ffmpeg, "ffmpeg", os.Getenv("VENUECAST_FFMPEG"), "folder with ffmpeg")
	flags.StringVar(&o.files, "files", "testdata/players", "folder with the players' pages and scripts")
	flags.StringVar(&o.dir, "dir", "", "folder for logs (default: a new one)")
	flags.StringVar(&o.out, "out", "bin/players.json", "where to write the figures")
	flags.BoolVar(&o.latency, "latency", false, "instead, measure camera to screen with hls.js in Chromium in each of several modes")
	flags.StringVar(&o.modes, "modes", "", "with --latency: names of modes, separated by semicolons; all when empty")
	flags.IntVar(&o.joins, "joins", 3, "with --latency: how often the player joins in each mode")
	flags.DurationVar(&o.joinTime, "join-time", 16*time.Second, "with --latency: how long it plays then")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if o.seconds < leastSeconds {
		return options{}, fmt.Errorf("--seconds %d: want %d at least, every step needs its time", o.seconds, leastSeconds)
	}
	if o.segment < time.Second || o.segment > leastWindow/5 {
		return options{}, fmt.Errorf("--segment %v: want 1s to %v", o.segment, leastWindow/5)
	}
	if o.joins < 1 || o.joinTime < leastJoinTime {
		return options{}, fmt.Errorf("--joins %d --join-time %v: want 1 and %v at least", o.joins, o.joinTime, leastJoinTime)
	}
	return o, nil
}

// command reads the flags and tries the players.
func command(ctx context.Context, args []string) (err error) {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if o.dir, err = workDir(o.dir); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	log.Info("players begin", "logs", o.dir)
	if o.latency {
		return measureLatency(ctx, o)
	}
	list, err := choose(players(o), o.only)
	if err != nil {
		return err
	}
	feed, done, err := open(ctx, o)
	if err != nil {
		return err
	}
	defer done()
	var results []result
	for i := range list {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		t := trial{player: &list[i], feed: feed, dvr: o.dvr, dir: o.dir, length: time.Duration(o.seconds) * time.Second, log: log}
		results = append(results, t.run(ctx))
	}
	fmt.Println(table(results))
	return errors.Join(verdict(results), write(o.out, results))
}

// open returns the feed to play: one that is there, or that of a venue of our own.
func open(ctx context.Context, o options) (*feed, func(), error) {
	if o.url != "" {
		return &feed{url: o.url}, func() {}, nil
	}
	v, err := newVenue(ctx, o.binary, o.dir, ladder{part: "320ms", preset: "superfast", segment: o.segment}, int(leastWindow/o.segment))
	if err != nil {
		return nil, nil, err
	}
	return &feed{url: v.url(), venue: v}, v.close, nil
}

// choose returns the players that are named, or all.
func choose(list []player, names string) ([]player, error) {
	if names == "" {
		return list, nil
	}
	var chosen []player
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(list, func(p player) bool { return p.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no player %q", name)
		}
		chosen = append(chosen, list[i])
	}
	return chosen, nil
}

func workDir(dir string) (string, error) {
	if dir == "" {
		return os.MkdirTemp("", "players-")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return filepath.Abs(dir)
}

// verdict says which players failed.
func verdict(results []result) error {
	var failed []string
	for i := range results {
		if len(results[i].Failed) > 0 {
			failed = append(failed, results[i].Player)
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d players did not play well: %s", len(failed), len(results), strings.Join(failed, ", "))
}

func write(file string, results any) error {
	data, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, append(data, '\n'), 0o644) //nolint:gosec // figures for everyone
}
