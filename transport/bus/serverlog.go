package bus

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
)

// serverLog hands the server's log lines on, and keeps its first fatal error instead of ending the process.
type serverLog struct {
	logger *slog.Logger
	failed atomic.Pointer[string]
}

func (l *serverLog) fatal() error {
	if s := l.failed.Load(); s != nil {
		return errors.New(*s)
	}
	return nil
}

func (l *serverLog) Fatalf(format string, v ...any) {
	s := fmt.Sprintf(format, v...)
	l.failed.CompareAndSwap(nil, &s)
	l.logger.Error(s, "from", "nats-server")
}

func (l *serverLog) Errorf(format string, v ...any) {
	l.logger.Error(fmt.Sprintf(format, v...), "from", "nats-server")
}

func (l *serverLog) Warnf(format string, v ...any) {
	if strings.HasPrefix(format, "Plaintext passwords") {
		return // the only one is random, made at each start, and of use on the loopback interface only
	}
	l.logger.Warn(fmt.Sprintf(format, v...), "from", "nats-server")
}

// Noticef: what the server finds worth a notice, start and stop of its parts, is detail here.
func (l *serverLog) Noticef(format string, v ...any) {
	l.logger.Debug(fmt.Sprintf(format, v...), "from", "nats-server")
}

// Debugf and Tracef are switched off in the server.
func (l *serverLog) Debugf(string, ...any) {}

// Tracef is switched off in the server.
func (l *serverLog) Tracef(string, ...any) {}
