package main

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOnlyTheProcessorsThatMayBeUsedCount(t *testing.T) {
	p := &processors{mine: allowed("Name:\tx\nCpus_allowed_list:\t1,4-5\n")}
	require.Equal(t, []string{"cpu1", "cpu4", "cpu5"}, slices.Sorted(maps.Keys(p.mine)))
	idle, total := p.times("cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 9 9 9 9 9 9 9 9 0 0\ncpu1 1 2 3 40 5 6 7 8 9 9\ncpu4 1 0 0 10 0 0 0 0 0 0\nintr 1\n")
	require.InDelta(t, 55, idle, 0)
	require.InDelta(t, 83, total, 0)
}

func TestWhereNothingIsToldNothingIsBusy(t *testing.T) {
	p := &processors{mine: allowed("Cpus_allowed_list:\tx-y,3-\n")}
	require.Empty(t, p.mine)
	require.Zero(t, p.busy())
}
