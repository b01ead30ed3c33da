package pipeline_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
)

func untilStopped(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestFirstStageToFailStopsTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("no such camera")
		stopped := false
		err := pipeline.Run(t.Context(),
			pipeline.Func("reader", func(ctx context.Context) error {
				defer func() { stopped = true }()
				return untilStopped(ctx)
			}),
			pipeline.Func("camera", func(context.Context) error { return broken }),
		)
		require.ErrorIs(t, err, broken)
		require.EqualError(t, err, "camera: no such camera")
		require.True(t, stopped, "Run waits for all stages")
	})
}

func TestRunEndsWhenAllStagesHaveEnded(t *testing.T) {
	done := func(context.Context) error { return nil }
	require.NoError(t, pipeline.Run(t.Context(), pipeline.Func("a", done), pipeline.Func("b", done)))
	require.NoError(t, pipeline.Run(t.Context()))
}

func TestStageThatEndsLeavesTheOthersRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := pipeline.NewQueue[int](1, 0, nil)
		sum := 0
		err := pipeline.Run(t.Context(),
			pipeline.Func("producer", func(ctx context.Context) error {
				defer q.Close()
				for i := range 5 {
					if err := q.Push(ctx, i, 1); err != nil {
						return err
					}
				}
				return nil
			}),
			pipeline.Func("consumer", func(ctx context.Context) error {
				for {
					v, err := q.Pop(ctx)
					if errors.Is(err, pipeline.ErrClosed) {
						return nil
					}
					if err != nil {
						return err
					}
					sum += v
				}
			}),
		)
		require.NoError(t, err)
		require.Equal(t, 10, sum)
	})
}

func TestCancelledRunReturnsTheContextsError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var err error
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			err = pipeline.Run(ctx, pipeline.Func("a", untilStopped), pipeline.Func("b", untilStopped))
		}()
		synctest.Wait()
		cancel()
		<-ended
		require.ErrorIs(t, err, context.Canceled)
	})
}
