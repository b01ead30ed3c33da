package live

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
)

// Feed is one feed's output: its renditions, and who may write them.
type Feed struct {
	id      string
	opts    Options
	archive *archive

	mu     sync.Mutex // serialises writers; guards all below and the writer's side of the renditions
	epoch  uint64
	breaks breaks
	events []Event // in the order of their times; replaced, never written
	gone   bool    // it was forgotten: whoever holds it asks for it again
	// claimed says that a session was claimed since the start: one that was only brought back from the store may not write.
	claimed bool

	view atomic.Pointer[view]
}

// view is what the feed's constants fix. It is replaced as a whole when they change.
type view struct {
	feed       pipeline.Feed // its DVR is that of the first session: see listed
	key        string        // names these constants in the store
	renditions []*Rendition
	live       int64        // segments in live playlists
	listed     atomic.Int64 // those in playlists that reach back farther; a session may say another number
	album      album
	spoken     spoken

	reference *Rendition   // which the renditions on demand follow; nil: there are none
	onDemand  []*Rendition // those
}

// longestGap returns how many missing segments are listed before the window begins anew: at most an hour of them.
func (v *view) longestGap() int64 {
	return min(v.listed.Load(), segmentsIn(time.Hour, v.feed.Grid.Step()))
}

// ID returns the feed's name.
func (f *Feed) ID() string { return f.id }

// Constants returns the feed's description.
func (f *Feed) Constants() pipeline.Feed { return f.view.Load().feed }

// Epoch returns the epoch of the session that may write.
func (f *Feed) Epoch() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.epoch
}

// Renditions returns the feed's renditions: video, largest first, then audio.
func (f *Feed) Renditions() []*Rendition { return f.view.Load().renditions }

// Rendition returns the rendition of that name, nil when there is none.
func (f *Feed) Rendition(name string) *Rendition { return f.view.Load().rendition(name) }

func (v *view) rendition(name string) *Rendition {
	for _, r := range v.renditions {
		if r.name == name {
			return r
		}
	}
	return nil
}

// State returns where each rendition goes on.
func (f *Feed) State() pipeline.State {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state()
}

func (f *Feed) state() pipeline.State { // f.mu is held
	state := pipeline.State{}
	for _, r := range f.Renditions() {
		switch {
		case r.onDemand:
			if want, ok := r.want(f.opts.Now()); ok && r.started {
				state[r.name] = want.From
			}
		case r.started:
			state[r.name] = r.next
		}
	}
	return state
}

func (f *Feed) claim(session pipeline.Session) (pipeline.State, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gone {
		return nil, errForgotten
	}
	if f.view.Load() == nil {
		if last, ok := f.lastSession(); ok {
			f.epoch = last.Epoch
		}
	}
	if session.Epoch < f.epoch {
		return nil, fmt.Errorf("claiming feed %s with epoch %d: %w", f.id, session.Epoch, pipeline.ErrFenced)
	}
	if err := f.open(session); err != nil {
		return nil, fmt.Errorf("claiming feed %s: %w", f.id, err)
	}
	return f.state(), nil
}

// open makes session the one that writes, and remembers it.
func (f *Feed) open(session pipeline.Session) error { // f.mu is held
	key, err := constantsKey(session.Feed)
	if err != nil {
		return err
	}
	v := f.view.Load()
	if v == nil || v.key != key {
		f.begin(session.Feed, key)
	} else {
		_, listed := f.opts.window(session.Feed)
		v.listed.Store(listed) // the window's start follows with the next segment
	}
	if v == nil || v.key != key || session.Epoch != f.epoch {
		f.saveSession(session)
	}
	f.epoch, f.claimed = session.Epoch, true
	return nil
}

// begin opens a new window. Whoever waits on the old one is told that it is gone.
func (f *Feed) begin(feed pipeline.Feed, key string) { // f.mu is held
	old := f.view.Load()
	v := &view{feed: feed, key: key}
	live, listed := f.opts.window(feed)
	v.live = live
	v.listed.Store(listed)
	for _, video := range feed.Ladder.Video {
		v.renditions = append(v.renditions, newRendition(f, v, video.Name, codecs.Video, video.Bitrate))
	}
	for _, audio := range feed.Ladder.Audio {
		r := newRendition(f, v, audio.Name, codecs.Audio, audio.Bitrate)
		r.samples = audio.FrameSamples()
		v.renditions = append(v.renditions, r)
	}
	v.follow(f.opts.OnDemand)
	if old != nil {
		f.breaks.restart()
	}
	f.restore(v)
	f.view.Store(v)
	v.rejoin()
	if old != nil {
		f.retire(old)
	}
}

// retire ends a view for good, and removes what it has in the store.
func (f *Feed) retire(v *view) { // f.mu is held
	for _, r := range v.renditions {
		r.retire()
	}
	f.archive.push(f.discard(v, v.album.load().kept))
}

// constantsKey identifies a feed's constants: what was cut on one grid can not continue on another.
func constantsKey(feed pipeline.Feed) (string, error) {
	feed.Priority, feed.Ladder.DVR, feed.Asked.DVR = 0, 0, 0 // are none
	text, err := json.Marshal(feed)
	if err != nil {
		return "", fmt.Errorf("writing the feed's constants: %w", err)
	}
	return digest(text), nil
}

// digest names bytes by what they are. 64 bits suffice against accidents among the few versions of one rendition.
func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// writable returns the rendition when a session of this epoch may write to it.
func (f *Feed) writable(epoch uint64, name string) (*Rendition, error) { // f.mu is held
	if err := f.mayWrite(epoch); err != nil {
		return nil, err
	}
	r := f.Rendition(name)
	if r == nil {
		return nil, fmt.Errorf("rendition %q: %w", name, ErrInvalid)
	}
	return r, nil
}

// mayWrite reports why a session of this epoch may not write.
func (f *Feed) mayWrite(epoch uint64) error { // f.mu is held
	switch {
	case epoch < f.epoch:
		return pipeline.ErrFenced
	case epoch > f.epoch, !f.claimed:
		// After a restart the parts of the segment in progress are gone: the worker has to learn that, or it would leave a gap.
		return ErrNoSession
	}
	return nil
}

// DVR returns how far back from their end the feed's playlists reach, the shortest of them, and how far they may.
func (f *Feed) DVR() (reach, full time.Duration) {
	v := f.view.Load()
	listed := v.listed.Load()
	reached := listed
	for _, r := range v.renditions {
		if s := r.Snapshot(); s.started() {
			reached = min(reached, s.next.MSN-s.firstOf(s.window(true)))
		}
	}
	step := v.feed.Grid.Step()
	return time.Duration(reached) * step, time.Duration(listed) * step
}

// oldest returns the oldest segment that any rendition keeps.
func (f *Feed) oldest() int64 { // f.mu is held
	oldest := int64(maxMSN)
	for _, r := range f.Renditions() {
		if len(r.kept) > 0 {
			oldest = min(oldest, r.kept[0].msn)
		}
	}
	return oldest
}
