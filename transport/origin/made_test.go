package origin

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAThingIsMadeOnceForAllWhoAskForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newMade(madeOptions{bytes: 100, atOnce: 1, waiting: 16, patience: time.Second})
		made, proceed := 0, make(chan struct{})
		work := func() ([]byte, error) { made++; <-proceed; return []byte("sheet"), nil }
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				data, err := c.get(t.Context(), "a", work)
				require.NoError(t, err)
				require.Equal(t, "sheet", string(data))
			})
		}
		synctest.Wait()
		close(proceed)
		all.Wait()
		require.Equal(t, 1, made)
	})
}

func TestThingsAreMadeOneAtATimeAndTooManyAreTurnedAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newMade(madeOptions{bytes: 1 << 20, atOnce: 1, waiting: 16, patience: time.Second})
		var working, refused atomic.Int64
		proceed := make(chan struct{})
		var all sync.WaitGroup
		for i := range 16 + 5 {
			all.Go(func() {
				_, err := c.get(t.Context(), fmt.Sprint(i), func() ([]byte, error) {
					require.EqualValues(t, 1, working.Add(1))
					<-proceed
					working.Add(-1)
					return []byte{1}, nil
				})
				if errors.Is(err, errBusy) {
					refused.Add(1)
				}
			})
		}
		synctest.Wait()
		require.EqualValues(t, 5, refused.Load())
		close(proceed)
		all.Wait()
		require.Zero(t, c.busy)
	})
}

func TestWhoWaitsTooLongForAThingIsToldSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newMade(madeOptions{bytes: 1 << 20, atOnce: 1, waiting: 16, patience: time.Second})
		proceed := make(chan struct{})
		var all sync.WaitGroup
		all.Go(func() { _, _ = c.get(t.Context(), "slow", func() ([]byte, error) { <-proceed; return []byte{1}, nil }) })
		synctest.Wait()
		_, err := c.get(t.Context(), "next", func() ([]byte, error) { t.Error("made"); return nil, nil })
		require.ErrorIs(t, err, context.DeadlineExceeded)
		close(proceed)
		all.Wait()
		require.Len(t, c.entries, 1, "what was not made is not kept")
	})
}

func TestThingsAreKeptWithinTheirBytes(t *testing.T) {
	c := newMade(madeOptions{bytes: 100, atOnce: 1, waiting: 16, patience: time.Second})
	made := 0
	get := func(key string) {
		_, err := c.get(t.Context(), key, func() ([]byte, error) { made++; return make([]byte, 40), nil })
		require.NoError(t, err)
	}
	for _, key := range []string{"a", "b", "a", "c", "a"} { // b is the one that was not asked for longest
		get(key)
	}
	require.Equal(t, 3, made)
	require.EqualValues(t, 80, c.kept)
	require.Len(t, c.entries, 2)
	get("b")
	require.Equal(t, 4, made)

	_, err := c.get(t.Context(), "bad", func() ([]byte, error) { return nil, errors.New("bad") })
	require.Error(t, err)
	get("bad")
	require.Equal(t, 5, made, "a failure is not kept")
}
