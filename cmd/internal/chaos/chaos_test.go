//go:build cgo

package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestNothingIsLost is the short form of the suite: real processes, some of the faults, each once.
func TestNothingIsLost(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, command(t.Context(), []string{"-short", "-dir", dir, "-out", filepath.Join(dir, "chaos.json")}))
}

func TestUnknownFaultsAreRefused(t *testing.T) {
	err := command(t.Context(), []string{"-faults", "earthquake", "-dir", t.TempDir()})
	require.ErrorContains(t, err, `there is no fault "earthquake"`)
}
