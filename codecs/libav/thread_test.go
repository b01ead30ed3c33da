//go:build cgo

package libav

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCallsAtOnceHaveThreadsOfTheirOwnThatAreUsedAgain(t *testing.T) {
	const calls = 4
	p := pattern(t, 640, 360, 0)
	defer p.Release()
	scale := func(times int) {
		s := openTestScaler(t, 320, 180)
		for range times {
			small, err := s.Scale(p)
			require.NoError(t, err)
			small.Release()
		}
	}
	threads := func() int {
		idle.Lock()
		defer idle.Unlock()
		return len(idle.threads)
	}
	there := threads()
	_, before, _ := Spent()
	for range 3 {
		var all sync.WaitGroup
		for range calls {
			all.Go(func() { scale(20) })
		}
		all.Wait()
	}
	_, after, _ := Spent()
	require.Greater(t, after, before)
	require.NotZero(t, threads())
	require.LessOrEqual(t, threads(), max(there, calls), "threads are used again")
}
