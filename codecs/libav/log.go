package libav

/*
#include "native.h"
*/
import "C"

import (
	"context"
	"log/slog"
	"regexp"
	"runtime"
	"sync/atomic"

	"github.com/asticode/go-astiav"
)

// logQueue is the number of lines that wait for RunLog. When it is full, lines are dropped and counted.
const logQueue = 256

type logLine struct {
	level slog.Level
	text  string
}

var (
	logLines   = make(chan logLine, logQueue)
	logDropped atomic.Int64
)

// Without this, libav writes to standard error.
func init() { C.vc_log_install() } //nolint:gochecknoinits // libav must never write past us

// RunLog hands libav's warnings and errors to write, one at a time, until ctx is done.
// The C side lets at most 50 lines a second pass; passwords in URLs are masked. One RunLog per process.
func RunLog(ctx context.Context, write func(level slog.Level, line string)) error {
	for {
		select {
		case l := <-logLines:
			write(l.level, l.text)
		case <-ctx.Done():
			return nil
		}
	}
}

// LogDropped returns the number of log lines lost because RunLog was too slow, or not running.
func LogDropped() int64 { return logDropped.Load() }

// goLog is called on libav's threads: it may neither block nor call libav.
//
//export goLog
func goLog(level C.int, line *C.char) {
	select {
	case logLines <- logLine{logLevel(astiav.LogLevel(level)), mask(C.GoString(line))}:
	default:
		logDropped.Add(1)
	}
}

func logLevel(l astiav.LogLevel) slog.Level {
	switch {
	case l <= astiav.LogLevelError:
		return slog.LevelError
	case l <= astiav.LogLevelWarning:
		return slog.LevelWarn
	case l <= astiav.LogLevelInfo:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

var (
	userInfo = regexp.MustCompile(`://[^\s/]*@`)
	secret   = regexp.MustCompile(`(?i)\b(password|passwd|pwd|token|secret)=[^&\s]+`)
)

// mask hides the user information of URLs (RFC 3986 §3.2.1) and the usual secrets in their queries.
func mask(line string) string {
	return secret.ReplaceAllString(userInfo.ReplaceAllString(line, "://***@"), "$1=***")
}

// reasonOf runs open and returns its error together with libav's first error line, which then is not logged.
func reasonOf(open func() error) (reason string, err error) {
	// libav logs on the calling thread while it opens, so the capture is per thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	C.vc_log_capture()
	err = open()
	var line [1024]C.char
	if C.vc_log_captured(&line[0], C.int(len(line))) > 0 {
		return mask(C.GoString(&line[0])), err
	}
	if err != nil {
		return err.Error(), err
	}
	return "", nil
}
