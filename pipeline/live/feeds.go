package live

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

// Feeds is all that an origin has.
type Feeds struct {
	opts    Options
	archive *archive

	mu    sync.RWMutex // guards feeds
	feeds map[string]*Feed
}

// New returns an origin without feeds. Run must be running for a Store to be filled.
func New(opts Options) *Feeds {
	opts = opts.withDefaults()
	fs := &Feeds{opts: opts, archive: newArchive(opts), feeds: map[string]*Feed{}}
	fs.archive.feeds = fs.All
	return fs
}

// Claim opens a worker's session on its feed and returns where each rendition goes on.
//
// A session of a lower epoch than the highest seen gets pipeline.ErrFenced; the same epoch again changes nothing.
// A session with the same feed constants goes on where the last one was; with others a new window begins.
// The first claim since the start brings back what the store has.
func (fs *Feeds) Claim(session pipeline.Session) (pipeline.State, error) {
	if err := validate(session.Feed); err != nil {
		return nil, fmt.Errorf("claiming a session: %w: %w", ErrInvalid, err)
	}
	for {
		f, err := fs.feedFor(session.Feed.ID)
		if err != nil {
			return nil, err
		}
		if state, err := f.claim(session); !errors.Is(err, errForgotten) {
			return state, err
		}
	}
}

func (fs *Feeds) feedFor(id string) (*Feed, error) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f := fs.feeds[id]
	if f == nil {
		if len(fs.feeds) >= fs.opts.MaxFeeds {
			return nil, fmt.Errorf("claiming feed %s: %w: the origin has %d", id, ErrTooManyFeeds, len(fs.feeds))
		}
		f = &Feed{id: id, opts: fs.opts, archive: fs.archive}
		fs.feeds[id] = f
	}
	return f, nil
}

// Feed returns the feed of that name, nil when it was never claimed.
func (fs *Feeds) Feed(id string) *Feed {
	fs.mu.RLock()
	defer fs.mu.RUnlock()
	if f := fs.feeds[id]; f != nil && f.view.Load() != nil {
		return f
	}
	return nil
}

// All returns the feeds in the order of their names.
func (fs *Feeds) All() []*Feed {
	fs.mu.RLock()
	defer fs.mu.RUnlock()
	all := make([]*Feed, 0, len(fs.feeds))
	for _, f := range fs.feeds {
		if f.view.Load() != nil {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b *Feed) int { return strings.Compare(a.id, b.id) })
	return all
}

// Bounds of the work and memory that one session can cause.
const (
	maxRenditions = 32
	maxParts      = 256 // per segment
	minStep       = 250 * time.Millisecond
	maxStep       = 30 * time.Second
	maxDVR        = 30 * 24 * time.Hour
)

func validate(feed pipeline.Feed) error {
	if err := feed.Validate(); err != nil {
		return err
	}
	if len(feed.Ladder.Video)+len(feed.Ladder.Audio) > maxRenditions {
		return fmt.Errorf("more than %d renditions", maxRenditions)
	}
	if step := feed.Grid.Step(); step < minStep || step > maxStep || feed.Grid.Parts() > maxParts {
		return fmt.Errorf("segments of %v in %d parts: want %v to %v in up to %d parts", step, feed.Grid.Parts(), minStep, maxStep, maxParts)
	}
	if feed.Ladder.DVR < 0 || feed.Ladder.DVR > maxDVR {
		return fmt.Errorf("DVR of %v: want up to %v", feed.Ladder.DVR, maxDVR)
	}
	seen := map[string]bool{}
	for _, name := range renditionNames(feed) {
		if !pipeline.ValidID(name) || seen[name] {
			return fmt.Errorf("rendition name %q: want names of a-z, A-Z, 0-9, - and _, each once", name)
		}
		seen[name] = true
	}
	return nil
}

func renditionNames(feed pipeline.Feed) []string {
	var names []string
	for _, v := range feed.Ladder.Video {
		names = append(names, v.Name)
	}
	for _, a := range feed.Ladder.Audio {
		names = append(names, a.Name)
	}
	return names
}
