package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// account is what a venue and its machine have done so far.
type account struct {
	at    time.Time
	part  float64 // seconds of a part
	parts float64 // parts of the largest rendition that the origin has taken
	late  float64 // seconds from the ends of their times to their arrivals, summed
	idle  float64 // processor seconds that nobody used
}

// account reads it.
func (v *venue) account(ctx context.Context) (account, error) {
	a := account{at: time.Now()}
	text, err := get(ctx, "http://"+v.metrics+"/metrics")
	if err != nil {
		return a, err
	}
	const lateness = `venuecast_origin_part_lateness_seconds_`
	labels := fmt.Sprintf(`{feed="cam",rendition="%dp"}`, highest)
	if a.parts, err = sampled(text, lateness+"count"+labels); err != nil {
		return a, err
	}
	if a.late, err = sampled(text, lateness+"sum"+labels); err != nil {
		return a, err
	}
	playlist, err := get(ctx, fmt.Sprintf("http://%s/live/cam/%dp/index.m3u8", v.origin, highest))
	if err != nil {
		return a, err
	}
	if m := regexp.MustCompile(`PART-TARGET=([\d.]+)`).FindStringSubmatch(playlist); m != nil {
		if a.part, err = strconv.ParseFloat(m[1], 64); err != nil {
			return a, err
		}
	}
	a.idle, err = idle()
	return a, err
}

// sampled returns the value of a metric in Prometheus's text format.
func sampled(text, name string) (float64, error) {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, fmt.Errorf("there is no metric %s", name)
}

// clockTicks is USER_HZ of Linux, on every architecture that Go runs on.
const clockTicks = 100

// idle returns the processor seconds that nobody has used since the machine started (proc(5), /proc/stat).
func idle() (float64, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	var user, nice, system, free, waiting float64
	if _, err := fmt.Sscanf(string(text), "cpu %f %f %f %f %f", &user, &nice, &system, &free, &waiting); err != nil {
		return 0, fmt.Errorf("reading /proc/stat: %w", err)
	}
	return (free + waiting) / clockTicks, nil
}
