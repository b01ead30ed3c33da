package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/venuecast/venuecast/pipeline"
)

// Retire takes away a feed that is me's by the claim with that epoch: the description is deleted, by which workers know, its
// stream is deleted, and it is nobody's, so that whoever lists it still may define it again at once. What is done already is not done
// again. pipeline.ErrFenced means that another has taken over, whose the feed is then.
func (r *Registry) Retire(ctx context.Context, feed, me string, epoch uint64) error {
	a, err := r.Assignment(ctx, feed)
	if err != nil {
		return err
	}
	if a.Owner != me || a.Epoch != epoch {
		return fmt.Errorf("retiring feed %s: %w", feed, pipeline.ErrFenced)
	}
	buried, err := r.bury(ctx, feed)
	if err != nil {
		return err
	}
	if err := r.conn.deleteFeed(ctx, feed); err != nil {
		return err
	}
	err = r.Release(ctx, feed, me, epoch)
	if !errors.Is(err, pipeline.ErrFenced) || buried == nil {
		return err
	}
	// It was taken over meanwhile, and may have been found defined.
	former, again := readFeed(feed, buried)
	if again == nil {
		_, _, again = r.PutFeed(ctx, former)
	}
	return errors.Join(err, again)
}

// bury puts a delete marker in the place of a feed's description, which stays in it: see PutFeed. It returns what was there, nil
// when nothing was.
func (r *Registry) bury(ctx context.Context, feed string) (description []byte, err error) {
	v, err := r.get(ctx, configBucket, feed)
	if err != nil || v.data == nil {
		return nil, err
	}
	m := nats.NewMsg("$KV." + configBucket + "." + feed)
	m.Header.Set(operationHeader, "DEL")
	m.Header.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(v.revision, 10))
	m.Data = v.data
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if _, err := r.conn.js.PublishMsg(ctx, m, jetstream.WithRetryAttempts(0)); err != nil {
		return nil, fmt.Errorf("deleting the description of feed %s: %w", feed, err)
	}
	return v.data, nil
}

// deleteFeed deletes the stream of a feed: the server's disk has room reserved for it.
func (c *Conn) deleteFeed(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	err := c.js.DeleteStream(ctx, streamName(id))
	if err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("deleting the stream of feed %s: %w", id, err)
	}
	return nil
}

// Assigned returns the ids of the feeds that are a worker's.
func (r *Registry) Assigned(ctx context.Context, worker string) (ids []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, relistInterval)
	defer cancel()
	w, err := r.assign.WatchAll(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing the assignments: %w", err)
	}
	defer func() { _ = w.Stop() }() // fails only if the connection is closed, and then it is gone
	err = present(ctx, w, func(entry jetstream.KeyValueEntry) {
		if a, err := readAssignment(entry.Key(), entry.Value()); err == nil && a.Owner == worker {
			ids = append(ids, entry.Key())
		}
	})
	if err != nil {
		return nil, fmt.Errorf("listing the assignments: %w", err)
	}
	return ids, nil
}
