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
	// defaultBitrate is assumed for a source that has not said its own, in bit/s.
	defaultBitrate = 8_000_000
	// minStreamBytes holds a few messages of the greatest size.
	minStreamBytes = 4 * maxPayload
)

// streamName returns the name of a feed's stream.
func streamName(feed string) string { return "FEED_" + feed }

// EnsureFeed makes the stream of a feed, or fits an existing one to these limits.
// bitrate is that of the source in bit/s; twice what it sends in two minutes is reserved on the server's disk.
// It defaults to 8 Mbit/s. While a cluster elects its leaders EnsureFeed keeps trying until ctx ends.
func (c *Conn) EnsureFeed(ctx context.Context, id string, bitrate int64) error {
	return c.persist(ctx, "the stream of feed "+id, func(ctx context.Context) error {
		return c.ensureFeed(ctx, id, bitrate)
	})
}

// ensureFeed tries once.
func (c *Conn) ensureFeed(ctx context.Context, id string, bitrate int64) error {
	if !pipeline.ValidID(id) {
		return fmt.Errorf("feed id %q is not valid", id)
	}
	config := feedStream(id, bitrate, c.replicas)
	_, err := c.js.CreateOrUpdateStream(ctx, config)
	if isNoRoom(err) {
		err = fmt.Errorf("the server's store has no %d MiB left to reserve: %w", config.MaxBytes>>20, err)
	}
	if err != nil {
		return fmt.Errorf("making the stream of feed %s: %w", id, err)
	}
	return nil
}

func feedStream(id string, bitrate int64, replicas int) jetstream.StreamConfig {
	if bitrate <= 0 {
		bitrate = defaultBitrate
	}
	return jetstream.StreamConfig{
		Name: streamName(id), Subjects: []string{subject(id, ">")},
		Storage: jetstream.FileStorage, Replicas: replicas,
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld,
		MaxAge: maxAge, MaxBytes: max(2*bitrate/8*int64(maxAge/time.Second), minStreamBytes), MaxMsgSize: maxPayload,
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
