//go:build cgo

package libav

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/asticode/go-astiav"
	"github.com/stretchr/testify/require"
)

// logged returns the lines that libav logs while act runs.
func logged(t *testing.T, act func()) []string {
	for len(logLines) > 0 {
		<-logLines
	}
	act()
	ctx, cancel := context.WithCancel(t.Context())
	if len(logLines) == 0 {
		cancel()
	}
	var lines []string
	require.NoError(t, RunLog(ctx, func(_ slog.Level, line string) {
		lines = append(lines, line)
		if len(logLines) == 0 {
			cancel()
		}
	}))
	cancel()
	return lines
}

func TestLogMasksPasswords(t *testing.T) {
	for line, want := range map[string]string{
		"opening rtsp://admin:pa@ss@10.0.0.1/live": "opening rtsp://***@10.0.0.1/live",
		"http://h/x?user=a&password=b&c=d failed":  "http://h/x?user=a&password=***&c=d failed",
		"plain line, mail@host":                    "plain line, mail@host",
	} {
		require.Equal(t, want, mask(line))
	}
	lines := logged(t, func() { astiav.Log(nil, astiav.LogLevelError, "rtsp://u:p@camera: refused") })
	require.Equal(t, []string{"rtsp://***@camera: refused"}, lines)
}

func TestLogKeepsQuietBelowWarning(t *testing.T) {
	require.Empty(t, logged(t, func() { astiav.Log(nil, astiav.LogLevelInfo, "chatter") }))
}

func TestLogLinesAreBounded(t *testing.T) {
	lines := logged(t, func() { astiav.Log(nil, astiav.LogLevelError, strings.Repeat("x", 5000)) })
	require.Len(t, lines, 1)
	require.Less(t, len(lines[0]), 1024)
}

func TestLogRateIsLimited(t *testing.T) {
	lines := logged(t, func() {
		for range 1000 {
			astiav.Log(nil, astiav.LogLevelError, "again")
		}
	})
	// At most 50 in each of the two seconds that this may touch.
	require.LessOrEqual(t, len(lines), 100)
}

func TestReasonIsTheFirstErrorLine(t *testing.T) {
	reason := ""
	lines := logged(t, func() {
		reason, _ = reasonOf(func() error {
			astiav.Log(nil, astiav.LogLevelWarning, "hm")
			astiav.Log(nil, astiav.LogLevelError, "no device\n")
			astiav.Log(nil, astiav.LogLevelError, "cannot init")
			return astiav.ErrEio
		})
	})
	require.Equal(t, "no device", reason)
	require.Empty(t, lines)
}
