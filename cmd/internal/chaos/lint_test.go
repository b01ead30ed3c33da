//go:build cgo

package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/cmd/internal/lint"
	"github.com/venuecast/venuecast/pipeline/rules"
)

func violation(t *testing.T, id, line string) *rules.Violation {
	t.Helper()
	rule, ok := rules.Find(id)
	require.True(t, ok, id)
	return &rules.Violation{Rule: rule, URL: "http://origin/live/cam/360p/index.m3u8?_HLS_msn=7", Lines: []string{line}}
}

func watched() *lintRun {
	r := newLintRun(&experiment{})
	for _, tree := range linted {
		r.seen[tree] = lint.Seen{rules.MediaSegment: 5}
	}
	return r
}

// TestOnlyRefusedRequestsAreExcusedByTheOriginsAbsence: any other rule holds then, too, and all of them before and after.
func TestOnlyRefusedRequestsAreExcusedByTheOriginsAbsence(t *testing.T) {
	r := watched()
	r.found("live", violation(t, "media-unavailable", "a"))
	require.Error(t, r.verdict(), "the origin is there")

	r = watched()
	r.away(true)
	r.found("live", violation(t, "media-unavailable", "a"))
	r.found("live", violation(t, "playlist-unavailable", "b"))
	require.NoError(t, r.verdict())
	require.Equal(t, 2, r.refused)
	r.found("live", violation(t, "media-sequence-back", "c"))
	require.Error(t, r.verdict())
}

func TestAStandingViolationCountsOnceAndAdviceFailsNothing(t *testing.T) {
	r := watched()
	for range 3 {
		r.found("dvr", violation(t, "part-late", "a"))
	}
	r.found("dvr", violation(t, "part-late", "b"))
	require.NoError(t, r.verdict())
	require.Equal(t, 2, r.count("dvr", rules.Should))
	require.Zero(t, r.count("live", rules.Should))
	require.Contains(t, r.table(time.Minute), "2 × SHOULD  part-late")
}

func TestNothingSeenIsNoProof(t *testing.T) {
	require.ErrorContains(t, newLintRun(&experiment{}).verdict(), "no segment")
}

func TestAShortWatchIsRefused(t *testing.T) {
	require.ErrorContains(t, lintLive(t.Context(), t.TempDir(), binaries{}, time.Minute, nil), "want 1m10s at least")
}
