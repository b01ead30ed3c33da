package origin

import (
	"bytes"
	"container/list"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/venuecast/venuecast/codecs/sprite"
	"github.com/venuecast/venuecast/pipeline/live"
)

// Bounds of the work and memory for storyboards: joining a sprite takes some 50 ms of one processor.
const (
	spriteBytes    = 32 << 20
	spritesWaiting = 16 // different ones; more are turned away
	spritePatience = 10 * time.Second
)

// sprites makes sprites, one at a time, and keeps those that were asked for last.
type sprites struct {
	bytes int64 // bound of those that are kept
	turn  chan struct{}

	mu      sync.Mutex // guards the fields below
	entries map[string]*list.Element
	recent  *list.List // of *madeSprite, the newest first
	kept    int64
	waiting int
}

var errNotMade = errors.New("the sprite was not made")

// madeSprite is one, or what will be one when done is closed.
type madeSprite struct {
	key  string
	done chan struct{}
	data []byte
	err  error
}

func newSprites(bytes int64) *sprites {
	return &sprites{bytes: bytes, turn: make(chan struct{}, 1), entries: map[string]*list.Element{}, recent: list.New()}
}

// get returns the sprite of that key, made by join if it is not kept. Whoever asks for the same waits for the same work.
func (c *sprites) get(ctx context.Context, key string, join func() ([]byte, error)) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, spritePatience)
	defer cancel()
	m, mine, err := c.find(key)
	if err != nil {
		return nil, err
	}
	if mine {
		// Others may wait for it, so it is made even if who asked first has gone.
		c.make(context.WithoutCancel(ctx), m, join)
	}
	select {
	case <-m.done:
		return m.data, m.err
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for a sprite: %w", context.Cause(ctx))
	}
}

// find returns the entry of a key. It is mine when I have to make it.
func (c *sprites) find(key string) (m *madeSprite, mine bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[key]; e != nil {
		c.recent.MoveToFront(e)
		return e.Value.(*madeSprite), false, nil //nolint:forcetypeassert // the list holds nothing else
	}
	if c.waiting >= spritesWaiting {
		return nil, false, errBusy
	}
	c.waiting++
	m = &madeSprite{key: key, done: make(chan struct{})}
	c.entries[key] = c.recent.PushFront(m)
	return m, true, nil
}

func (c *sprites) make(ctx context.Context, m *madeSprite, join func() ([]byte, error)) {
	ctx, cancel := context.WithTimeout(ctx, spritePatience)
	defer cancel()
	m.err = errNotMade
	defer c.finish(m) // even when join panics: the server goes on after that
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
		m.data, m.err = join()
	case <-ctx.Done():
		m.err = fmt.Errorf("waiting to make a sprite: %w", context.Cause(ctx))
	}
}

// finish keeps what was made, gives up what was not asked for longest, and tells those who wait.
func (c *sprites) finish(m *madeSprite) {
	defer close(m.done)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting--
	if m.err != nil {
		c.drop(c.entries[m.key])
		return
	}
	c.kept += int64(len(m.data))
	for e := c.recent.Back(); e != nil && c.kept > c.bytes; {
		older := e
		e = e.Prev()
		if old := older.Value.(*madeSprite); old.finished() && old != m { //nolint:forcetypeassert // the list holds nothing else
			c.kept -= int64(len(old.data))
			c.drop(older)
		}
	}
}

func (c *sprites) drop(e *list.Element) { // c.mu is held
	delete(c.entries, c.recent.Remove(e).(*madeSprite).key) //nolint:forcetypeassert // the list holds nothing else
}

func (m *madeSprite) finished() bool {
	select {
	case <-m.done:
		return true
	default:
		return false
	}
}

// join makes a sprite. A thumbnail that can not be read is black.
func (s *Server) join(of live.Sprite) ([]byte, error) {
	var tiles []sprite.Tile
	for _, t := range of.Tiles {
		media, err := t.Open()
		if err != nil {
			s.metrics.sprites.WithLabelValues("unreadable").Inc()
			continue
		}
		data, err := io.ReadAll(io.LimitReader(media, live.MaxThumbnailBytes))
		_ = media.Close() // it was only read
		if err == nil {
			tiles = append(tiles, sprite.Tile{Column: t.Column, Row: t.Row, JPEG: data})
		}
	}
	if len(tiles) == 0 {
		return nil, live.ErrGone
	}
	sheet := sprite.Sheet{Columns: live.SpriteColumns, Rows: live.SpriteRows, Width: of.TileWidth, Height: of.TileHeight}
	file, bad, err := sprite.Join(sheet, tiles)
	s.metrics.sprites.WithLabelValues("unreadable").Add(float64(len(bad)))
	if err != nil {
		return nil, err
	}
	s.metrics.sprites.WithLabelValues("made").Inc()
	return file, nil
}

func readable(data []byte) io.ReadSeeker { return bytes.NewReader(data) }
