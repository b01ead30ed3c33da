package ingest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
)

// event is what a session says, in order. Exactly one field is set.
type event struct {
	begin []Track
	unit  *Unit
	lost  *int // a track that misses data before its next unit
	ended bool
}

// camera is the stage that keeps a session to the source and never makes it wait.
type camera struct {
	o     Options
	queue *pipeline.Queue[event]
}

func (c *camera) Name() string { return "camera" }

func (c *camera) Run(ctx context.Context) error {
	defer c.queue.Close()
	pause, said, saidAt := c.o.RetryMin, "", time.Time{}
	for {
		s := &sink{ctx: ctx, camera: c}
		err := c.o.Source.Run(ctx, s)
		c.o.Meter.Up(false)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if pushErr := c.queue.Push(ctx, event{ended: true}, 0); pushErr != nil {
			return pushErr
		}
		if s.delivered() {
			pause = c.o.RetryMin
		}
		if now := c.o.Now(); err.Error() != said || now.Sub(saidAt) > time.Minute {
			c.o.Log.Warn("camera is away, trying again", "feed", c.o.ID, "error", err)
			said, saidAt = err.Error(), now
		}
		if errors.Is(err, ErrCredentials) {
			pause = c.o.RetryAuth
		}
		if err := pipeline.Sleep(ctx, jittered(pause)); err != nil {
			return err
		}
		pause = min(pause*2, max(c.o.RetryMax, pause))
		c.o.Meter.Reconnected()
	}
}

// jittered spreads pauses by ± 20 %, so that hundreds of cameras behind one switch are not called at once.
func jittered(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}

// sink takes one session's units into the queue. When the queue is full it drops until the next random access unit.
type sink struct {
	ctx    context.Context
	camera *camera

	mu       sync.Mutex // guards the fields below
	tracks   []Track
	dropping bool
	units    int
}

func (s *sink) Begin(tracks []Track) {
	s.mu.Lock()
	s.tracks = tracks
	s.mu.Unlock()
	s.camera.o.Meter.Up(true)
	s.camera.o.Log.Info("camera is there", "feed", s.camera.o.ID, "tracks", describe(tracks))
	// The publisher has room for this at the latest when it has taken what an earlier session left.
	_ = s.camera.queue.Push(s.ctx, event{begin: tracks}, 0)
}

func (s *sink) Unit(u Unit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.units++
	video := s.tracks[u.Track].Format.Codec.Kind() == codecs.Video
	s.camera.o.Meter.Received(video, 1, len(u.Data))
	if video && u.RandomAccess {
		s.dropping = false
	}
	if video && s.dropping || !s.camera.queue.TryPush(event{unit: &u}, int64(len(u.Data))) {
		s.dropping = s.dropping || video
		s.camera.o.Meter.Dropped(dropFull, 1)
	}
}

func (s *sink) Lost(track int, _ uint64) {
	if !s.camera.queue.TryPush(event{lost: &track}, 0) {
		s.mu.Lock()
		s.dropping = true
		s.mu.Unlock()
	}
}

func (s *sink) delivered() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.units > 0
}

func describe(tracks []Track) (names []string) {
	for _, t := range tracks {
		names = append(names, t.Format.Codec.String())
	}
	return names
}

// Reasons for which units are dropped.
const (
	dropFull  = "queue_full"  // the publisher did not keep up
	dropLoss  = "packet_loss" // pictures between a loss and the next random access unit
	dropStart = "no_keyframe" // pictures before a session's first random access unit
	dropBus   = "bus"         // the bus did not take it
	dropTime  = "timestamp"   // the timeline could not place it
	dropLearn = "unknown"     // it came before size and frame rate of the feed were known, too early to be kept
)
