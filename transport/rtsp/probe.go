package rtsp

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/ingest"
)

var errProbed = errors.New("probed")

// Probe watches a camera for d from the start of its session, and reports on what it sends.
// When the session ends earlier it returns the error with the report so far.
func Probe(ctx context.Context, o SourceOptions, d time.Duration) (Report, error) {
	source, err := NewSource(o)
	if err != nil {
		return Report{}, err
	}
	p := &prober{begun: make(chan struct{})}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var failed error
	_ = pipeline.Run(ctx,
		pipeline.Func("source", func(ctx context.Context) error {
			failed = source.Run(ctx, p)
			return failed
		}),
		pipeline.Func("clock", func(ctx context.Context) error {
			p.waitFor(ctx, d)
			cancel(errProbed)
			return nil
		}))
	report := p.report()
	report.URL = RedactURL(o.URL)
	if errors.Is(failed, errProbed) {
		return report, nil
	}
	return report, failed
}

// prober is the sink of a probe.
type prober struct {
	begun chan struct{}

	mu     sync.Mutex // guards the field below
	tracks []*observation
}

// waitFor returns when d has passed since the session began, or at the end of ctx.
func (p *prober) waitFor(ctx context.Context, d time.Duration) {
	select {
	case <-p.begun:
	case <-ctx.Done():
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Begin implements ingest.Sink.
func (p *prober) Begin(tracks []ingest.Track) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range tracks {
		p.tracks = append(p.tracks, &observation{track: t})
	}
	close(p.begun)
}

// Unit implements ingest.Sink.
func (p *prober) Unit(u ingest.Unit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tracks[u.Track].unit(u)
}

// Lost implements ingest.Sink.
func (p *prober) Lost(track int, packets uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tracks[track].lost += packets
}

func (p *prober) report() Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := Report{Tracks: []TrackReport{}}
	for _, o := range p.tracks {
		r.Tracks = append(r.Tracks, o.report())
	}
	r.Problems = problems(r.Tracks)
	return r
}

// observation is what was seen of one track.
type observation struct {
	track ingest.Track

	units, bytes int
	lost         uint64
	first, last  ingest.Unit
	furthest     int32 // RTP time since the first unit, of the unit that is furthest
	backward     int   // units with an RTP time below that of the one before
	keys         []int // numbers of the random access units
	key          []byte
	picture      ingest.Picture
	offsets      []time.Duration // camera's clock less this host's
}

// maxOffsets is enough for a median.
const maxOffsets = 1000

func (o *observation) unit(u ingest.Unit) {
	if o.units == 0 {
		o.first = u
	} else if int32(u.RTP-o.last.RTP) < 0 {
		o.backward++
	}
	o.furthest = max(o.furthest, int32(u.RTP-o.first.RTP))
	if u.RandomAccess && u.Picture != (ingest.Picture{}) {
		o.keys = append(o.keys, o.units)
		o.key, o.picture = u.Data, u.Picture
	}
	if !u.NTP.IsZero() && len(o.offsets) < maxOffsets {
		o.offsets = append(o.offsets, u.NTP.Sub(u.Arrival))
	}
	o.units++
	o.bytes += len(u.Data)
	o.last = u
}
