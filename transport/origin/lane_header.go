package origin

import (
	"bytes"
	"net/http"
	"strconv"
	"time"

	"github.com/venuecast/venuecast/pipeline/live"
)

// laneKey is what header fields hang on that are the same for many answers.
type laneKey struct {
	contentType string
	target      time.Duration
}

// head returns status line and header of an answer. It is valid until the next.
func (l *lane) head(r *live.Rendition, tag string, size int64) []byte {
	b := l.header[:0]
	b = append(b, "HTTP/1.1 200 OK\r\n"...)
	b = append(b, l.server.fixed(r)...)
	b = append(b, "Etag: \""...)
	b = append(b, tag...)
	b = append(b, "\"\r\nContent-Length: "...)
	b = strconv.AppendInt(b, size, 10)
	b = append(b, "\r\nDate: "...)
	b = append(b, l.now()...)
	b = append(b, "\r\n\r\n"...)
	l.header = b
	return b
}

// fixed returns the header fields that all media of a rendition have.
func (s *Server) fixed(r *live.Rendition) []byte {
	key := laneKey{mediaType(r.Kind()), r.TargetDuration()}
	if fixed, ok := s.heads.Load(key); ok {
		return fixed.([]byte) //nolint:forcetypeassert // nothing else is stored
	}
	h := http.Header{}
	commonHeader(h)
	mediaHeader(h, r)
	h.Set("Accept-Ranges", "bytes")
	var b bytes.Buffer
	_ = h.Write(&b) // a bytes.Buffer takes every write
	s.heads.Store(key, b.Bytes())
	return b.Bytes()
}

// now returns the time as HTTP writes it (RFC 9110 §5.6.7).
func (l *lane) now() []byte {
	if now := l.server.opts.Now().Truncate(time.Second); !now.Equal(l.date) || l.dated == nil {
		l.date, l.dated = now, now.UTC().AppendFormat(l.dated[:0], http.TimeFormat)
	}
	return l.dated
}
