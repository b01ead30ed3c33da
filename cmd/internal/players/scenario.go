package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

// step is something that happens while a player plays.
type step struct {
	name  string
	begin float64 // as a part of the trial's length
	needs ability
	venue bool // it needs a venue of our own
}

// steps are the trial. The first is not told to the player: it plays.
var steps = []step{
	{name: "play", begin: 0},
	{name: "lowest", begin: 0.13, needs: switches},
	{name: "highest", begin: 0.27, needs: switches},
	{name: "back", begin: 0.42, needs: seeks},
	{name: "live", begin: 0.52, needs: seeks},
	{name: "cut", begin: 0.62, venue: true},
	{name: "kill", begin: 0.82, venue: true},
}

// cutLength is how long the camera is away.
const cutLength = 5 * time.Second

// startWithin is how long a player may take to its first picture.
const startWithin = 30 * time.Second

// trial is one player's time with a feed.
type trial struct {
	player  *player
	feed    *feed
	dvr     bool
	dir     string // for samples
	length  time.Duration
	log     *slog.Logger
	heights []int // of the feed's renditions
	did     []done
}

// done is a step that has been taken.
type done struct {
	name string
	at   time.Time
}

var errOver = errors.New("the trial is over")

// run tries the player and returns what it did.
func (t *trial) run(ctx context.Context) result {
	version, err := t.player.version(ctx)
	if err != nil {
		t.log.Error("player is not there", "player", t.player.name, "error", err)
		return result{Player: t.player.name, Failed: []string{"not installed: " + err.Error()}}
	}
	t.log.Info("player begins", "player", t.player.name, "version", version)
	if t.heights, err = heights(ctx, t.feed.url); err != nil {
		return result{Player: t.player.name, Version: version, Failed: []string{err.Error()}}
	}
	r := newRecorder()
	err = pipeline.Run(ctx,
		pipeline.Func(t.player.name, func(ctx context.Context) error { return t.player.play(ctx, t.url(), r) }),
		pipeline.Func("conductor", func(ctx context.Context) error { return t.conduct(ctx, r) }),
	)
	if !errors.Is(err, errOver) {
		r.trouble(err.Error(), true)
	}
	if err := r.write(filepath.Join(t.dir, t.player.name+".samples")); err != nil {
		t.log.Error("samples are not kept", "error", err)
	}
	res := judge(t.player, version, r, t.heights, t.did)
	res.Load = load()
	if t.feed.venue != nil {
		if err := t.feed.venue.settle(); err != nil {
			res.fail("the venue: %v", err)
		}
	}
	t.log.Info("player ends", "player", t.player.name, "failed", res.Failed)
	return res
}

// url returns what this player is given.
func (t *trial) url() string {
	url := t.feed.url
	if t.dvr {
		url = strings.Replace(url, "/live/", "/dvr/", 1)
	}
	if t.player.plain {
		url += "?ll=0"
	}
	return url
}

// conduct takes the steps, at their times from the first picture on, and ends the trial.
func (t *trial) conduct(ctx context.Context, r *recorder) error {
	first, err := awaitStart(ctx, r)
	if err != nil {
		return err
	}
	for _, s := range steps {
		if s.venue && t.feed.venue == nil || s.needs&t.player.can != s.needs {
			continue
		}
		at := first.Add(time.Duration(s.begin * float64(t.length)))
		if err := pipeline.Sleep(ctx, time.Until(at)); err != nil {
			return err
		}
		t.did = append(t.did, done{s.name, time.Now()})
		if err := t.take(ctx, s, r); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	if err := pipeline.Sleep(ctx, time.Until(first.Add(t.length))); err != nil {
		return err
	}
	return errOver
}

func awaitStart(ctx context.Context, r *recorder) (time.Time, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startWithin, fmt.Errorf("no picture within %v", startWithin))
	defer cancel()
	for {
		if at, ok := r.started(); ok {
			return at, nil
		}
		if r.gaveUp() {
			return time.Time{}, errOver
		}
		if err := pipeline.Sleep(ctx, 50*time.Millisecond); err != nil {
			return time.Time{}, err
		}
	}
}

// take takes one step.
func (t *trial) take(ctx context.Context, s step, r *recorder) error {
	switch s.name {
	case "play":
		return nil
	case "cut":
		t.feed.venue.cut()
		if err := pipeline.Sleep(ctx, cutLength); err != nil {
			return err
		}
		return t.feed.venue.mend()
	case "kill":
		return t.feed.venue.killWorker()
	default:
		r.command(s.name)
		return nil
	}
}

// heights returns those of a feed's renditions.
func heights(ctx context.Context, url string) (list []int, err error) {
	playlist, err := get(ctx, url)
	if err != nil {
		return nil, err
	}
	for _, m := range regexp.MustCompile(`RESOLUTION=\d+x(\d+)`).FindAllStringSubmatch(playlist, -1) {
		h, err := strconv.Atoi(m[1])
		if err != nil {
			return nil, err
		}
		list = append(list, h)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s names no rendition", url)
	}
	return list, nil
}
