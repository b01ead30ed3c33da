//go:build cgo

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/cmd/internal/bench"
	"github.com/venuecast/venuecast/codecs/libav"
)

func TestHardwareIsGivenUpStepByStep(t *testing.T) {
	card, encoder := fmt.Errorf("decoding: %w", libav.ErrCard), fmt.Errorf("encoding: %w", libav.ErrDevice)
	for _, c := range []struct {
		errs             []error
		goesOn           []bool
		memory, software bool
	}{
		{[]error{card, card}, []bool{true, true}, true, true}, // whatever fails then is not the card
		{[]error{card, encoder, encoder}, []bool{true, true, false}, true, true},
		{[]error{encoder, card}, []bool{true, false}, false, true},
		{[]error{errors.New("another"), card}, []bool{false, true}, true, false},
	} {
		h := newHardware(slog.New(slog.DiscardHandler), prometheus.NewRegistry(), false)
		for i, err := range c.errs {
			require.Equal(t, c.goesOn[i], h.stepDown("court-1", err), "%v", err)
		}
		require.Equal(t, []bool{c.memory, c.software}, []bool{h.memory, h.software}, "%v", c.errs)
		require.Nil(t, h.use())
	}
}

func TestHardwareThatIsNotWantedIsNotTried(t *testing.T) {
	h := newHardware(slog.New(slog.DiscardHandler), prometheus.NewRegistry(), true)
	require.Nil(t, h.use())
	require.False(t, h.stepDown("court-1", libav.ErrDevice))
	tried := true
	h.opening.Do(func() { tried = false })
	require.False(t, tried)
}

// A stand-in for the driver decodes, and then fails in the middle. The bench makes sure itself that no picture is missing.
func TestAFeedGoesOnWithoutACardThatFails(t *testing.T) {
	tools := os.Getenv("VENUECAST_FFMPEG")
	if tools == "" {
		t.Skip("VENUECAST_FFMPEG is not set: source scripts/env.sh")
	}
	dir := t.TempDir()
	needTool(t, "cc")
	driver := filepath.Join(dir, "libcuda.so.1")
	out, err := exec.Command("cc", "-shared", "-fPIC", "-o", driver, "../../codecs/libav/testdata/card/driver.c").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, os.Symlink("libcuda.so.1", filepath.Join(dir, "libnvcuvid.so.1")))
	clip := filepath.Join(dir, "clip.mp4")
	out, err = exec.Command(filepath.Join(tools, "ffmpeg"), "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=4",
		"-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "25", "-pix_fmt", "yuv420p", clip).CombinedOutput()
	require.NoError(t, err, "%s", out)
	for fails, runsOn := range map[string]string{
		"":   "^decoder cuda, scaler (cuda|software), 360p libx264$", // by this build of FFmpeg
		"60": "^decoder software, scaler software, 360p libx264$",
	} {
		cmd := exec.Command("venuecast", "bench", "ladder", "--file", clip, "--seconds", "4", "--runs", "1", "--json")
		cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+dir, "FAKE_CARD_FAILS="+fails)
		out, err := cmd.Output()
		require.NoError(t, err, "%s", out)
		var report bench.Report
		require.NoError(t, json.Unmarshal(out, &report))
		require.Regexp(t, runsOn, report.RunsOn)
	}
}
