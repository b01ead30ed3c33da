package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// processors tells how busy those processors are that this process may use, by whomever.
type processors struct {
	mine        map[string]bool // "cpu0" and so on
	idle, total float64         // when they were looked at last
}

func newProcessors() *processors {
	status, _ := os.ReadFile("/proc/self/status") // without it, elsewhere than on Linux, nothing is known
	p := &processors{mine: allowed(string(status))}
	p.busy()
	return p
}

// busy returns the share of time since the last call in which they were not idle; 0 when that is not known.
// Time that a hypervisor gave to others counts as busy (proc_stat(5)).
func (p *processors) busy() float64 {
	stat, _ := os.ReadFile("/proc/stat")
	idle, total := p.times(string(stat))
	wasIdle, wasTotal := p.idle, p.total
	p.idle, p.total = idle, total
	if total <= wasTotal {
		return 0
	}
	return 1 - (idle-wasIdle)/(total-wasTotal)
}

func (p *processors) times(stat string) (idle, total float64) {
	for line := range strings.Lines(stat) {
		fields := strings.Fields(line)
		if len(fields) < 9 || !p.mine[fields[0]] {
			continue
		}
		for i, f := range fields[1:9] { // user nice system idle iowait irq softirq steal; guests are in user
			n, _ := strconv.ParseFloat(f, 64)
			total += n
			if i == 3 || i == 4 {
				idle += n
			}
		}
	}
	return idle, total
}

// allowed reads Cpus_allowed_list, such as 0-3,8, of a status in /proc.
func allowed(status string) map[string]bool {
	mine := map[string]bool{}
	for line := range strings.Lines(status) {
		list, is := strings.CutPrefix(line, "Cpus_allowed_list:")
		if !is {
			continue
		}
		for piece := range strings.SplitSeq(strings.TrimSpace(list), ",") {
			from, to, ranged := strings.Cut(piece, "-")
			if !ranged {
				to = from
			}
			first, err1 := strconv.Atoi(from)
			last, err2 := strconv.Atoi(to)
			for n := first; err1 == nil && err2 == nil && n <= min(last, first+1<<16); n++ {
				mine["cpu"+strconv.Itoa(n)] = true
			}
		}
	}
	return mine
}

// ownTime returns the processor time of this process, without its children.
func ownTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
