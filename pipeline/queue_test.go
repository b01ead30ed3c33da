package pipeline_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
)

func TestQueueIsFirstInFirstOut(t *testing.T) {
	q := pipeline.NewQueue[int](3, 0, nil)
	for i := range 3 {
		require.True(t, q.TryPush(i, 1))
	}
	require.Equal(t, 3, q.Len())
	for i := range 3 {
		got, err := q.Pop(t.Context())
		require.NoError(t, err)
		require.Equal(t, i, got)
	}
	require.Zero(t, q.Len())
}

func TestQueueIsBoundedByItemsAndByWeight(t *testing.T) {
	for _, c := range []struct {
		name      string
		maxItems  int
		maxWeight int64
		weights   []int64
		taken     []bool
	}{
		{"items", 2, 0, []int64{9, 9, 9}, []bool{true, true, false}},
		{"weight", 10, 20, []int64{10, 10, 1}, []bool{true, true, false}},
		{"a light one after one that is too heavy", 10, 20, []int64{15, 10, 5}, []bool{true, false, true}},
		{"an empty queue takes any", 10, 20, []int64{100, 1}, []bool{true, false}},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := pipeline.NewQueue[int](c.maxItems, c.maxWeight, nil)
			for i, w := range c.weights {
				require.Equal(t, c.taken[i], q.TryPush(i, w), "item %d", i)
			}
		})
	}
}

func TestWeightIsFreedWhenAnItemIsTaken(t *testing.T) {
	q := pipeline.NewQueue[int](10, 20, nil)
	require.True(t, q.TryPush(1, 20))
	require.False(t, q.TryPush(2, 1))
	_, err := q.Pop(t.Context())
	require.NoError(t, err)
	require.True(t, q.TryPush(2, 20))
}

func TestPushWaitsForRoomAndPopForAnItem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := pipeline.NewQueue[int](1, 0, nil)
		var pushed, popped sync.WaitGroup
		pushed.Go(func() {
			for i := range 3 {
				if err := q.Push(t.Context(), i, 1); err != nil {
					t.Error(err)
				}
			}
		})
		synctest.Wait()
		require.Equal(t, 1, q.Len(), "the second item waits")
		popped.Go(func() {
			for i := range 4 {
				if got, err := q.Pop(t.Context()); err != nil || got != i {
					t.Errorf("got %d, %v, want %d", got, err, i)
				}
			}
		})
		synctest.Wait()
		pushed.Wait()
		require.Zero(t, q.Len(), "the last Pop waits")
		require.True(t, q.TryPush(3, 1))
		popped.Wait()
	})
}

func TestClosedQueueIsEmptiedAndTakesNothing(t *testing.T) {
	q := pipeline.NewQueue[int](3, 0, nil)
	require.True(t, q.TryPush(1, 1))
	q.Close()
	require.False(t, q.TryPush(2, 1))
	require.ErrorIs(t, q.Push(t.Context(), 2, 1), pipeline.ErrClosed)
	got, err := q.Pop(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, got)
	_, err = q.Pop(t.Context())
	require.ErrorIs(t, err, pipeline.ErrClosed)
}

func TestDiscardReleasesEveryItemOnce(t *testing.T) {
	released := map[string]int{}
	q := pipeline.NewQueue(3, 0, func(s string) { released[s]++ })
	for _, s := range []string{"taken", "left", "left too"} {
		require.True(t, q.TryPush(s, 1))
	}
	_, err := q.Pop(t.Context())
	require.NoError(t, err)
	q.Discard()
	q.Discard()
	require.Equal(t, map[string]int{"left": 1, "left too": 1}, released)
	require.False(t, q.TryPush("late", 1))
	_, err = q.Pop(t.Context())
	require.ErrorIs(t, err, pipeline.ErrClosed)
}

func TestWaitingEndsWithCloseAndWithTheContext(t *testing.T) {
	gone := errors.New("gone")
	for _, c := range []struct {
		name     string
		end      func(q *pipeline.Queue[int], cancel context.CancelCauseFunc)
		expected error
	}{
		{"close", func(q *pipeline.Queue[int], _ context.CancelCauseFunc) { q.Close() }, pipeline.ErrClosed},
		{"discard", func(q *pipeline.Queue[int], _ context.CancelCauseFunc) { q.Discard() }, pipeline.ErrClosed},
		{"context", func(_ *pipeline.Queue[int], cancel context.CancelCauseFunc) { cancel(gone) }, gone},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				empty, full := pipeline.NewQueue[int](1, 0, nil), pipeline.NewQueue[int](1, 0, nil)
				require.True(t, full.TryPush(1, 1))
				var wait sync.WaitGroup
				var popErr, pushErr error
				wait.Go(func() { _, popErr = empty.Pop(ctx) })
				wait.Go(func() { pushErr = full.Push(ctx, 2, 1) })
				synctest.Wait()
				c.end(empty, cancel)
				c.end(full, cancel)
				wait.Wait()
				require.ErrorIs(t, popErr, c.expected)
				require.ErrorIs(t, pushErr, c.expected)
			})
		})
	}
}

func TestNothingIsLostBetweenManyProducersAndConsumers(t *testing.T) {
	const producers, each = 4, 500
	q := pipeline.NewQueue[int](3, 10, nil)
	var in, out sync.WaitGroup
	var mu sync.Mutex
	seen := map[int]int{}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for p := range producers {
		in.Go(func() {
			for i := range each {
				if err := q.Push(ctx, p*each+i, int64(i%7)); err != nil {
					t.Error(err)
				}
			}
		})
		out.Go(func() {
			for {
				v, err := q.Pop(ctx)
				if err != nil {
					return
				}
				mu.Lock()
				seen[v]++
				mu.Unlock()
			}
		})
	}
	in.Wait()
	q.Close()
	out.Wait()
	require.Len(t, seen, producers*each)
	for v, n := range seen {
		require.Equal(t, 1, n, "item %d", v)
	}
}

func TestTryPopTakesTheOldestAndDoesNotWait(t *testing.T) {
	q := pipeline.NewQueue[int](2, 0, nil)
	_, ok := q.TryPop()
	require.False(t, ok)
	require.True(t, q.TryPush(1, 0))
	require.True(t, q.TryPush(2, 0))
	v, ok := q.TryPop()
	require.True(t, ok)
	require.Equal(t, 1, v)
	require.True(t, q.TryPush(3, 0), "there is room again")
}
