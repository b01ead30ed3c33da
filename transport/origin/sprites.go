package origin

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/venuecast/venuecast/codecs/sprite"
	"github.com/venuecast/venuecast/pipeline/live"
)

// Bounds of the work and memory for storyboards: joining a sprite takes some 20 ms of one processor.
const (
	spriteBytes    = 32 << 20
	spritesWaiting = 16 // different ones; more are turned away
	spritePatience = 10 * time.Second
)

// newSprites returns what makes sprites, one at a time.
func newSprites() *made {
	return newMade(madeOptions{bytes: spriteBytes, atOnce: 1, waiting: spritesWaiting, patience: spritePatience})
}

// join makes a sprite. A thumbnail that has gone, or is no JPEG, is black. What can not be read now may be there the next time,
// and a sprite is kept for good.
func (s *Server) join(of live.Sprite) ([]byte, error) {
	var tiles []sprite.Tile
	for _, t := range of.Tiles {
		data, err := read(t)
		if err != nil {
			s.metrics.sprites.WithLabelValues("unreadable").Inc()
		}
		switch {
		case errors.Is(err, live.ErrGone):
			continue
		case err != nil:
			return nil, err
		}
		tiles = append(tiles, sprite.Tile{Column: t.Column, Row: t.Row, JPEG: data})
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

func read(t live.Tile) ([]byte, error) {
	media, err := t.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = media.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(media, live.MaxThumbnailBytes))
	if err != nil {
		return nil, fmt.Errorf("reading a thumbnail: %w", err)
	}
	return data, nil
}

func readable(data []byte) io.ReadSeeker { return bytes.NewReader(data) }
