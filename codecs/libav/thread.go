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

// thread runs calls of libav, one at a time and in order, on a thread that Go knows nothing of. A call takes milliseconds. On one
// of Go's threads it would hold a processor of Go's scheduler; the runtime's monitor then wakes as often as every 20 µs to take
// that away: see docs/performance.md.
//
// Who has taken a thread posts calls, up to depth, and then either waits, as for a socket, or does something else and asks later
// whether they are done. Only who waits is woken: that costs more than all the rest of a call's way. A call brings out all that
// libav has made of its input (VCPackets, VCFrames); until it is done, what it points to is the thread's, and must be C's memory.
// When a call fails, those after it do not run.
type thread struct {
	native *C.VCThread
	file   *os.File // owns the event
	event  syscall.RawConn
}

// depth is how many calls may be out.
const depth = C.VC_DEPTH

// idle holds the threads that nobody has taken. There are as many in all as were taken at once, up to now.
var idle struct {
	sync.Mutex
	threads []*thread
}

// onThread makes one call and returns its result.
func onThread(call C.VCCall) C.int {
	t := takeThread()
	defer t.putBack()
	t.post(call)
	return t.wait().code
}

// putBack gives up a thread, of which no call may be out.
func (t *thread) putBack() {
	idle.Lock()
	defer idle.Unlock()
	idle.threads = append(idle.threads, t)
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

// post has the thread make a call after those that are out, which must be fewer than depth.
func (t *thread) post(call C.VCCall) { C.vc_thread_post(t.native, call) }

// done reports whether no call is out.
func (t *thread) done() bool { return C.vc_thread_done(t.native, 0) != 0 }

// wait waits until no call is out. It returns the code of the last, or of that which failed and how many were left out after it.
func (t *thread) wait() C.VCResult {
	// Read asks before it waits, and again after each event, so none is lost.
	err := t.event.Read(func(uintptr) bool { return C.vc_thread_done(t.native, 1) != 0 })
	if err != nil {
		panic(fmt.Sprintf("libav: waiting for a thread: %v", err))
	}
	return C.vc_thread_result(t.native)
}

// Spent returns the processor time that this process has spent decoding, scaling and encoding pictures, since its start.
// Threads that a codec starts by itself are not seen.
func Spent() (decode, scale, encode time.Duration) {
	spent := func(work C.int) time.Duration { return time.Duration(C.vc_spent(work)) }
	return spent(C.VC_DECODE), spent(C.VC_SCALE) + spent(C.VC_CARD), spent(C.VC_ENCODE)
}
