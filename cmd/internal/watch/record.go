package watch

import (
	"bytes"
	"time"
)

// Piece is a segment as it was served.
type Piece struct {
	Init     []byte // its init section
	MSN      int64
	DateTime time.Time // EXT-X-PROGRAM-DATE-TIME
	Data     []byte
}

// Recording is the newest segments of a rendition, in order. Its bytes must not be written.
type Recording []Piece

// File returns the segments behind the first one's init section: a file that players read.
func (r Recording) File() []byte {
	if len(r) == 0 {
		return nil
	}
	parts := [][]byte{r[0].Init}
	for i := range r {
		parts = append(parts, r[i].Data)
	}
	return bytes.Join(parts, nil)
}

// recorder keeps the newest segments within a number of bytes.
type recorder struct {
	limit  int64
	size   int64
	pieces Recording
}

func (r *recorder) add(p Piece) {
	if r.limit <= 0 {
		return
	}
	r.pieces = append(r.pieces, p)
	r.size += int64(len(p.Data))
	for r.size > r.limit && len(r.pieces) > 1 {
		r.size -= int64(len(r.pieces[0].Data))
		r.pieces[0] = Piece{}
		r.pieces = r.pieces[1:]
	}
}
