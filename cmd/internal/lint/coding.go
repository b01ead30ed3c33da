package lint

import (
	"compress/gzip"
	"hash/fnv"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/venuecast/venuecast/pipeline/rules"
)

// codings returns what an answer may be coded with. Half of the playlists are asked for in zstd, which are others with each
// reload: a playlist that says something else in zstd than in gzip breaks the rules of what may change between two reloads.
func codings(q *rules.Request) string {
	if q.Kind != rules.MultivariantPlaylist && q.Kind != rules.MediaPlaylist {
		return "gzip"
	}
	h := fnv.New32a()
	_, _ = io.WriteString(h, q.URL) // a hash takes every write
	if h.Sum32()&1 == 0 {
		return "gzip"
	}
	return "zstd, gzip;q=0.5"
}

// maxWindow is what a decoder must have room for (RFC 9659).
const maxWindow = 8 << 20

// decoded returns what a body says. The caller closes it; that leaves body open.
func decoded(coding string, body io.Reader) (io.ReadCloser, error) {
	switch coding {
	case "gzip":
		return gzip.NewReader(body)
	case "zstd":
		z, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	default:
		return io.NopCloser(body), nil
	}
}
