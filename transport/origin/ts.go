package origin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/venuecast/venuecast/pipeline/live"
)

// routeTS adds what players without fMP4 get, for feeds whose ladder asks for it. A playlist of either name lists others of
// the same name: index.m3u8 the live edge, dvr.m3u8 as far back as there is media.
func (s *Server) routeTS(mux *http.ServeMux) {
	mux.HandleFunc("GET /ts/{feed}/{file}", s.getTSMultivariant)
	mux.HandleFunc("GET /ts/{feed}/{rendition}/{file}", s.getTS)
}

// isTSPlaylist reports whether a file is a playlist, and whether it is the long one.
func isTSPlaylist(file string) (is, dvr bool) {
	return file == "index.m3u8" || file == "dvr.m3u8", file == "dvr.m3u8"
}

func (s *Server) getTSMultivariant(w http.ResponseWriter, req *http.Request) {
	feed, file := s.opts.Feeds.Feed(req.PathValue("feed")), req.PathValue("file")
	if is, _ := isTSPlaylist(file); feed == nil || !is {
		fail(w, http.StatusNotFound, "no such file", time.Second)
		return
	}
	target := targetOf(feed)
	text, err := feed.MuxedMultivariant(s.opts.Now(), file)
	if err != nil {
		failLive(w, err, target)
		return
	}
	cacheFor(w, target/2)
	writePlaylist(w, req, text)
}

func (s *Server) getTS(w http.ResponseWriter, req *http.Request) {
	feed, file := s.opts.Feeds.Feed(req.PathValue("feed")), req.PathValue("file")
	var list *live.Muxed
	if feed != nil {
		list = feed.Muxed(req.PathValue("rendition"))
	}
	playlist, dvr := isTSPlaylist(file)
	number, isSegment := strings.CutSuffix(file, ".ts")
	msn, isNumber := canonical(number)
	switch {
	case list == nil:
		fail(w, http.StatusNotFound, "no such file", time.Second)
	case playlist:
		s.getTSPlaylist(w, req, list, dvr)
	case isSegment && isNumber:
		s.getTSSegment(w, req, list, msn)
	default:
		fail(w, http.StatusNotFound, "no such file", time.Second)
	}
}

func (s *Server) getTSPlaylist(w http.ResponseWriter, req *http.Request, list *live.Muxed, dvr bool) {
	target := list.TargetDuration()
	err := list.Err(s.opts.Now())
	var text live.Text
	if err == nil {
		text, err = list.Playlist(dvr)
	}
	if err != nil {
		failLive(w, err, target)
		return
	}
	cacheFor(w, target/2)
	writePlaylist(w, req, text)
}

func (s *Server) getTSSegment(w http.ResponseWriter, req *http.Request, list *live.Muxed, msn int64) {
	target := list.TargetDuration()
	tag, err := list.Tag(msn)
	if err != nil {
		failLive(w, err, target)
		return
	}
	key := req.PathValue("feed") + "/" + req.PathValue("rendition") + "/" + tag
	work := func() ([]byte, error) { return list.Segment(msn) } //nolint:contextcheck // it is shared: it outlives who asked first
	data, err := s.muxed.get(req.Context(), key, work)
	switch {
	case err == nil:
	case errors.Is(err, live.ErrGone):
		failLive(w, err, target)
		return
	case errors.Is(err, errBusy), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		failLive(w, err, 0)
		return
	default:
		s.muxed.failed(err, key, s.opts.Now())
		fail(w, http.StatusInternalServerError, "the segment can not be made", target)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "video/mp2t")
	h.Set("ETag", `"`+tag+`"`)
	cacheFor(w, 6*target)
	http.ServeContent(w, req, "", time.Time{}, bytes.NewReader(data))
}

// Bounds of the work for MPEG-TS: a segment takes some 10 ms of one processor.
const (
	muxedWaiting  = 256 // different segments; more are turned away
	muxedPatience = 5 * time.Second
)

// muxed makes segments of MPEG-TS.
type muxed struct {
	*made
	logger *slog.Logger
	logged atomic.Int64 // when a failure was last logged, in nanoseconds since 1970
}

// newMuxed returns what makes segments, with its metrics in the options' registerer.
func newMuxed(opts Options) (*muxed, error) {
	counts := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "venuecast_origin_ts_segments_total",
		Help: "Requests for segments of MPEG-TS, by result: made, kept (made before), shared (being made for another), failed, refused.",
	}, []string{"result"})
	size := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "venuecast_origin_ts_cache_bytes", Help: "Segments of MPEG-TS that are kept in memory.",
	})
	for _, collector := range []prometheus.Collector{counts, size} {
		if err := opts.Registerer.Register(collector); err != nil {
			return nil, fmt.Errorf("registering the metrics of MPEG-TS: %w", err)
		}
	}
	return &muxed{logger: opts.Logger, made: newMade(madeOptions{
		bytes: opts.MuxedBytes, atOnce: runtime.GOMAXPROCS(0), waiting: muxedWaiting, patience: muxedPatience,
		counted: func(result string) { counts.WithLabelValues(result).Inc() },
		sized:   func(bytes int64) { size.Set(float64(bytes)) },
	})}, nil
}

// failed logs a segment that can not be made, at most one a minute: whoever asks for it will ask again.
func (m *muxed) failed(err error, key string, now time.Time) {
	last := m.logged.Load()
	if now.UnixNano()-last >= int64(time.Minute) && m.logged.CompareAndSwap(last, now.UnixNano()) {
		m.logger.Error("a segment of MPEG-TS can not be made; others are not concerned", slog.String("segment", key), slog.Any("error", err))
	}
}
