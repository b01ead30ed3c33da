package bus

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
)

func TestDemandIsHeardOfItsFeedOnlyAndRubbishIsLeftOut(t *testing.T) {
	c := local(t)
	want := pipeline.Demand{"720p": {From: pipeline.Position{MSN: 1000, Part: 2}, Age: 3 * time.Second}}
	heard := make(chan pipeline.Demand, 16)
	enough := errors.New("heard")
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		done <- c.HearDemand(ctx, "lobby", func(d pipeline.Demand) error {
			heard <- d
			if len(heard) == 2 {
				return enough
			}
			return nil
		})
	}()
	until(t, "the subscription", func() bool {
		require.NoError(t, c.Demand("hall", pipeline.Demand{"1080p": {}}))
		require.NoError(t, c.nc.Publish(demandSubject+"lobby", []byte("{")))
		require.NoError(t, c.Demand("lobby", want))
		return len(heard) > 0
	})
	require.Equal(t, want, <-heard)
	require.NoError(t, c.Demand("lobby", want))
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		require.ErrorIs(t, err, enough)
	}
	require.Error(t, c.Demand("no feed", want))
}
