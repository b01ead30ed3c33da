package live

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"
)

// expireEach is how often feeds are looked at that have stopped.
const expireEach = time.Minute

// errForgotten means that a feed has left the map since it was taken from there.
var errForgotten = errors.New("feed was forgotten")

// expire forgets feeds from which nothing has come for long: their cameras are gone, and nothing else would ever remove
// what they have recorded.
func (fs *Feeds) expire(ctx context.Context) error {
	ticker := time.NewTicker(expireEach)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			for _, f := range fs.All() {
				fs.forgetOld(f)
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (fs *Feeds) forgetOld(f *Feed) {
	f.mu.Lock()
	old := f.old(fs.opts.Now())
	f.mu.Unlock()
	if old && fs.takeOut(f, fs.stored(f)) {
		fs.opts.Logger.Info("feed has stopped for long and is forgotten", slog.String("feed", f.id))
	}
}

// stored returns the names of all that the store has of a feed.
func (fs *Feeds) stored(f *Feed) (names []string) {
	if fs.opts.Store == nil {
		return nil
	}
	objects, err := fs.opts.Store.List(f.id + "/")
	if err != nil {
		fs.opts.StoreFailed(f.id, "read") // at the next start it is restored, and forgotten again
	}
	for _, o := range objects {
		names = append(names, o.Name)
	}
	return names
}

// takeOut removes a feed from the map, and names from the store, if it is still old. Whoever claims it after that finds it gone,
// and what is put then comes behind the removal in the archive's queue; but not the session, which so must go at once.
func (fs *Feeds) takeOut(f *Feed, names []string) bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.old(fs.opts.Now()) {
		return false
	}
	f.gone = true
	delete(fs.feeds, f.id)
	f.retire(f.view.Load())
	session := f.id + "/" + sessionFile
	if i := slices.Index(names, session); i >= 0 {
		names = slices.Delete(names, i, i+1)
		if err := fs.opts.Store.Remove(session); err != nil {
			fs.opts.StoreFailed(f.id, "remove")
		}
	}
	f.archive.remove(f, names)
	return true
}

// old reports whether the newest media, and their coming, are longer ago than they may be. A feed without media waits for its first.
// When they came is not known of what came before the start, and when they were made only by the clock of who made them.
func (f *Feed) old(now time.Time) bool { // f.mu is held
	v := f.view.Load()
	keep := max(f.opts.Keep, time.Duration(v.listed.Load())*v.feed.Grid.Step())
	var newest time.Time
	for _, r := range v.renditions {
		if now.Sub(r.lastPart) <= keep {
			return false
		}
		if edge, ok := r.Snapshot().Edge(); ok && edge.After(newest) {
			newest = edge
		}
	}
	return !newest.IsZero() && now.Sub(newest) > keep
}
