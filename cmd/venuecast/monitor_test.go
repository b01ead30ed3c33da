package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheMonitorIsKeptAwakeBesidesWhatGODEBUGSays(t *testing.T) {
	for _, c := range []struct {
		debug, with string
		set         bool
	}{
		{"", awakeMonitor, false},
		{"gctrace=1", "gctrace=1," + awakeMonitor, false},
		{awakeMonitor, awakeMonitor, true},
		{"gctrace=1,schedtrace=1000", "gctrace=1,schedtrace=1000", true},
	} {
		with, set := awakened(c.debug)
		require.Equal(t, c.with, with)
		require.Equal(t, c.set, set)
	}
}

func TestAProgramThatIsAwakeGoesOn(t *testing.T) {
	t.Setenv("GODEBUG", awakeMonitor)
	stayAwake([]string{"serve"}) // would begin the tests again
}
