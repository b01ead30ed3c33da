package transcode

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

// Thumbnails has a worker make one JPEG per segment. It never delays a rendition: a picture that comes while the one before
// is still in work is left out.
type Thumbnails struct {
	// New makes the coder, for pictures of the given size in pixels. It belongs to the goroutine that asked.
	New func(width, height int) (JPEGCoder, error)
	Out ThumbnailOrigin
	// Note says what became of one, by any of the reasons below, and why if it failed. It may be called from several
	// goroutines and must not block.
	Note func(reason string, err error)
}

// JPEGCoder codes pictures as JPEG files.
type JPEGCoder interface {
	JPEG(p codecs.Picture) ([]byte, error) // p stays the caller's
	Close()
}

// ThumbnailOrigin takes thumbnails.
type ThumbnailOrigin interface {
	PutThumbnail(ctx context.Context, t pipeline.Thumbnail) error
}

// What becomes of a segment's thumbnail.
const (
	ThumbnailStored  = "stored"  // the origin has it
	ThumbnailSkipped = "skipped" // the one before was still in work
	ThumbnailFailed  = "failed"  // it could not be coded
	ThumbnailLost    = "lost"    // the origin did not take it in time
)

// thumbnails is the stage that codes and sends them. It owns the coder.
type thumbnails struct {
	o     *Thumbnails // nil: none are made
	w     *Worker
	queue *pipeline.Queue[framed]
	coder JPEGCoder
	size  [2]int
}

// Bounds of a thumbnail in pixels, and the least height of pictures that it is made of.
const (
	thumbnailWidth  = 320
	thumbnailHeight = 180
)

// putThumbnail is how long one may be on its way.
const putThumbnail = 2 * time.Second

func newThumbnails(w *Worker, o *Thumbnails) *thumbnails {
	t := &thumbnails{w: w, queue: pipeline.NewQueue(1, 0, func(f framed) { f.picture.Release() })}
	if o == nil || len(w.o.Feed.Ladder.Video) == 0 {
		return t
	}
	t.o = o
	top := w.o.Feed.Ladder.Video[0]
	t.size[0], t.size[1] = thumbnailSize(top.Width, top.Height)
	return t
}

// smallest returns the smallest picture of a shot that is not smaller than a thumbnail, of those that are there anyway.
func smallest(p *shot, video []ladder.Video) codecs.Picture {
	for i, v := range slices.Backward(video) {
		if scaled := p.sizes[i+1]; scaled != nil && v.Height >= thumbnailHeight {
			return scaled
		}
	}
	return p.sizes[0]
}

// thumbnailSize returns the size of thumbnails of pictures of the given size: even, in the same shape, and never larger.
func thumbnailSize(width, height int) (w, h int) {
	w, h = width, height
	if h > thumbnailHeight {
		w, h = w*thumbnailHeight/h, thumbnailHeight
	}
	if w > thumbnailWidth {
		w, h = thumbnailWidth, h*thumbnailWidth/w
	}
	return max(w&^1, 2), max(h&^1, 2)
}

// take hands on the first picture of a segment. The source calls it when the renditions have theirs.
func (t *thumbnails) take(frame int64, p *shot) {
	if t.o == nil || frame != t.w.grid.PartFrame(t.w.grid.Segment(frame), 0) {
		return
	}
	ref := smallest(p, t.w.o.Feed.Ladder.Video).Retain()
	if !t.queue.TryPush(framed{frame: frame, picture: ref}, 1) {
		ref.Release()
		t.o.Note(ThumbnailSkipped, nil)
	}
}

// Name names the stage.
func (t *thumbnails) Name() string { return "thumbnails" }

// Run makes thumbnails until the queue is closed. What fails is noted: a feed goes on without.
func (t *thumbnails) Run(ctx context.Context) error {
	defer t.queue.Discard()
	defer func() {
		if t.coder != nil {
			t.coder.Close()
		}
	}()
	for {
		f, err := t.queue.Pop(ctx)
		if errors.Is(err, pipeline.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		t.make(ctx, f)
	}
}

func (t *thumbnails) make(ctx context.Context, f framed) {
	data, err := t.code(f.picture)
	f.picture.Release()
	if err != nil {
		t.o.Note(ThumbnailFailed, err)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, putThumbnail)
	defer cancel()
	if err := t.o.Out.PutThumbnail(ctx, pipeline.Thumbnail{MSN: t.w.grid.Segment(f.frame), Data: data}); err != nil {
		t.o.Note(ThumbnailLost, err)
		return
	}
	t.o.Note(ThumbnailStored, nil)
}

func (t *thumbnails) code(p codecs.Picture) ([]byte, error) {
	if t.coder == nil {
		c, err := t.o.New(t.size[0], t.size[1])
		if err != nil {
			return nil, fmt.Errorf("opening the coder of thumbnails: %w", err)
		}
		t.coder = c
	}
	return t.coder.JPEG(p)
}
