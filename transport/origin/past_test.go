package origin

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestInstantsAreReadAsPeopleWriteThem(t *testing.T) {
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-11-22T12:00:00Z":      noon,
		"2026-11-22T12:00:00.04Z":   noon.Add(40 * time.Millisecond),
		"2026-11-22T13:00:00+01:00": noon,
		"2026-11-22T13:00:00 01:00": noon,
		"1795348800":                noon,
		"1795348800.04":             noon.Add(40 * time.Millisecond),
	} {
		got, err := parseInstant(text)
		require.NoError(t, err, text)
		require.True(t, want.Equal(got), "%s: %v", text, got)
	}
	for _, text := range []string{"", "now", "2026-11-22", "NaN", "Inf", "1e300", "-1e300", "12:00"} {
		_, err := parseInstant(text)
		require.Error(t, err, text)
	}
}
