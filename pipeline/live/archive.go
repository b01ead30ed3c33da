package live

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

// archive hands finished segments to the store behind the writers' back: a slow disk never holds up a live part. It keeps
// the store within its bounds, too.
type archive struct {
	store  Store
	opts   Options
	jobs   *pipeline.Queue[job]
	logged time.Time // when a failure was last logged
	bounds
}

// job is one thing to do in the store: write pieces, one after another, under a name, or remove names.
type job struct {
	feed   *Feed
	name   string
	pieces [][]byte
	filed  *filed // what it writes; nil where nobody asks whether it is there
	remove []removal
	reason string // why segments are removed; empty for all else
}

// removal is a name to remove, and what it stands for; nil when that is not counted.
type removal struct {
	name  string
	filed *filed
}

// filed is what the archive knows of a segment, a thumbnail or an init section.
type filed struct {
	size      int64       // in bytes; 0 of init sections: what is small is not counted
	stored    atomic.Bool // it is in the store
	discarded atomic.Bool // nobody wants it any more: what still waits for the store is not written
}

// Why segments are removed, as Options.StoreRemoved is told.
const (
	removedForAge   = "age"
	removedForBytes = "bytes"
	removedForSpace = "space"
	removedWithFeed = "feed"
)

// discard adds to a job what nobody wants any more.
func (j *job) discard(name string, what *filed) {
	what.discarded.Store(true)
	j.remove = append(j.remove, removal{name, what})
}

// size is the bytes that a job holds on to.
func (j job) size() (bytes int64) {
	for _, p := range j.pieces {
		bytes += int64(len(p))
	}
	return bytes
}

// maxJobs bounds the queue besides its bytes: removals have none.
const maxJobs = 4096

func newArchive(opts Options) *archive {
	a := &archive{store: opts.Store, opts: opts, jobs: pipeline.NewQueue[job](maxJobs, opts.StoreQueue, nil)}
	a.volume, _ = opts.Store.(Volume)
	a.free.Store(-1)
	return a
}

// put queues pieces for the store; what, if not nil, is marked when they are there.
func (a *archive) put(f *Feed, name string, pieces [][]byte, what *filed) {
	a.push(job{feed: f, name: name, pieces: pieces, filed: what})
}

// remove queues names for removal that are not counted.
func (a *archive) remove(f *Feed, names []string) {
	j := job{feed: f}
	for _, name := range names {
		j.remove = append(j.remove, removal{name: name})
	}
	a.push(j)
}

// push queues a job. What a removal leaves behind when the queue is full goes at the next start.
func (a *archive) push(j job) {
	if a.store == nil || j.pieces == nil && len(j.remove) == 0 {
		return
	}
	if !a.jobs.TryPush(j, j.size()) {
		a.opts.StoreFailed(j.feed.id, "full")
	}
}

// found takes account of what was in the store at the start.
func (a *archive) found(what *filed) {
	what.stored.Store(true)
	a.bytes.Add(what.size)
}

// Name implements pipeline.Stage.
func (fs *Feeds) Name() string { return "live window" }

// Run fills the store and forgets old feeds until its context ends, and then for a moment more stores what is finished already.
func (fs *Feeds) Run(ctx context.Context) error {
	return pipeline.Run(ctx, pipeline.Func("store", fs.archive.run), pipeline.Func("expiry", fs.expire))
}

func (a *archive) run(ctx context.Context) error {
	for ctx.Err() == nil {
		a.next(ctx)
	}
	a.jobs.Close()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	for grace.Err() == nil {
		j, err := a.jobs.Pop(grace)
		if err != nil {
			break
		}
		a.do(j)
	}
	return context.Cause(ctx)
}

// next does one job. When there is none for a while, it looks whether the store is within its bounds.
func (a *archive) next(ctx context.Context) {
	patience := measureEach
	if a.behind {
		patience = 0
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if j, err := a.jobs.Pop(ctx); err == nil {
		a.do(j)
		return
	}
	a.makeRoom(0)
}

func (a *archive) do(j job) {
	switch {
	case j.pieces == nil:
		a.doRemove(j)
	case j.filed == nil || !j.filed.discarded.Load():
		a.doPut(j)
	}
}

func (a *archive) doPut(j job) {
	size := j.size()
	a.makeRoom(size)
	err := a.store.Put(j.name, j.pieces...)
	if errors.Is(err, ErrNoSpace) && a.clear(size) {
		err = a.store.Put(j.name, j.pieces...)
		a.clearedInVain(err)
	}
	if err != nil {
		a.failed(j.feed, "write", err)
		return
	}
	if j.filed != nil {
		a.found(j.filed)
	}
}

// doRemove removes names, and returns how many bytes less there are.
func (a *archive) doRemove(j job) (bytes int64) {
	var errs []error
	var removed int
	for _, r := range j.remove {
		if err := a.store.Remove(r.name); err != nil {
			errs = append(errs, err)
			continue
		}
		if r.filed != nil && r.filed.stored.Swap(false) {
			bytes += r.filed.size
			removed++
		}
	}
	a.bytes.Add(-bytes)
	if j.reason != "" && removed > 0 {
		a.opts.StoreRemoved(j.feed.id, j.reason, removed)
	}
	if err := errors.Join(errs...); err != nil {
		a.failed(j.feed, "remove", err)
	}
	return bytes
}

// failed counts a failure and, once a minute, logs one: live goes on from memory.
func (a *archive) failed(f *Feed, reason string, err error) {
	a.opts.StoreFailed(f.id, reason)
	if now := a.opts.Now(); now.Sub(a.logged) >= time.Minute {
		a.logged = now
		a.opts.Logger.Error("store fails; viewers can go back less far",
			slog.String("feed", f.id), slog.String("reason", reason), slog.Any("error", err))
	}
}
