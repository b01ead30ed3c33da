package live

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/venuecast/venuecast/pipeline"
)

// sessionFile is the last session of a feed in the store, under the feed's name: so a worker that was replaced can not
// come back after a restart before its successor does, and what was recorded can be watched without any worker.
const sessionFile = "session.json"

// saveSession remembers the session before it may write. Without a store there is nothing to remember it for.
func (f *Feed) saveSession(session pipeline.Session) { // f.mu is held
	if f.opts.Store == nil {
		return
	}
	text, err := json.Marshal(session)
	if err == nil {
		err = f.opts.Store.Put(f.id+"/"+sessionFile, text)
	}
	if err != nil {
		f.opts.StoreFailed(f.id, "write")
		f.opts.Logger.Error("session can not be stored; after a restart an older worker could claim the feed",
			slog.String("feed", f.id), slog.Any("error", err))
	}
}

// lastSession returns what saveSession saved before the start. It is not ok when there is none.
func (f *Feed) lastSession() (session pipeline.Session, ok bool) {
	if f.opts.Store == nil {
		return pipeline.Session{}, false
	}
	text, err := readAll(f.opts.Store, f.id+"/"+sessionFile)
	if err != nil {
		return pipeline.Session{}, false // most often it is a new feed
	}
	if err = json.Unmarshal(text, &session); err == nil && session.Feed.ID != f.id {
		err = fmt.Errorf("it is of feed %q", session.Feed.ID)
	}
	if err == nil {
		err = validate(session.Feed)
	}
	if err != nil {
		f.opts.StoreFailed(f.id, "read")
		f.opts.Logger.Error("last session can not be read", slog.String("feed", f.id), slog.Any("error", err))
		return pipeline.Session{}, false
	}
	return session, true
}

// Restore brings back the feeds in the store, so that what was recorded can be watched before a worker claims them, or if
// none ever does. It is called once, before anything else.
func (fs *Feeds) Restore() error {
	if fs.opts.Store == nil {
		return nil
	}
	objects, err := fs.opts.Store.List("")
	if err != nil {
		return fmt.Errorf("listing the store: %w", err)
	}
	var ids []string
	for _, o := range objects {
		if id, ok := strings.CutSuffix(o.Name, "/"+sessionFile); ok && pipeline.ValidID(id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		f, err := fs.feedFor(id)
		if err != nil {
			fs.opts.Logger.Error("recorded feed is left out", slog.Any("error", err))
			continue
		}
		f.reopen()
	}
	fs.archive.settle()
	return nil
}

func (f *Feed) reopen() {
	f.mu.Lock()
	defer f.mu.Unlock()
	session, ok := f.lastSession()
	if !ok {
		return
	}
	f.epoch = session.Epoch
	if key, err := constantsKey(session.Feed); err == nil {
		f.begin(session.Feed, key)
	}
}
