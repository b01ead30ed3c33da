package origin

import (
	"bytes"
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
