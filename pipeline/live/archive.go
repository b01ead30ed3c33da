package live

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

// archive hands finished segments to the store behind the writers' back: a slow disk never holds up a live part.
type archive struct {
	store  Store
	opts   Options
	jobs   *pipeline.Queue[job]
	logged time.Time // when a failure was last logged
}

// job is one thing to do in the store: write pieces, one after another, under a name, or remove names.
type job struct {
	feed     *Feed
	name     string
	pieces   [][]byte
	stored   *atomic.Bool // set when they are there; may be nil
	remove   []string
	segments []*segment // which then are no longer stored
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
	return &archive{store: opts.Store, opts: opts, jobs: pipeline.NewQueue[job](maxJobs, opts.StoreQueue, nil)}
}

// put queues pieces for the store; stored, if not nil, is set when they are there.
func (a *archive) put(f *Feed, name string, pieces [][]byte, stored *atomic.Bool) {
	a.push(job{feed: f, name: name, pieces: pieces, stored: stored})
}

// remove queues names for removal; what is left behind when the queue is full goes at the next start.
func (a *archive) remove(f *Feed, names []string, segments []*segment) {
	if len(names) > 0 {
		a.push(job{feed: f, remove: names, segments: segments})
	}
}

func (a *archive) push(j job) {
	if a.store != nil && !a.jobs.TryPush(j, j.size()) {
		a.opts.StoreFailed(j.feed.id, "full")
	}
}

// Name implements pipeline.Stage.
func (fs *Feeds) Name() string { return "live window" }

// Run fills the store and forgets old feeds until its context ends, and then for a moment more stores what is finished already.
func (fs *Feeds) Run(ctx context.Context) error {
	return pipeline.Run(ctx, pipeline.Func("store", fs.archive.run), pipeline.Func("expiry", fs.expire))
}

func (a *archive) run(ctx context.Context) error {
	for {
		j, err := a.jobs.Pop(ctx)
		if err != nil {
			break
		}
		a.do(j)
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

func (a *archive) do(j job) {
	if j.pieces == nil {
		a.doRemove(j)
		return
	}
	if err := a.store.Put(j.name, j.pieces...); err != nil {
		a.failed(j.feed, "write", err)
		return
	}
	if j.stored != nil {
		j.stored.Store(true)
	}
}

func (a *archive) doRemove(j job) {
	var errs []error
	for _, name := range j.remove {
		errs = append(errs, a.store.Remove(name))
	}
	for _, s := range j.segments {
		s.stored.Store(false)
	}
	if err := errors.Join(errs...); err != nil {
		a.failed(j.feed, "remove", err)
	}
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
