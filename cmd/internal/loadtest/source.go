package loadtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/transport/push"
)

// SourceOptions says what a Source puts.
type SourceOptions struct {
	// Origin is the origin's address, such as http://127.0.0.1:8080.
	Origin string
	// Token is what the origin wants to see of workers.
	Token string
	// Feed names the feed. It defaults to load.
	Feed string
	// Bitrate is that of the only rendition, in bit/s. It defaults to 500000.
	Bitrate int64
	// Backlog is how many segments there are at the beginning. It defaults to 10.
	Backlog int64
	// DVR is how far back the origin shall keep them.
	DVR time.Duration
}

// Source is a worker that puts parts of noise in time, and notes when. The origin does not look into them.
type Source struct {
	opts SourceOptions
	feed pipeline.Feed

	ready chan struct{} // closed when the backlog is there

	mu   sync.Mutex // guards sent
	sent map[place]time.Time
}

const (
	rendition = "video"
	// maxSent bounds what is remembered: some hours.
	maxSent = 100_000
)

// NewSource returns a source. It puts parts while it runs.
func NewSource(o SourceOptions) (*Source, error) {
	if o.Feed == "" {
		o.Feed = "load"
	}
	if o.Backlog <= 0 {
		o.Backlog = 10
	}
	if o.Bitrate <= 0 {
		o.Bitrate = 500_000
	}
	g, err := grid.New(codecs.Rational{Num: 25, Den: 1}, 2*time.Second, 320*time.Millisecond, codecs.TicksAt(time.Now()))
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	video := ladder.Video{Name: rendition, Width: 640, Height: 360, Bitrate: o.Bitrate, Codec: codecs.H264, Divisor: 1}
	feed := pipeline.Feed{ID: o.Feed, Grid: g, Ladder: ladder.Ladder{Video: []ladder.Video{video}, DVR: o.DVR}}
	return &Source{opts: o, feed: feed, ready: make(chan struct{}), sent: map[place]time.Time{}}, nil
}

// Name implements pipeline.Stage.
func (s *Source) Name() string { return "source" }

// Feed returns the name of its feed.
func (s *Source) Feed() string { return s.opts.Feed }

// URL returns that of the media playlist.
func (s *Source) URL() string {
	return s.opts.Origin + "/live/" + s.feed.ID + "/" + rendition + "/index.m3u8"
}

// Run puts parts until the context ends, and may be called once: those of the last segments at once, then each when its time is over.
func (s *Source) Run(ctx context.Context) error {
	client, err := push.New(push.Options{URL: s.opts.Origin, Token: s.opts.Token})
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	defer client.Close()
	epoch := uint64(time.Now().UnixMilli())
	if _, err := client.Claim(ctx, pipeline.Session{Feed: s.feed, Epoch: epoch}); err != nil {
		return err
	}
	init := pipeline.Init{Rendition: rendition, Codecs: "avc1.42C01E", Data: []byte("an init section")}
	if err := client.PutInit(ctx, s.feed.ID, epoch, init); err != nil {
		return err
	}
	g := s.feed.Grid
	var began sync.Once
	at := place{g.Segment(g.FrameAt(codecs.TicksAt(time.Now()))) - s.opts.Backlog, 0}
	for ; ; at = at.next(g.Parts()) {
		over := g.FrameTime(g.PartFrame(at.msn, at.part) + g.PartFrames).Time()
		if wait := time.Until(over); wait > 0 {
			began.Do(func() { close(s.ready) })
			if !pause(ctx, wait) {
				return ctx.Err()
			}
		}
		if err := s.put(ctx, client, epoch, at); err != nil {
			return err
		}
	}
}

// Ready waits until the parts are those of now. Run must be running.
func (s *Source) Ready(ctx context.Context) error {
	select {
	case <-s.ready:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Source) put(ctx context.Context, client *push.Client, epoch uint64, at place) error {
	ticks := s.feed.Grid.PartFrames * int64(codecs.TicksPerSecond) / 25
	data := make([]byte, s.opts.Bitrate*ticks/codecs.TicksPerSecond/8)
	for i := range data {
		data[i] = byte(rand.Uint32()) //nolint:gosec // noise
	}
	part := pipeline.Part{
		Rendition: rendition, Kind: codecs.Video, MSN: at.msn, Index: at.part, Duration: ticks, Timescale: codecs.TicksPerSecond,
		Independent: at.part == 0, Data: data,
	}
	s.mu.Lock()
	if len(s.sent) < maxSent {
		s.sent[at] = time.Now()
	}
	s.mu.Unlock()
	return client.PutPart(ctx, s.feed.ID, epoch, part)
}

// existsAt returns when a part was put.
func (s *Source) existsAt(at place) (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.sent[at]
	return t, ok
}
