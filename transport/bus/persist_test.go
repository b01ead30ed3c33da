package bus

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
)

func TestPersistOutlastsAnElection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, calls := &Conn{log: testLog(t)}, 0
		failures := []error{nats.ErrNoResponders, &jetstream.APIError{Code: 503, ErrorCode: 10008}, context.DeadlineExceeded}
		err := c.persist(t.Context(), "a test", func(context.Context) error {
			calls++
			if calls <= len(failures) {
				return failures[calls-1]
			}
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, len(failures)+1, calls)
	})
}

func TestPersistGivesUpWhatDoesNotPass(t *testing.T) {
	c, permanent := &Conn{log: testLog(t)}, errors.New("permission denied")
	require.Equal(t, permanent, c.persist(t.Context(), "a test", func(context.Context) error { return permanent }))
}

func TestPersistEndsWithItsContextAndSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		c := &Conn{log: testLog(t)}
		err := c.persist(ctx, "a test", func(context.Context) error { return nats.ErrNoResponders })
		require.ErrorIs(t, err, nats.ErrNoResponders)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}
