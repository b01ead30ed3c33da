package main

import (
	"os"
	"slices"
	"strings"
	"syscall"
)

// awakeMonitor keeps the monitor of a Go runtime from sleeping without end whenever all goroutines wait, as they do between
// pictures and while libav's threads work. Each result or record would wake it for nothing, several hundred times a second,
// and it then looks every 20 µs for a while; tracing the scheduler, if only once in 24 days, it looks up 100 times a second
// instead. See docs/performance.md, "Overhead".
const awakeMonitor = "schedtrace=2147483647"

// rolesAwake are the commands that run for long with little to do at a time. A child is started so: see children.start.
var rolesAwake = []string{"serve", "ingest", "transcode", "origin", "demo", "bench-run", "bench-bus"}

// stayAwake begins this program again, in the same process, with its monitor awake: the runtime reads that at its start only.
// Where that cannot be, the program goes on as it is.
func stayAwake(args []string) {
	debug, set := awakened(os.Getenv("GODEBUG"))
	if len(args) == 0 || !slices.Contains(rolesAwake, args[0]) || set {
		return
	}
	self, err := os.Executable()
	if err != nil || os.Setenv("GODEBUG", debug) != nil {
		return
	}
	_ = syscall.Exec(self, os.Args, os.Environ()) // returns only if it fails
}

// awakened returns GODEBUG with the monitor awake, and whether it was set before: by us, or by who traces the scheduler.
func awakened(debug string) (with string, set bool) {
	if strings.Contains(debug, "schedtrace=") {
		return debug, true
	}
	if debug == "" {
		return awakeMonitor, false
	}
	return debug + "," + awakeMonitor, false
}
