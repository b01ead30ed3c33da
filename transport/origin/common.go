package origin

import (
	"io"
	"net/http"
	"strconv"
	"time"
)

// common does what holds for every answer: CORS, errors included, or players can not tell what went wrong;
// a limit on how long a client may take to send a body, whether anybody reads it or not, and to read the answer; and the count.
// A lane does each of these itself, but the limit for bodies, as it takes none: see TestASegmentInALaneIsAnsweredAsAnyOther.
func (s *Server) common(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if conn := connOf(req); conn != nil {
			conn.requests++
		}
		commonHeader(w.Header())
		rec := &recorder{ResponseWriter: w, timeout: s.opts.WriteTimeout}
		defer func() {
			if !rec.parked { // that counts its answers itself
				s.metrics.responses.WithLabelValues(class(rec.status)).Inc()
			}
		}()
		if req.ContentLength != 0 {
			bodyUntil(w, time.Now().Add(s.opts.ReadTimeout))
		}
		if req.Method == http.MethodOptions {
			preflight(rec)
			return
		}
		next.ServeHTTP(rec, req)
	})
}

// bodyUntil bounds the reading of a request's body.
func bodyUntil(w http.ResponseWriter, at time.Time) {
	// The writer of a test, or of HTTP/2 in older proxies, may know no deadlines; then the connection's limits hold.
	_ = http.NewResponseController(w).SetReadDeadline(at)
}

func commonHeader(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "Age, Date, ETag, Content-Length, Content-Range")
	h.Set("X-Content-Type-Options", "nosniff")
}

func preflight(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Range, If-None-Match, CMCD-Object, CMCD-Request, CMCD-Session, CMCD-Status")
	h.Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
}

// recorder notes the status, and starts the clock for sending when there is something to send:
// a request that waits for a part has not begun to be slow.
type recorder struct {
	http.ResponseWriter
	timeout time.Duration
	status  int
	parked  bool // its connection has been taken from net/http, see parking
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
		// A writer that knows no deadlines (a test's) has none to set.
		_ = http.NewResponseController(r.ResponseWriter).SetWriteDeadline(time.Now().Add(r.timeout))
	}
	r.ResponseWriter.WriteHeader(status)
}

// slowest is the rate at which a client may read what is large, in bytes per second.
const slowest = 64 << 10

// allow gives the answer the time that its size needs.
func allow(w http.ResponseWriter, size int64) {
	if r, ok := w.(*recorder); ok {
		r.timeout += time.Duration(size/slowest) * time.Second
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.WriteHeader(http.StatusOK)
	}
	return r.ResponseWriter.Write(b)
}

// ReadFrom implements io.ReaderFrom, for the sake of what lies beneath.
func (r *recorder) ReadFrom(src io.Reader) (int64, error) {
	if r.status == 0 {
		r.WriteHeader(http.StatusOK)
	}
	return io.Copy(r.ResponseWriter, src)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// class returns the class of a status, for the metric. Without one the answer is 200.
func class(status int) string {
	if status == 0 {
		return "2xx"
	}
	return strconv.Itoa(status/100) + "xx"
}

// fail answers with an error that caches may keep for maxAge; not at all when that is 0.
func fail(w http.ResponseWriter, status int, message string, maxAge time.Duration) {
	cacheFor(w, maxAge)
	http.Error(w, message, status)
}

func cacheFor(w http.ResponseWriter, maxAge time.Duration) {
	w.Header().Set("Cache-Control", cacheControl(maxAge))
}

func cacheControl(maxAge time.Duration) string {
	if maxAge <= 0 {
		return "no-store"
	}
	return "public, max-age=" + strconv.FormatInt(int64(max(maxAge/time.Second, 1)), 10)
}
