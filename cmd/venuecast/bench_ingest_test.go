package main

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/cmd/internal/loadtest"
)

func TestBenchIngestMeasuresEveryCamera(t *testing.T) {
	cmd := exec.Command("venuecast", "bench", "ingest", "--cameras", "2", "--bitrate", "500000", "--settle", "100ms", "--seconds", "2", "--json")
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	require.NoError(t, err, "%s", complaints.String())
	var i loadtest.Intake
	require.NoError(t, json.Unmarshal(out, &i))
	require.Greater(t, i.Pictures, 20.0, "%s", out)
	require.Positive(t, i.Memory.Bus)
	require.Positive(t, i.Stored)
	require.Equal(t, 2, i.Readers)
	require.Positive(t, i.Late.Answers)
}
