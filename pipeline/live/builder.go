package live

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"sync"
)

// builder puts a playlist together, plain and gzip at once. What a page holds is not compressed again:
// a stretch of deflate that ends on a byte and looks back at nothing before it may stand in any stream (RFC 1951 §3.2).
type builder struct {
	plain []byte
	zip   bytes.Buffer
	fresh int // from here on plain is not yet in zip
}

// gzipHeader says deflate, no name, no time (RFC 1952 §2.3).
var gzipHeader = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}

// page appends text that has been compressed already.
func (b *builder) page(p *page) {
	b.squeeze(false)
	b.plain = append(b.plain, p.plain...)
	b.zip.Write(p.deflated)
	b.fresh = len(b.plain)
}

// text ends the playlist.
func (b *builder) text() Text {
	b.squeeze(true)
	crc := crc32.ChecksumIEEE(b.plain)
	b.zip.Write(binary.LittleEndian.AppendUint32(nil, crc))
	b.zip.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(b.plain))))
	return Text{Plain: b.plain, Gzip: b.zip.Bytes(), Tag: fmt.Sprintf(`W/"%x-%08x"`, len(b.plain), crc)}
}

func (b *builder) squeeze(last bool) {
	if b.zip.Len() == 0 {
		b.zip.Write(gzipHeader)
	}
	if b.fresh < len(b.plain) || last {
		deflate(&b.zip, b.plain[b.fresh:], &fast, last)
	}
	b.fresh = len(b.plain)
}

// compressed returns a text without pages.
func compressed(plain []byte) Text {
	b := builder{plain: plain}
	return b.text()
}

// Deflaters are large: 600 kB and more. The levels are valid, so making one can not fail.
var (
	fast = sync.Pool{New: func() any { w, _ := flate.NewWriter(nil, flate.BestSpeed); return w }}
	best = sync.Pool{New: func() any { w, _ := flate.NewWriter(nil, flate.BestCompression); return w }}
)

// deflate appends data to out: up to a byte's edge, or as the end of the stream.
func deflate(out *bytes.Buffer, data []byte, pool *sync.Pool, last bool) {
	w := pool.Get().(*flate.Writer) //nolint:forcetypeassert // the pools hold nothing else
	defer pool.Put(w)
	w.Reset(out)
	// A bytes.Buffer takes every write, so these can not fail.
	_, _ = w.Write(data)
	if last {
		_ = w.Close()
		return
	}
	_ = w.Flush()
}
