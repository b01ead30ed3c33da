package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/venuecast/venuecast/pipeline"
)

const (
	maxAge = 120 * time.Second
	// minStreamBytes is what a stream is made with when nothing is known of its source: 10 s of 25 Mbit/s, by when its writer has
	// it grow. With less than 32 MiB the server writes it in blocks of 4 MiB, not 8: it holds the newest block of each stream in
	// memory, and the oldest while its records expire.
	minStreamBytes = 31 << 20
)

// streamName returns the name of a feed's stream.
func streamName(feed string) string { return "FEED_" + feed }

// EnsureFeed makes the stream of a feed, or fits an existing one to these limits.
// bitrate is that of the source in bit/s; twice what it sends in two minutes is reserved on the server's disk, 31 MiB at least.
// It defaults to 0: the writer has the stream grow. While a cluster elects its leaders EnsureFeed keeps trying until ctx ends.
func (c *Conn) EnsureFeed(ctx context.Context, id string, bitrate int64) error {
	return c.persist(ctx, "the stream of feed "+id, func(ctx context.Context) error {
		return c.ensureFeed(ctx, id, streamBytes(bitrate))
	})
}

// ensureFeed tries once.
func (c *Conn) ensureFeed(ctx context.Context, id string, size int64) error {
	if !pipeline.ValidID(id) {
		return fmt.Errorf("feed id %q is not valid", id)
	}
	_, err := c.js.CreateOrUpdateStream(ctx, feedStream(id, size, c.replicas))
	return noRoom(err, id, size)
}

// noRoom says what the server refused a stream of this size for.
func noRoom(err error, id string, size int64) error {
	if isNoRoom(err) {
		err = fmt.Errorf("the server's store has no %d MiB left to reserve: %w", size>>20, err)
	}
	if err != nil {
		return fmt.Errorf("fitting the stream of feed %s: %w", id, err)
	}
	return nil
}

func feedStream(id string, size int64, replicas int) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: streamName(id), Subjects: []string{subject(id, ">")},
		Storage: jetstream.FileStorage, Replicas: replicas,
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld,
		MaxAge: maxAge, MaxBytes: size, MaxMsgSize: maxPayload,
		Duplicates:  100 * time.Millisecond, // unused: the predicted sequence keeps duplicates out
		AllowDirect: true, DenyDelete: true,
	}
}

// isNoRoom reports whether the server refused because of its limits: MaxBytes is reserved when a stream is made.
func isNoRoom(err error) bool {
	const insufficientResources, storageExceeded = 10023, 10047
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == insufficientResources || api.ErrorCode == storageExceeded)
}
