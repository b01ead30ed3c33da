package live

import (
	"bytes"
	"compress/flate"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// Compressors are large: deflate's have 600 kB and more. Their options are valid, so making one can not fail.
var (
	fast = sync.Pool{New: func() any { w, _ := flate.NewWriter(nil, flate.BestSpeed); return w }}
	best = sync.Pool{New: func() any { w, _ := flate.NewWriter(nil, flate.BestCompression); return w }}

	zstandard = sync.Pool{New: func() any {
		w, _ := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(zstdWindow),
			zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
		return w
	}}
)

// zstdWindow is how far zstd looks back, and so what a decoder needs: one may refuse more than 8 MB (RFC 9659).
const zstdWindow = 1 << 20

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

// zstdOf returns a text as one frame of zstd (RFC 8878 §3.1). Frames of pages one after another would be a valid stream, too,
// but not all decoders read on behind the first.
func zstdOf(plain []byte) []byte {
	w := zstandard.Get().(*zstd.Encoder) //nolint:forcetypeassert // the pool holds nothing else
	defer zstandard.Put(w)
	return w.EncodeAll(plain, nil)
}
