//go:build cgo

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/venuecast/venuecast/cmd/internal/watch"
	"github.com/venuecast/venuecast/cmd/internal/watch/frames"
	"github.com/venuecast/venuecast/pipeline"
)

// experiment is one fault, once.
type experiment struct {
	site   *site
	fault  *fault
	run    int
	random *rand.Rand
	log    *slog.Logger

	pulse    pulse
	arrivals *arrivals
	watcher  *watch.Watcher
	began    time.Time // of the fault
	back     time.Time // of the camera; zero: it was not away
	moments  []string  // what was done, and when
}

const (
	// leadIn is how long all goes well before a fault. It comes at a random moment of a segment after that.
	leadIn  = 5 * time.Second
	segment = partsPerSegment * partLength
	// keep bounds the recording of a rendition: more than any run has.
	keep = 64 << 20
)

// note says what is done, for the log and the record.
func (e *experiment) note(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	e.moments = append(e.moments, time.Now().UTC().Format("15:04:05.000 ")+line)
	e.log.Info(line)
}

// do runs the experiment and measures.
func (e *experiment) do(ctx context.Context) (figures, error) {
	f := figures{Fault: e.fault.name, Run: e.run, At: time.Now()}
	if err := e.healthy(ctx); err != nil {
		return f, err
	}
	e.arrivals = newArrivals()
	e.watcher = watch.New(watch.Options{URL: e.site.liveURL(), Client: &http.Client{Transport: e.arrivals}, Keep: keep})
	watching, stop := context.WithCancel(ctx)
	defer stop()
	err := pipeline.Run(ctx,
		pipeline.Func("pulse", func(context.Context) error { return e.pulse.Run(watching) }),
		pipeline.Func("watcher", func(context.Context) error { return e.watcher.Run(watching) }),
		pipeline.Func("fault", func(ctx context.Context) error {
			defer stop()
			return e.inject(ctx)
		}),
	)
	if err != nil {
		return f, err
	}
	return e.measure(ctx)
}

func (e *experiment) inject(ctx context.Context) error {
	if err := pipeline.Sleep(ctx, leadIn+time.Duration(e.random.Int64N(int64(segment)))); err != nil {
		return err
	}
	e.began = time.Now()
	if err := e.fault.inject(ctx, e); err != nil {
		return err
	}
	return pipeline.Sleep(ctx, max(e.fault.after, 10*time.Second))
}

// healthy waits until all processes run and two more segments are served: the fault before is over.
func (e *experiment) healthy(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 60*time.Second, errors.New("the site does not recover"))
	defer cancel()
	a := newArrivals()
	w := watch.New(watch.Options{URL: e.site.liveURL(), Client: &http.Client{Transport: a}})
	for {
		limited, stop := context.WithTimeout(ctx, 2*segment)
		err := w.Run(limited)
		stop()
		r := w.Report()
		if err == nil && len(r.Renditions) == 3 && r.Total() == 0 && longest(r) < 1 {
			return nil
		}
		if ctx.Err() != nil {
			return errors.Join(context.Cause(ctx), err)
		}
		if err != nil {
			if err := pipeline.Sleep(ctx, time.Second); err != nil {
				return err
			}
		}
		w = watch.New(watch.Options{URL: e.site.liveURL(), Client: &http.Client{Transport: a}})
	}
}

func longest(r watch.Report) (wait float64) {
	for i := range r.Renditions {
		wait = max(wait, r.Renditions[i].LongestWait)
	}
	return wait
}

// measure decodes what was recorded and holds the figures against the fault's bounds.
func (e *experiment) measure(ctx context.Context) (figures, error) {
	f := figures{Fault: e.fault.name, Run: e.run, At: e.began}
	f.HostStall = round(e.pulse.stall().Seconds())
	report := e.watcher.Report()
	f.take(report)
	f.NextPart = round(e.arrivals.nextAfter(e.began).Seconds())
	f.CaughtUp = round(e.arrivals.behindFor(e.began).Seconds())
	dir := filepath.Join(e.site.dir, fmt.Sprintf("%s-%d", strings.ReplaceAll(e.fault.name, " ", "-"), e.run))
	for i := range report.Renditions {
		r := &report.Renditions[i]
		recording, err := e.watcher.Recording(r.Name)
		if err != nil {
			return f, err
		}
		lines, err := e.decode(ctx, dir, r.Name, recording)
		if err != nil {
			return f, err
		}
		f.DecodeErrors += lines
		if r.Kind != "video" {
			continue
		}
		list, err := frames.Video(recording)
		if err != nil {
			f.bound(false, "%s cannot be decoded: %v", r.Name, err)
			continue
		}
		f.look(list)
		if !e.back.IsZero() {
			f.Back = max(f.Back, round(backAfter(list, e.back)))
		}
	}
	f.continuous()
	if !e.fault.remade {
		f.same()
	}
	e.fault.check(&f)
	if len(f.Failed) > 0 {
		e.keep(dir, report, f)
	}
	return f, nil
}

// backAfter returns how long after its return the camera's first picture was taken that is shown.
func backAfter(list []frames.Frame, back time.Time) float64 {
	for _, p := range list {
		if p.Readable && p.Captured.After(back) {
			return p.Captured.Sub(back).Seconds()
		}
	}
	return 1e3 // it never came
}

// decode lets ffmpeg decode a recording and returns how many lines it says about it.
func (e *experiment) decode(ctx context.Context, dir, name string, r watch.Recording) (int, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	file := filepath.Join(dir, name+".mp4")
	if err := os.WriteFile(file, r.File(), 0o600); err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, e.site.binaries.ffmpeg, "-v", "error", "-err_detect", "explode", "-i", file, "-f", "null", "-")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, fmt.Errorf("running ffmpeg: %w", err)
	}
	lines := bytes.Count(out, []byte("\n"))
	if lines == 0 && err == nil {
		return 0, os.Remove(file)
	}
	return max(lines, 1), os.WriteFile(filepath.Join(dir, name+".ffmpeg.txt"), out, 0o600)
}

// keep writes down what a failure may be understood from.
func (e *experiment) keep(dir string, report watch.Report, f figures) {
	text := fmt.Sprintf("%s\n\n%s\n\n%+v\n", strings.Join(e.moments, "\n"), report, f)
	if err := os.WriteFile(filepath.Join(dir, "report.txt"), []byte(text), 0o600); err != nil {
		e.log.Warn("the report of a failure cannot be kept", "error", err)
	}
	e.log.Error("bounds did not hold", "fault", f.Fault, "run", f.Run, "failed", strings.Join(f.Failed, "; "), "see", dir)
}
