package live

import (
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"time"

	"github.com/venuecast/venuecast/codecs"
)

// The tiles of a sprite, and how many of them a storyboard has at most: a longer window shows every second segment, or fewer.
const (
	SpriteColumns = 5
	SpriteRows    = 5

	spriteTiles = SpriteColumns * SpriteRows
	maxTiles    = 1000
)

// storyboard is one rendered.
type storyboard struct {
	pictures *pictures
	first    int64
	text     Text
}

// Sprite is thumbnails in one picture, each at half its size. It never changes: while more are to come, those are in a sprite
// of another name.
type Sprite struct {
	First, Last           int64 // segments; they name it
	Tag                   string
	TileWidth, TileHeight int // in pixels, even
	Tiles                 []Tile
}

// Tile is one thumbnail in a sprite.
type Tile struct {
	Column, Row int
	Open        func() (Media, error)

	thumbnail *thumbnail
}

// tileStep is how many segments there are to a tile.
func (v *view) tileStep() int64 { return max(1, codecs.CeilDiv(v.listed.Load(), maxTiles)) }

// spriteStart returns the first segment of the sprite that a segment is in: numbers cut a feed into sprites.
func (v *view) spriteStart(msn int64) int64 { return msn - msn%(spriteTiles*v.tileStep()) }

// sprite returns the sprite that begins with the first of the thumbnails, as far as they go. There must be one.
func (v *view) sprite(f *Feed, kept []*thumbnail) Sprite {
	step, start := v.tileStep(), v.spriteStart(kept[0].msn)
	s := Sprite{First: kept[0].msn, TileWidth: kept[0].width / 2 &^ 1, TileHeight: kept[0].height / 2 &^ 1}
	place, sum := int64(-1), crc32.NewIEEE()
	for _, t := range kept {
		at := (t.msn - start) / step
		if at >= spriteTiles {
			break
		}
		if at == place || t.width != kept[0].width || t.height != kept[0].height {
			continue // the first of those that share a tile is shown
		}
		place, s.Last = at, t.msn
		open := func() (Media, error) { return f.openThumbnail(v, t) }
		s.Tiles = append(s.Tiles, Tile{Column: int(at % SpriteColumns), Row: int(at / SpriteColumns), Open: open, thumbnail: t})
		_, _ = fmt.Fprintf(sum, "%d-%08x,", t.msn, t.crc) // a hash takes every write
	}
	s.Tag = fmt.Sprintf("%s-%08x", s.name(), sum.Sum32())
	return s
}

func (s Sprite) name() string {
	return strconv.FormatInt(s.First, 10) + "-" + strconv.FormatInt(s.Last, 10)
}

// Sprite returns the sprite of that name: ErrGone when it is not, or no longer, there, ErrAhead when it may come. The sprites that
// are not full any more can be had until one further is full.
func (f *Feed) Sprite(first, last int64) (Sprite, error) {
	v := f.view.Load()
	kept := v.album.load().kept
	if len(kept) == 0 || last > kept[len(kept)-1].msn {
		return Sprite{}, ErrAhead
	}
	from, found := slices.BinarySearchFunc(kept, first, byNumber)
	if !found || from > 0 && v.spriteStart(kept[from-1].msn) == v.spriteStart(first) {
		return Sprite{}, ErrGone
	}
	full := v.sprite(f, kept[from:])
	newest := kept[len(kept)-1].msn
	if last == full.Last {
		return full, nil
	}
	to, found := slices.BinarySearchFunc(kept, last, byNumber)
	if !found || to < from || v.spriteStart(newest)-v.spriteStart(first) > spriteTiles*v.tileStep() {
		return Sprite{}, ErrGone
	}
	if part := v.sprite(f, kept[from:to+1]); part.Last == last {
		return part, nil
	}
	return Sprite{}, ErrGone
}

// Storyboard returns the thumbnails of the DVR as WebVTT, with fragments that name a place in a sprite
// (Media Fragments URI 1.0 §4.2.2). Time 0 is where the DVR's playlists begin; sprites lie beside it.
func (f *Feed) Storyboard() Text {
	v := f.view.Load()
	p := v.album.load()
	first := v.firstOfDVR()
	if b := v.album.board.Load(); b != nil && b.pictures == p && b.first == first {
		return b.text
	}
	b := &storyboard{pictures: p, first: first, text: compressible(v.cues(f, p.kept, first, maxMSN, ""))}
	v.album.board.Store(b)
	return b.text
}

// firstOfDVR returns the first segment of the DVR's playlists.
func (v *view) firstOfDVR() int64 {
	snap := v.renditions[0].Snapshot()
	return snap.firstOf(snap.window(true))
}

// Storyboard returns the thumbnails of the piece. Time 0 is where its playlists begin.
func (p *Past) Storyboard() Text {
	p.clamp()
	base := "../../dvr/" + p.view.feed.ID + "/"
	return compressible(p.view.cues(p.feed, p.view.album.load().kept, p.first, p.last+1, base))
}

// cues returns a storyboard of segments [first, end), of which the first begins at time 0.
func (v *view) cues(f *Feed, kept []*thumbnail, first, end int64, base string) []byte {
	g, step := v.feed.Grid, v.tileStep()
	zero := g.SegmentTime(first)
	dst := fmt.Appendf(nil, "WEBVTT\n\nNOTE Time 0 is %s\n", zero.Time().UTC().Format("2006-01-02T15:04:05.000Z"))
	i, _ := slices.BinarySearchFunc(kept, v.spriteStart(first), byNumber)
	for kept = kept[i:]; len(kept) > 0; {
		s := v.sprite(f, kept)
		for _, t := range s.Tiles {
			begin := t.thumbnail.msn - t.thumbnail.msn%step
			from, to := max(begin, first), min(begin+step, end)
			if from >= to {
				continue
			}
			dst = fmt.Appendf(dst, "\n%s --> %s\n%sstoryboard.%s.jpg#xywh=%d,%d,%d,%d\n",
				cueTime(g.SegmentTime(from)-zero), cueTime(g.SegmentTime(to)-zero), base, s.name(),
				t.Column*s.TileWidth, t.Row*s.TileHeight, s.TileWidth, s.TileHeight)
		}
		next := v.spriteStart(kept[0].msn) + spriteTiles*step
		i, _ = slices.BinarySearchFunc(kept, next, byNumber)
		kept = kept[i:]
	}
	return dst
}

// cueTime writes a WebVTT timestamp.
func cueTime(t codecs.Ticks) string {
	d := t.Duration().Round(time.Millisecond)
	return fmt.Sprintf("%02d:%02d:%02d.%03d", d/time.Hour, d/time.Minute%60, d/time.Second%60, d/time.Millisecond%1000)
}
