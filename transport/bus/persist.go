package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/venuecast/venuecast/pipeline"
)

// persist calls f until JetStream is able to answer it, and says so once. Each call has a time limit of its own.
// A cluster that starts, or has lost a node, answers nothing until it has elected its leaders.
func (c *Conn) persist(ctx context.Context, what string, f func(context.Context) error) error {
	said := false
	for {
		limited, cancel := context.WithTimeout(ctx, requestTimeout)
		err := f(limited)
		cancel()
		switch {
		case err == nil && said:
			c.log.Info("JetStream is ready", "for", what)
			return nil
		case err == nil || !isUnsettled(err):
			return err
		case ctx.Err() != nil:
			return fmt.Errorf("%w (%w)", err, context.Cause(ctx))
		case !said:
			c.log.Warn("JetStream is not ready; retrying", "for", what, "error", err)
			said = true
		}
		if pipeline.Sleep(ctx, dialPause) != nil {
			return fmt.Errorf("%w (%w)", err, context.Cause(ctx))
		}
	}
}

// isUnsettled reports whether an error is one that passes when the cluster has its leaders and its nodes.
func isUnsettled(err error) bool {
	for _, passing := range []error{
		context.DeadlineExceeded, nats.ErrTimeout, nats.ErrNoResponders, nats.ErrDisconnected, nats.ErrReconnectBufExceeded,
		jetstream.ErrNoStreamResponse,
	} {
		if errors.Is(err, passing) {
			return true
		}
	}
	// JSClusterIncompleteErr, JSClusterNoPeersErr, JSClusterNotAvailErr, JSClusterNotLeaderErr.
	passing := []jetstream.ErrorCode{10004, 10005, 10008, 10009}
	var api *jetstream.APIError
	return errors.As(err, &api) && slices.Contains(passing, api.ErrorCode)
}
