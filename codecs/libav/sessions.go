//go:build cgo

package libav

import (
	"strings"
	"sync"
)

// Session is a use of a device. Drivers bound the number of them: consumer cards some few encoders.
type Session struct {
	Device string // "cuda", "vaapi" or "qsv"
	Kind   string // "decode" or "encode"
}

const (
	sessionDecode = "decode"
	sessionEncode = "encode"
)

var sessions = struct {
	sync.Mutex
	open map[Session]int64
}{open: map[Session]int64{}}

func countSession(device, kind string, n int64) {
	sessions.Lock()
	defer sessions.Unlock()
	sessions.open[Session{device, kind}] += n
}

// Sessions returns how many sessions of this process are open on each device that it has used.
func Sessions() map[Session]int64 {
	sessions.Lock()
	defer sessions.Unlock()
	all := make(map[Session]int64, len(sessions.open))
	for s, n := range sessions.open {
		all[s] = n
	}
	return all
}

// deviceOf returns the device of an encoder by its name, empty for one that works on the processor.
func deviceOf(encoder string) string {
	for suffix, device := range map[string]string{"_nvenc": "cuda", "_vaapi": "vaapi", "_qsv": "qsv"} {
		if strings.HasSuffix(encoder, suffix) {
			return device
		}
	}
	return ""
}
