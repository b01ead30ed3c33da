package libav

/*
#include "native.h"
*/
import "C"

import (
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

// thread runs one call of libav at a time, on a thread that Go knows nothing of. A call takes milliseconds. On one of Go's
// threads it would hold a processor of Go's scheduler; the runtime's monitor then wakes as often as every 20 µs to take that
// away: see docs/performance.md. The goroutine waits for an event, as it would for a socket.
type thread struct {
	native *C.VCThread
	file   *os.File // owns the event
	event  syscall.RawConn
}

// idle holds the threads that run nothing. There are as many as there were calls at once, up to now.
var idle struct {
	sync.Mutex
	threads []*thread
}

// onThread makes a call and returns its result. What the call points to must be C's memory.
func onThread(call C.VCCall) C.int {
	t := takeThread()
	code := t.run(call)
	idle.Lock()
	idle.threads = append(idle.threads, t)
	idle.Unlock()
	return code
}

// takeThread returns the thread that became idle last, whose memory is the warmest, or a new one.
func takeThread() *thread {
	idle.Lock()
	defer idle.Unlock()
	if n := len(idle.threads); n > 0 {
		t := idle.threads[n-1]
		idle.threads = idle.threads[:n-1]
		return t
	}
	return newThread()
}

// newThread starts a thread. A process that can start none is at its end: Go's runtime would stop it for the same reason.
func newThread() *thread {
	t := &thread{}
	var event C.int
	if err := failed(C.vc_thread_start(&t.native, &event)); err != nil {
		panic(fmt.Sprintf("libav: starting a thread: %v", err))
	}
	t.file = os.NewFile(uintptr(event), "libav")
	var err error
	if t.event, err = t.file.SyscallConn(); err != nil {
		panic(fmt.Sprintf("libav: waiting for a thread: %v", err))
	}
	return t
}

func (t *thread) run(call C.VCCall) (code C.int) {
	posted := false
	// Read asks before it waits, and again after each event. Posting at the first question loses none.
	err := t.event.Read(func(uintptr) bool {
		if !posted {
			C.vc_thread_post(t.native, call)
			posted = true
			return false
		}
		return C.vc_thread_done(t.native, &code) != 0
	})
	if err != nil {
		panic(fmt.Sprintf("libav: waiting for a thread: %v", err))
	}
	return code
}

// Spent returns the processor time that this process has spent decoding, scaling and encoding pictures, since its start.
// Threads that a codec starts by itself are not seen.
func Spent() (decode, scale, encode time.Duration) {
	spent := func(work C.int) time.Duration { return time.Duration(C.vc_spent(work)) }
	return spent(C.VC_DECODE), spent(C.VC_SCALE) + spent(C.VC_CARD), spent(C.VC_ENCODE)
}
