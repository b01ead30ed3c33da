package origin

import (
	"bytes"
	"net/http"
	"strconv"
	"time"
)

// head returns status line and header of an answer. It is valid until the next.
func (l *lane) head(a segmentAnswer) []byte {
	key := laneKey{mediaType(a.rendition.Kind()), a.rendition.TargetDuration()}
	fixed, ok := l.fixed[key]
	if !ok {
		h := http.Header{}
		commonHeader(h)
		mediaHeader(h, a.rendition)
		h.Set("Accept-Ranges", "bytes")
		var b bytes.Buffer
		_ = h.Write(&b) // a bytes.Buffer takes every write
		fixed = b.Bytes()
		l.fixed[key] = fixed
	}
	b := l.header[:0]
	b = append(b, "HTTP/1.1 200 OK\r\n"...)
	b = append(b, fixed...)
	b = append(b, "Etag: \""...)
	b = append(b, a.tag...)
	b = append(b, "\"\r\nContent-Length: "...)
	b = strconv.AppendInt(b, a.file.Size(), 10)
	b = append(b, "\r\nDate: "...)
	b = append(b, l.now()...)
	b = append(b, "\r\n\r\n"...)
	l.header = b
	return b
}

// now returns the time as HTTP writes it (RFC 9110 §5.6.7).
func (l *lane) now() []byte {
	if now := l.server.opts.Now().Truncate(time.Second); !now.Equal(l.date) || l.dated == nil {
		l.date, l.dated = now, now.UTC().AppendFormat(l.dated[:0], http.TimeFormat)
	}
	return l.dated
}
