package ingest

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

// ErrCredentials means that the camera refuses user or password. Trying often may lock the account, so ingest waits longer.
var ErrCredentials = errors.New("the camera refuses user or password")

// Bus takes a feed's records.
type Bus interface {
	// Publish takes r without waiting; its Data is not changed afterwards. pipeline.ErrFenced means that another ingest
	// has taken over; any other error, that this record is lost.
	Publish(r pipeline.Record) error
}

// Registry keeps the description of feeds.
type Registry interface {
	// Define stores f if there is none for its id and the ladder it asks for, and returns the one that is stored.
	Define(ctx context.Context, f pipeline.Feed) (pipeline.Feed, error)
	// Feed returns the stored description, false when there is none.
	Feed(ctx context.Context, id string) (pipeline.Feed, bool, error)
}

// Meter takes measurements. Its methods are called from several goroutines and must not block.
type Meter interface {
	Up(up bool)
	Reconnected()
	Received(video bool, units, bytes int)
	Dropped(reason string, units int)
	Repaired(reason string)
}

// Options is what an ingest of one feed needs. Without a word of a default, a field must be set.
type Options struct {
	ID       string
	Ladder   ladder.Ladder // as configured
	Source   Source
	Bus      Bus
	Registry Registry
	Meter    Meter
	Log      *slog.Logger

	// NotBefore is the last PTS that the feed already has, from another ingest. All PTS are later. It defaults to none.
	NotBefore codecs.Ticks

	Now       func() time.Time // It defaults to time.Now.
	RetryMin  time.Duration    // the first pause before connecting again. It defaults to 250 ms.
	RetryMax  time.Duration    // the longest. It defaults to 1.5 s: a camera that is back is seen within 2 s.
	RetryAuth time.Duration    // the pause after ErrCredentials. It defaults to 30 s.
}

// Ingest takes in one feed.
type Ingest struct {
	o      Options
	queue  *pipeline.Queue[event]
	camera *camera
}

// The bound of the queue between camera and publisher: about 2 s of pictures and sound, and 16 MiB.
const (
	queueUnits = 256
	queueBytes = 16 << 20
)

// New returns the ingest of one feed. Nothing runs before Run.
func New(o Options) *Ingest {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.RetryMin == 0 {
		o.RetryMin = 250 * time.Millisecond
	}
	if o.RetryMax == 0 {
		o.RetryMax = 1500 * time.Millisecond
	}
	if o.RetryAuth == 0 {
		o.RetryAuth = 30 * time.Second
	}
	q := pipeline.NewQueue[event](queueUnits, queueBytes, nil)
	return &Ingest{o: o, queue: q, camera: &camera{o: o, queue: q}}
}

// Run takes in the feed until the context ends or another ingest takes over (pipeline.ErrFenced).
func (i *Ingest) Run(ctx context.Context) error {
	return pipeline.Run(ctx, i.camera, newPublisher(i.o, i.queue))
}
