package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
)

// endings is the names of stages as they end.
type endings chan string

// slow returns a stage that ends a while after it was told to.
func (o endings) slow(name string, takes time.Duration) pipeline.Stage {
	return pipeline.Func(name, func(ctx context.Context) error {
		<-ctx.Done()
		time.Sleep(takes)
		o <- name
		return ctx.Err()
	})
}

func (o endings) all() (names []string) {
	close(o)
	for name := range o {
		names = append(names, name)
	}
	return names
}

func TestRolesEndOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(endings, 8)
		greeted := pipeline.Func("hello", func(context.Context) error { return nil })
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		began := time.Now()
		err := runRoles(ctx, [][]pipeline.Stage{
			{ended.slow("metrics", time.Millisecond)},
			nil, // the bus has no stages
			{ended.slow("origin", 2*time.Second), ended.slow("self-check", time.Second)},
			{ended.slow("transcode", 3*time.Second)},
			{greeted}, // has long ended: nobody ends for that
		})
		require.NoError(t, err)
		require.Equal(t, []string{"transcode", "self-check", "origin", "metrics"}, ended.all())
		require.Equal(t, time.Minute+5*time.Second+time.Millisecond, time.Since(began))
	})
}

func TestARoleThatFailsEndsAllAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(endings, 8)
		broken := errors.New("broken")
		began := time.Now()
		err := runRoles(t.Context(), [][]pipeline.Stage{
			{ended.slow("origin", time.Second)},
			{pipeline.Func("ingest", func(context.Context) error { time.Sleep(time.Minute); return broken })},
			{ended.slow("transcode", 2*time.Second)},
		})
		require.ErrorIs(t, err, broken)
		require.EqualError(t, err, "ingest: broken")
		require.Equal(t, []string{"origin", "transcode"}, ended.all())
		require.Equal(t, time.Minute+2*time.Second, time.Since(began))
	})
}
