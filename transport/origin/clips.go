package origin

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/venuecast/venuecast/pipeline/live"
)

// Clips cuts MP4 files out of what feeds have recorded and keeps them until they are deleted: the DVR moves on without them.
// It implements pipeline.Stage; a Server runs it.
type Clips struct {
	opts ClipOptions
	wake chan struct{} // has room for one

	mu    sync.Mutex // guards the fields below
	clips map[string]*job
	bytes int64 // of finished files
}

// ClipOptions says where clips are kept and how many.
type ClipOptions struct {
	// Feeds is what clips are cut from. It must be set.
	Feeds *live.Feeds
	// Disk keeps the files. It must be set, and hold nothing else.
	Disk *Disk
	// MaxClips bounds their number, those that failed included. It defaults to 1000.
	MaxClips int
	// MaxBytes bounds the size of all files; a clip that would exceed it fails. It defaults to 64 GB.
	MaxBytes int64
	// MaxLength bounds one clip. It defaults to 2 h.
	MaxLength time.Duration
	// MaxAhead bounds how far in the future a clip may end: it waits until that time has come. It defaults to 10 min.
	MaxAhead time.Duration
	// Done is called for each clip that ends: ready, failed or deleted.
	Done func(state string)
	// Logger defaults to slog.Default().
	Logger *slog.Logger
	// Now is the clock. It defaults to time.Now.
	Now func() time.Time
}

// Clip is one clip, as it is kept and shown.
type Clip struct {
	ID        string    `json:"id"`
	Feed      string    `json:"feed"`
	Rendition string    `json:"rendition,omitempty"` // empty: the largest video, or sound
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
	Asked     time.Time `json:"asked"`
	State     string    `json:"state"`
	Progress  float64   `json:"progress"`        // 0 to 1
	Bytes     int64     `json:"bytes,omitempty"` // when it is ready
	Error     string    `json:"error,omitempty"`
	URL       string    `json:"url,omitempty"` // when it is ready
}

// The states of a clip.
const (
	ClipWaiting = "waiting" // its time has not come, or others are before it
	ClipCutting = "cutting"
	ClipReady   = "ready"
	ClipFailed  = "failed"
)

// job is a clip and, while it is being cut, what stops that.
type job struct {
	Clip
	stop context.CancelFunc
}

var (
	errNoClip       = errors.New("no such clip")
	errUnknown      = errors.New("no such feed or rendition")
	errTooManyClips = errors.New("too many clips: delete some")
	errNoRoom       = errors.New("no room for the clip: delete others")
	errDeleted      = errors.New("the clip was deleted")
)

// NewClips returns the clips that the disk holds. Those that were not finished are cut anew.
func NewClips(opts ClipOptions) (*Clips, error) {
	if opts.Feeds == nil || opts.Disk == nil {
		return nil, errors.New("clips: no feeds or no disk given")
	}
	opts.MaxClips, opts.MaxBytes = cmp.Or(opts.MaxClips, 1000), cmp.Or(opts.MaxBytes, 64e9)
	opts.MaxLength, opts.MaxAhead = cmp.Or(opts.MaxLength, 2*time.Hour), cmp.Or(opts.MaxAhead, 10*time.Minute)
	if opts.Done == nil {
		opts.Done = func(string) {}
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	c := &Clips{opts: opts, wake: make(chan struct{}, 1), clips: map[string]*job{}}
	if err := c.restore(); err != nil {
		return nil, err
	}
	return c, nil
}

// Add asks for a clip. It fails with live.ErrInvalid, live.ErrGone when nothing is recorded of that time,
// when there is no such feed or rendition, and when there are too many.
func (c *Clips) Add(feed, rendition string, from, to time.Time) (Clip, error) {
	now := c.opts.Now()
	switch {
	case !to.After(from) || to.Sub(from) > c.opts.MaxLength:
		return Clip{}, fmt.Errorf("%w: want a clip that ends after it begins, of up to %v", live.ErrInvalid, c.opts.MaxLength)
	case to.After(now.Add(c.opts.MaxAhead)):
		return Clip{}, fmt.Errorf("%w: want a clip that ends within %v from now", live.ErrInvalid, c.opts.MaxAhead)
	}
	f := c.opts.Feeds.Feed(feed)
	if f == nil || rendition != "" && f.Rendition(rendition) == nil {
		return Clip{}, fmt.Errorf("feed %q, rendition %q: %w", feed, rendition, errUnknown)
	}
	if _, err := f.Past(from, to); err != nil && to.Before(now) {
		return Clip{}, fmt.Errorf("looking for the clip's media: %w", err)
	}
	j := &job{Clip: Clip{
		ID: newID(), Feed: feed, Rendition: rendition, From: from.UTC(), To: to.UTC(), Asked: now.UTC(), State: ClipWaiting,
	}}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.clips) >= c.opts.MaxClips {
		return Clip{}, errTooManyClips
	}
	if err := c.save(j.Clip); err != nil {
		return Clip{}, err
	}
	c.clips[j.ID] = j
	c.signal()
	return j.Clip, nil
}

func newID() string {
	var id [8]byte
	_, _ = rand.Read(id[:]) // it never fails
	return hex.EncodeToString(id[:])
}

func (c *Clips) signal() {
	select {
	case c.wake <- struct{}{}:
	default: // it will wake anyway
	}
}

// All returns the clips, the newest first.
func (c *Clips) All() []Clip {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]Clip, 0, len(c.clips))
	for _, j := range c.clips {
		all = append(all, j.shown())
	}
	slices.SortFunc(all, func(a, b Clip) int { return cmp.Or(b.Asked.Compare(a.Asked), cmp.Compare(a.ID, b.ID)) })
	return all
}

// size returns the bytes of all finished clips.
func (c *Clips) size() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}

// Clip returns the clip of that ID. It is not ok when there is none.
func (c *Clips) Clip(id string) (kept Clip, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	j := c.clips[id]
	if j == nil {
		return Clip{}, false
	}
	return j.shown(), true
}

func (j *job) shown() Clip {
	shown := j.Clip
	if j.State == ClipReady {
		shown.URL = "/api/v1/clips/" + j.ID + ".mp4"
	}
	return shown
}

// Delete stops the cutting of a clip, and removes it.
func (c *Clips) Delete(id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	j := c.clips[id]
	if j == nil {
		return errNoClip
	}
	if j.stop != nil {
		j.stop()
	}
	// Without its description a file is removed at the next start, so that goes first.
	if err := errors.Join(c.opts.Disk.Remove(id+".json"), c.opts.Disk.Remove(id+".mp4")); err != nil {
		return fmt.Errorf("deleting clip %s: %w", id, err)
	}
	delete(c.clips, id)
	c.bytes -= j.Bytes
	c.opts.Done("deleted")
	return nil
}
