package loadtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
)

// IntakeOptions says what is measured of an ingest that takes in many cameras.
type IntakeOptions struct {
	Cameras int
	// Within is how long to wait until all cameras are on the bus.
	Within time.Duration
	// Settle is how long to wait then, and During how long to measure.
	Settle, During time.Duration
	// Began is when the ingest was started.
	Began time.Time
	// Ingest, Bus and Senders are processes of this machine: the ingest, the NATS server and the cameras.
	Ingest, Bus, Senders int
	// Metrics is the address of the ingest's metrics.
	Metrics string
	// Store is the folder of the NATS server.
	Store string
	// Readers are those of the feeds' records, as workers have them. They may be none.
	Readers []RecordReader
}

// RecordReader reads the records of one feed.
type RecordReader interface {
	// Next waits for the next one. An error that is pipeline.ErrGap means that some are missing before it.
	Next(ctx context.Context) (pipeline.Record, error)
}

// MeasureIntake waits until all cameras are on the bus, and measures.
func MeasureIntake(ctx context.Context, o IntakeOptions) (*Intake, error) {
	i := &Intake{Cameras: o.Cameras, Seconds: o.During.Seconds()}
	if err := o.awaitAll(ctx); err != nil {
		return nil, err
	}
	i.AllAfter = time.Since(o.Began).Seconds()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	heard := make([]hearing, len(o.Readers))
	stages := []pipeline.Stage{pipeline.Func("measuring", func(ctx context.Context) error {
		defer cancel()
		return o.measure(ctx, i)
	})}
	from := time.Now().Add(o.Settle)
	for n, r := range o.Readers {
		stages = append(stages, pipeline.Func("reader", func(ctx context.Context) error { return heard[n].listen(ctx, r, from) }))
	}
	if err := pipeline.Run(ctx, stages...); err != nil && !errors.Is(err, context.Canceled) {
		return nil, fmt.Errorf("measuring an ingest: %w", err)
	}
	i.hear(heard)
	return i, nil
}

// awaitAll waits until all cameras deliver and are on the bus.
func (o IntakeOptions) awaitAll(ctx context.Context) error {
	limit, cancel := context.WithTimeout(ctx, o.Within)
	defer cancel()
	for {
		up, stored := 0.0, 0
		s, err := readSeries(limit, o.Metrics)
		if err == nil {
			up = s.sum("venuecast_source_up")
			stored = s.positive("venuecast_bus_stored_messages_total")
			if int(up) >= o.Cameras && stored >= o.Cameras {
				return nil
			}
		}
		if !pause(limit, 250*time.Millisecond) {
			return fmt.Errorf("load: after %v %.0f of %d cameras deliver, and %d are on the bus: %w", o.Within, up, o.Cameras, stored, err)
		}
	}
}

// measure measures what the processes use, and what the ingest counts meanwhile.
func (o IntakeOptions) measure(ctx context.Context, i *Intake) error {
	if !pause(ctx, o.Settle) {
		return ctx.Err()
	}
	before, err := readSeries(ctx, o.Metrics)
	if err != nil {
		return err
	}
	began, used := time.Now(), o.used()
	var resident, bus []int64
	for time.Since(began) < o.During && pause(ctx, 500*time.Millisecond) {
		resident, bus = append(resident, residentBytes(o.Ingest)), append(bus, residentBytes(o.Bus))
	}
	after, during := o.used(), time.Since(began)
	i.Processors = IntakeProcessors{
		Ingest: share(used[0], after[0], during), Bus: share(used[1], after[1], during), Senders: share(used[2], after[2], during),
	}
	i.Memory = IntakeMemory{Ingest: median(resident), Bus: median(bus)}
	i.Stored = folderBytes(o.Store)
	asked := time.Now()
	last, err := readSeries(ctx, o.Metrics)
	if err != nil {
		return err
	}
	i.ScrapeMillis, i.Series = float64(time.Since(asked).Microseconds())/1000, len(last)
	i.count(before, last)
	return nil
}

func (o IntakeOptions) used() [3]time.Duration {
	return [3]time.Duration{processorTime(o.Ingest), processorTime(o.Bus), processorTime(o.Senders)}
}

func median(list []int64) int64 {
	if len(list) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(list))[len(list)/2]
}

// folderBytes returns the size of the files in a folder. Those that are removed meanwhile count nothing.
func folderBytes(dir string) (total int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil
	})
	return total
}

// hearing is what a reader of one feed has heard since a moment.
type hearing struct {
	pictures, gaps int
	late           []time.Duration // from a picture's PTS to here
}

func (h *hearing) listen(ctx context.Context, r RecordReader, from time.Time) error {
	for {
		record, err := r.Next(ctx)
		now := time.Now()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, pipeline.ErrGap):
			if now.After(from) {
				h.gaps++
			}
		case err != nil:
			return err //nolint:wrapcheck // a reader says what it was doing
		case record.Bundle == nil || record.Bundle.Format.Codec.Kind() != codecs.Video || now.Before(from):
		default:
			h.pictures++
			h.late = append(h.late, now.Sub(record.Bundle.Units[0].PTS.Time()))
		}
	}
}

// series are the values of metrics in Prometheus's text format, by name and labels.
type series map[string]float64

func readSeries(ctx context.Context, address string) (series, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	defer func() { _ = response.Body.Close() }() // it is read to its end
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("load: reading metrics: %w", err)
	}
	return parseSeries(string(text)), nil
}

func parseSeries(text string) series {
	s := series{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		if at := strings.LastIndexByte(line, ' '); at > 0 {
			if v, err := strconv.ParseFloat(strings.TrimSpace(line[at:]), 64); err == nil {
				s[line[:at]] = v
			}
		}
	}
	return s
}

// of calls f with each value of a name, whatever its labels.
func (s series) of(name string, f func(labels string, value float64)) {
	for key, v := range s {
		if labels, ok := strings.CutPrefix(key, name); ok && (labels == "" || labels[0] == '{') {
			f(labels, v)
		}
	}
}

func (s series) sum(name string) (total float64) {
	s.of(name, func(_ string, v float64) { total += v })
	return total
}

// positive returns how many values of a name are above 0.
func (s series) positive(name string) (n int) {
	s.of(name, func(_ string, v float64) {
		if v > 0 {
			n++
		}
	})
	return n
}

// byReason returns the sums of a name by its label reason.
func (s series) byReason(name string) map[string]float64 {
	sums := map[string]float64{}
	s.of(name, func(labels string, v float64) {
		if _, rest, ok := strings.Cut(labels, `reason="`); ok {
			reason, _, _ := strings.Cut(rest, `"`)
			sums[reason] += v
		}
	})
	return sums
}
