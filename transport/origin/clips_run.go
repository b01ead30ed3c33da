package origin

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/clip"
	"github.com/venuecast/venuecast/pipeline/live"
)

// patience is how long after a clip's end its last segment is waited for.
const patience = time.Minute

// Name implements pipeline.Stage.
func (c *Clips) Name() string { return "clips" }

// Run cuts clips, one after another, until its context ends. What it has not finished then is cut at the next start.
func (c *Clips) Run(ctx context.Context) error {
	for {
		if j, past := c.next(); j != nil {
			c.cut(ctx, j, past)
			continue
		}
		timer := time.NewTimer(c.pause())
		select {
		case <-c.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// pause is how long to look away when nothing is ready.
func (c *Clips) pause() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, j := range c.clips {
		if j.State == ClipWaiting {
			return 500 * time.Millisecond
		}
	}
	return time.Hour // until there is one
}

// next returns the oldest clip whose time has come, and its media; nil when none has.
func (c *Clips) next() (*job, *live.Past) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var first *job
	var media *live.Past
	for _, j := range c.clips {
		if j.State != ClipWaiting || first != nil && !j.Asked.Before(first.Asked) {
			continue
		}
		if past, ready := c.ready(j); ready {
			first, media = j, past
		}
	}
	if first != nil {
		first.State = ClipCutting
	}
	return first, media
}

func (c *Clips) ready(j *job) (past *live.Past, ready bool) {
	late := c.opts.Now().After(j.To.Add(patience))
	feed := c.opts.Feeds.Feed(j.Feed)
	if feed == nil {
		return nil, late
	}
	past, err := feed.Past(j.From, j.To)
	if err != nil {
		return nil, late
	}
	return past, past.Complete() || late
}

// cut cuts one clip and notes how it went.
func (c *Clips) cut(ctx context.Context, j *job, past *live.Past) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c.mu.Lock()
	j.stop = func() { cancel(errDeleted) }
	c.mu.Unlock()
	size, err := c.file(ctx, j, past)
	c.mu.Lock()
	defer c.mu.Unlock()
	j.stop = nil
	switch {
	case c.clips[j.ID] != j: // it was deleted; the file may have been finished after that
		_ = c.opts.Disk.Remove(j.ID + ".mp4")
		return
	case err != nil && ctx.Err() != nil:
		j.State, j.Progress = ClipWaiting, 0
		return
	case err != nil:
		j.State, j.Error = ClipFailed, err.Error()
		c.opts.Logger.Error("clip failed", slog.String("feed", j.Feed), slog.String("clip", j.ID), slog.Any("error", err))
	default:
		j.State, j.Progress, j.Bytes = ClipReady, 1, size
		c.bytes += size
	}
	if err := c.save(j.Clip); err != nil {
		c.opts.Logger.Error("clip's state can not be kept; it is cut anew at the next start", slog.Any("error", err))
	}
	c.opts.Done(j.State)
}

// file writes the clip's file and returns its size.
func (c *Clips) file(ctx context.Context, j *job, past *live.Past) (size int64, err error) {
	if past == nil {
		return 0, live.ErrGone
	}
	cut, err := past.Cut(j.Rendition)
	if err != nil {
		return 0, err
	}
	made, err := clip.Read(ctx, cut, c.progress(j, 0))
	if err != nil {
		return 0, err
	}
	if c.size()+made.Size() > c.opts.MaxBytes {
		return 0, errNoRoom
	}
	err = c.opts.Disk.PutFrom(j.ID+".mp4", func(w io.Writer) error { return made.Write(ctx, w, c.progress(j, 0.5)) })
	return made.Size(), err
}

// progress reports one half of the work: media are read once, and then once more to be written.
func (c *Clips) progress(j *job, done float64) func(float64) {
	return func(part float64) {
		c.mu.Lock()
		defer c.mu.Unlock()
		j.Progress = done + part/2
	}
}

var _ pipeline.Stage = (*Clips)(nil)
