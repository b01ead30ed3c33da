package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

// mode is a way to be nearer to live: by the ladder, by the player's settings, or both.
type mode struct {
	name   string
	ladder ladder
	hls    string // hls.js's configuration as JSON; empty: its defaults
}

// By default hls.js stays where it joined. catchingUp is what our page sets; tuned aims at 0.6 s behind the end besides,
// instead of PART-HOLD-BACK.
const (
	catchingUp = `{"maxLiveSyncPlaybackRate": 1.5}`
	tuned      = `{"maxLiveSyncPlaybackRate": 1.5, "liveSyncDuration": 0.6, "liveMaxLatencyDuration": 3}`
)

// modes are compared with hls.js in Chromium.
var modes = []mode{
	{name: "320 ms", ladder: ladder{part: "320ms"}},
	{name: "160 ms", ladder: ladder{part: "160ms"}},
	{name: "320 ms, superfast", ladder: ladder{part: "320ms", preset: "superfast"}},
	{name: "320 ms, catching up", ladder: ladder{part: "320ms"}, hls: catchingUp},
	{name: "320 ms, tuned", ladder: ladder{part: "320ms"}, hls: tuned},
	{name: "320 ms, latency: low", ladder: ladder{part: "320ms", latency: "low"}},
	{name: "160 ms, latency: low", ladder: ladder{part: "160ms", latency: "low"}},
	{name: "160 ms, latency: low, tuned", ladder: ladder{part: "160ms", latency: "low"}, hls: tuned},
}

const (
	// latencySample is how often the picture is read.
	latencySample = 100 * time.Millisecond
	// leastJoinTime leaves some seconds after a player has found its place.
	leastJoinTime = 10 * time.Second
)

// measured is what one mode came to. Times are in seconds.
type measured struct {
	Mode     string    `json:"mode"`
	Median   float64   `json:"median"` // camera to screen
	P95      float64   `json:"p95"`
	Joins    []float64 `json:"joins"` // the median of each
	Samples  int       `json:"samples"`
	Stalls   int       `json:"stalls"`    // all rebuffers, those of joining included
	Part     float64   `json:"part"`      // what a part lasts
	ToOrigin float64   `json:"to_origin"` // from the end of a part's time until the origin has it, mean
	Player   float64   `json:"player"`    // the rest: fetching, and what the player holds back
	Idle     float64   `json:"idle"`      // processors left
}

// measureLatency joins a feed several times in each mode and prints how old the pictures on the screen were.
func measureLatency(ctx context.Context, o options) error {
	list := modes
	if o.modes != "" {
		list = slices.DeleteFunc(slices.Clone(modes), func(m mode) bool { return !slices.Contains(strings.Split(o.modes, ";"), m.name) })
	}
	if len(list) == 0 {
		return fmt.Errorf("there is no mode %q", o.modes)
	}
	var results []measured
	for i := range list {
		m, err := list[i].measure(ctx, o, filepath.Join(o.dir, fmt.Sprintf("mode-%d", i+1)))
		if err != nil {
			return fmt.Errorf("%s: %w", list[i].name, err)
		}
		results = append(results, m)
	}
	fmt.Println(latencyTable(results))
	return write(o.out, results)
}

// measure starts a venue for the mode and lets the player join it.
func (m *mode) measure(ctx context.Context, o options, dir string) (measured, error) {
	out := measured{Mode: m.name}
	var err error
	if o.dir, err = workDir(dir); err != nil {
		return out, err
	}
	p, err := m.player(ctx, o)
	if err != nil {
		return out, err
	}
	v, err := newVenue(ctx, o.binary, o.dir, m.ladder, 3)
	if err != nil {
		return out, err
	}
	defer v.close()
	before, err := v.account(ctx)
	if err != nil {
		return out, err
	}
	var ages []float64
	for n := range o.joins {
		r, err := join(ctx, p, v.url(), o.joinTime)
		if err != nil {
			return out, err
		}
		if err := r.write(filepath.Join(o.dir, fmt.Sprintf("join-%d.samples", n+1))); err != nil {
			return out, err
		}
		ages = append(ages, out.add(p, r)...)
	}
	after, err := v.account(ctx)
	out.budget(ages, before, after)
	return out, err
}

// player returns hls.js with the mode's configuration, installed.
func (m *mode) player(ctx context.Context, o options) (*player, error) {
	o.query = url.Values{"config": {m.hls}, "sample": {fmt.Sprint(latencySample.Milliseconds())}}
	list, err := choose(players(o), "hls.js")
	if err != nil {
		return nil, err
	}
	_, err = list[0].version(ctx) // it installs what it needs
	return &list[0], err
}

// join plays the feed for a time.
func join(ctx context.Context, p *player, feed string, length time.Duration) (*recorder, error) {
	r := newRecorder()
	err := pipeline.Run(ctx,
		pipeline.Func(p.name, func(ctx context.Context) error { return p.play(ctx, feed, r) }),
		pipeline.Func("end", func(ctx context.Context) error {
			if _, err := awaitStart(ctx, r); err != nil {
				return err
			}
			if err := pipeline.Sleep(ctx, length); err != nil {
				return err
			}
			return errOver
		}))
	if !errors.Is(err, errOver) {
		return nil, err
	}
	return r, nil
}

// add takes what one join showed, and returns how old its pictures were once the player had found its place.
func (m *measured) add(p *player, r *recorder) (ages []float64) {
	res := judge(p, "", r, nil, nil)
	m.Stalls += len(res.Join) + len(res.Rebuffers)
	r.mu.Lock()
	defer r.mu.Unlock()
	first, _ := started(r.samples)
	for _, s := range after(r.samples, first.Add(joinTime)) {
		if !s.captured.IsZero() {
			ages = append(ages, s.at.Sub(s.captured).Seconds())
		}
	}
	if len(ages) > 0 {
		slices.Sort(ages)
		m.Joins = append(m.Joins, ages[len(ages)/2])
	}
	return ages
}

// budget says where the time goes.
func (m *measured) budget(ages []float64, before, after account) {
	slices.Sort(ages)
	m.Samples = len(ages)
	if m.Samples == 0 {
		return
	}
	m.Median, m.P95 = ages[len(ages)/2], ages[len(ages)*95/100]
	m.Part = after.part
	if n := after.parts - before.parts; n > 0 {
		m.ToOrigin = (after.late - before.late) / n
	}
	m.Player = m.Median - m.Part/2 - m.ToOrigin
	if wall := after.at.Sub(before.at).Seconds(); wall > 0 {
		m.Idle = (after.idle - before.idle) / wall
	}
}

func latencyTable(results []measured) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "MODE\tMEDIAN/P95\tJOINS\tSAMPLES\tSTALLS\tHALF A PART\tTO THE ORIGIN\tPLAYER\tIDLE PROCESSORS")
	for i := range results {
		m := &results[i]
		fmt.Fprintf(w, "%s\t%.2f/%.2f s\t%.2f\t%d\t%d\t%.2f s\t%.2f s\t%.2f s\t%.1f\n",
			m.Mode, m.Median, m.P95, m.Joins, m.Samples, m.Stalls, m.Part/2, m.ToOrigin, m.Player, m.Idle)
	}
	_ = w.Flush() // a strings.Builder takes every write
	b.WriteString("Camera to screen, read from the picture: when the camera drew it against when the page copied it; −0.00/+0.03 s.\n")
	return b.String()
}
