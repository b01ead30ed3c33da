package live

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// builder puts a playlist together.
type builder struct {
	plain []byte
	pages []placed
}

// placed is a page in a playlist, and where it begins.
type placed struct {
	*page
	at int
}

// page appends a page, whose gzip form is made once for all playlists that it is in.
func (b *builder) page(p *page) {
	b.pages = append(b.pages, placed{p, len(b.plain)})
	b.plain = append(b.plain, p.plain...)
}

// text ends the playlist.
func (b *builder) text() Text {
	crc := crc32.ChecksumIEEE(b.plain)
	return Text{Plain: b.plain, Tag: fmt.Sprintf("%x-%08x", len(b.plain), crc), coded: &coded{pages: b.pages, crc: crc}}
}

// compressible returns a text without pages.
func compressible(plain []byte) Text {
	b := builder{plain: plain}
	return b.text()
}

// gzipHeader says deflate, no name, no time (RFC 1952 §2.3).
var gzipHeader = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}

// gzipped returns a text as gzip. What its pages hold is not compressed again: a stretch of deflate that ends on a byte and
// looks back at nothing before it may stand in any stream (RFC 1951 §3.2).
func gzipped(plain []byte, pages []placed, crc uint32) []byte {
	var out bytes.Buffer
	_, _ = out.Write(gzipHeader) // a bytes.Buffer takes every write
	from := 0
	for _, p := range pages {
		if from < p.at {
			deflate(&out, plain[from:p.at], &fast, false)
		}
		_, _ = out.Write(p.deflated())
		from = p.at + len(p.plain)
	}
	deflate(&out, plain[from:], &fast, true)
	trailer := binary.LittleEndian.AppendUint32(nil, crc)
	_, _ = out.Write(binary.LittleEndian.AppendUint32(trailer, uint32(len(plain))))
	return out.Bytes()
}
