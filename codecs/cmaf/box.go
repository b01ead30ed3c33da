package cmaf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
)

// box is one box of a file: its type and what follows the header.
type box struct {
	kind   string
	offset int // of its header in what was walked
	start  int // of its body
	body   []byte
}

var errShort = errors.New("box ends too early")

// boxes walks the boxes in data. After an error it ends.
func boxes(data []byte) iter.Seq2[box, error] {
	return func(yield func(box, error) bool) {
		for offset := 0; offset < len(data); {
			b, size, err := boxAt(data, offset)
			if !yield(b, err) || err != nil {
				return
			}
			offset += size
		}
	}
}

// boxAt reads a box header (ISO/IEC 14496-12 §4.2.2).
func boxAt(data []byte, offset int) (box, int, error) {
	rest := data[offset:]
	if len(rest) < 8 {
		return box{}, 0, errShort
	}
	size, header := uint64(binary.BigEndian.Uint32(rest)), 8
	switch size {
	case 0: // up to the end
		size = uint64(len(rest))
	case 1:
		if len(rest) < 16 {
			return box{}, 0, errShort
		}
		size, header = binary.BigEndian.Uint64(rest[8:]), 16
	}
	kind := string(rest[4:8])
	if size < uint64(header) || size > uint64(len(rest)) {
		return box{}, 0, fmt.Errorf("box %q of %d bytes: %w", kind, size, errShort)
	}
	return box{kind: kind, offset: offset, start: offset + header, body: rest[header:size]}, int(size), nil
}

// find returns the first box of the path, each step within the one before.
func find(data []byte, path ...string) ([]byte, error) {
	for _, kind := range path {
		b, err := child(data, kind)
		if err != nil {
			return nil, err
		}
		data = b.body
	}
	return data, nil
}

func child(data []byte, kind string) (box, error) {
	for b, err := range boxes(data) {
		if err != nil {
			return box{}, err
		}
		if b.kind == kind {
			return b, nil
		}
	}
	return box{}, fmt.Errorf("box %q is missing", kind)
}

// reader reads big-endian numbers; the first failure sticks, and what is read after it is zero.
type reader struct {
	data []byte
	err  error
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.data) {
		r.data, r.err = nil, errShort
		return nil
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}

func (r *reader) uint(bytes int) uint64 {
	var v uint64
	for _, b := range r.take(bytes) {
		v = v<<8 | uint64(b)
	}
	return v
}

func (r *reader) u8() int     { return int(r.uint(1)) }
func (r *reader) u16() int    { return int(r.uint(2)) }
func (r *reader) u32() uint32 { return uint32(r.uint(4)) }
func (r *reader) u64() uint64 { return r.uint(8) }

// full reads the version and flags of a full box.
func (r *reader) full() (version byte, flags uint32) {
	v := r.u32()
	return byte(v >> 24), v & 0xffffff
}
