package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheBudgetIsTheMedian(t *testing.T) {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	m := measured{}
	m.budget([]float64{3, 1.9, 1.8, 1.7, 1.6}, account{at: began, parts: 10, late: 4, idle: 100},
		account{at: began.Add(10 * time.Second), part: 0.32, parts: 110, late: 44, idle: 107})
	require.InDelta(t, 1.8, m.Median, 1e-9)
	require.InDelta(t, 3, m.P95, 1e-9)
	require.InDelta(t, 0.4, m.ToOrigin, 1e-9)
	require.InDelta(t, m.Median, m.Part/2+m.ToOrigin+m.Player, 1e-9)
	require.InDelta(t, 0.7, m.Idle, 1e-9)
	require.Equal(t, 5, m.Samples)
	require.Contains(t, latencyTable([]measured{m}), "1.80/3.00 s")
}

func TestAModeWithoutASingleReadablePictureHasNoFigures(t *testing.T) {
	m := measured{}
	m.budget(nil, account{}, account{parts: 5})
	require.Equal(t, measured{}, m)
}

// TestOnlyPicturesAfterJoiningCount: while a player finds its place its pictures are older.
func TestOnlyPicturesAfterJoiningCount(t *testing.T) {
	r := newRecorder()
	began := r.began
	for i := range 100 {
		at := began.Add(time.Duration(i) * 100 * time.Millisecond)
		age := 5 * time.Second
		if i > 60 {
			age = 2 * time.Second
		}
		r.add(sample{at: at, position: float64(i) / 10, decoded: 2 * i, captured: at.Add(-age)})
	}
	m := measured{}
	ages := m.add(&player{name: "any"}, r)
	require.NotEmpty(t, ages)
	for _, age := range ages {
		require.InDelta(t, 2, age, 1e-9)
	}
	require.Equal(t, []float64{2}, m.Joins)
	require.Zero(t, m.Stalls)
}

func TestAMetricIsFoundByItsNameAndLabels(t *testing.T) {
	const text = "# HELP a_sum x\na_sum{feed=\"cam\",rendition=\"180p\"} 3\na_sum{feed=\"cam\",rendition=\"360p\"} 4.5e-1\n"
	got, err := sampled(text, `a_sum{feed="cam",rendition="360p"}`)
	require.NoError(t, err)
	require.InDelta(t, 0.45, got, 1e-9)
	_, err = sampled(text, "a_sum")
	require.Error(t, err)
}

func TestShortJoinsAreRefused(t *testing.T) {
	for _, args := range [][]string{{"--latency", "--join-time", "3s"}, {"--latency", "--joins", "0"}} {
		_, err := parse(args)
		require.Error(t, err, args)
	}
	require.ErrorContains(t, measureLatency(t.Context(), options{modes: "warp"}), `there is no mode "warp"`)
}
