package live

import (
	"errors"
	"sync/atomic"
	"time"
)

// bounds is what keeps the store within its bytes, and some of its file system free: then what is oldest goes, whichever
// feed's it is. But for the atomics it belongs to the goroutine that fills the store.
type bounds struct {
	bytes  atomic.Int64 // of what is in the store
	free   atomic.Int64 // of the file system, when it was last asked; negative: not known
	spared atomic.Int64 // of those, how many are to be left

	volume   Volume    // nil when the store does not know
	measured time.Time // when it was last asked
	lack     int64     // what it was short of then, less what was removed since
	inVain   time.Time // when a write last failed for want of space in spite of what was removed for it
	behind   bool      // there is more to remove than one write may wait for
	feeds    func() []*Feed
	ages     byAge
	aged     time.Time // when ages was made
}

const (
	// measureEach is how often the file system is asked for its free space.
	measureEach = time.Second
	// maxArrears bounds how often a write waits for removals beyond those that make room for itself. So what is newest is
	// not lost to a full queue while much is removed, after the bounds were made smaller, say.
	maxArrears = 4
	// A volume is left free to a twentieth, and to mostFree at most, unless Options say.
	mostFree     = 5_000_000_000
	freeFraction = 20
)

// StoreState is how full the store is, in bytes.
type StoreState struct {
	Bytes, Limit    int64 // what is in it, and may be
	Free, FreeLimit int64 // what the file system has left, and should have. Free is negative when that is not known
}

// StoreState returns how full the store is.
func (fs *Feeds) StoreState() StoreState {
	a := fs.archive
	return StoreState{Bytes: a.bytes.Load(), Limit: a.opts.StoreBytes, Free: a.free.Load(), FreeLimit: a.spared.Load()}
}

// makeRoom removes what is oldest as far as the bounds ask for before size bytes are written.
func (a *archive) makeRoom(size int64) {
	a.measure()
	a.behind = false
	if over := a.bytes.Load() + size - a.opts.StoreBytes; over > 0 {
		a.shed(over, size, removedForBytes)
	}
	if a.lack > 0 {
		a.shed(a.lack, size, removedForSpace)
	}
}

// measure asks the file system for its free space, once in a while.
func (a *archive) measure() {
	now := a.opts.Now()
	if a.volume == nil || now.Sub(a.measured) < measureEach {
		return
	}
	a.measured, a.lack = now, 0
	free, size, err := a.volume.Space()
	if err != nil {
		a.free.Store(-1)
		return
	}
	spared := a.opts.StoreFree
	defaultTo(&spared, min(size/freeFraction, mostFree))
	a.free.Store(free)
	a.spared.Store(spared)
	a.lack = max(0, spared-free)
}

// clear removes what is oldest for size bytes that could not be written, and reports whether to try again. It does not do so for
// a while after that was in vain: then something else takes the space.
func (a *archive) clear(size int64) bool {
	return a.opts.Now().Sub(a.inVain) >= measureEach && a.shed(size, size, removedForSpace) > 0
}

// clearedInVain notes it if there was no space after clear either.
func (a *archive) clearedInVain(err error) {
	if errors.Is(err, ErrNoSpace) {
		a.inVain = a.opts.Now()
	}
}

// shed removes what is oldest until that was so many bytes or nothing more may go. What goes beyond the first atOnce of them
// may be left for later.
func (a *archive) shed(bytes, atOnce int64, reason string) (shed int64) {
	for n := 0; shed < bytes; n++ {
		if n >= maxArrears && shed >= atOnce {
			a.behind = true
			break
		}
		removed, ok := a.shedOldest(reason)
		if !ok {
			break
		}
		shed += removed
	}
	a.lack = max(0, a.lack-shed)
	return shed
}

// shedOldest removes the oldest segment of all feeds, in all its renditions.
func (a *archive) shedOldest(reason string) (bytes int64, ok bool) {
	for {
		f := a.oldest()
		if f == nil {
			return 0, false
		}
		jobs, ok := f.shed(reason)
		for _, j := range jobs {
			bytes += a.doRemove(j)
		}
		if ok {
			return bytes, true
		}
		a.ages.drop()
	}
}

// settle brings the store within its bounds before anything is written: all that waits for it is removals.
func (a *archive) settle() {
	for j, ok := a.jobs.TryPop(); ok; j, ok = a.jobs.TryPop() {
		a.do(j)
	}
	for a.makeRoom(0); a.behind; {
		a.makeRoom(0)
	}
}
