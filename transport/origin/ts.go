package origin

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

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
	var muxed *live.Muxed
	if feed != nil {
		muxed = feed.Muxed(req.PathValue("rendition"))
	}
	playlist, dvr := isTSPlaylist(file)
	number, isSegment := strings.CutSuffix(file, ".ts")
	msn, isNumber := canonical(number)
	switch {
	case muxed == nil:
		fail(w, http.StatusNotFound, "no such file", time.Second)
	case playlist:
		s.getTSPlaylist(w, req, muxed, dvr)
	case isSegment && isNumber:
		s.getTSSegment(w, req, muxed, msn) //nolint:contextcheck // what is made is shared: it outlives who asked first
	default:
		fail(w, http.StatusNotFound, "no such file", time.Second)
	}
}

func (s *Server) getTSPlaylist(w http.ResponseWriter, req *http.Request, muxed *live.Muxed, dvr bool) {
	target := muxed.TargetDuration()
	err := muxed.Err(s.opts.Now())
	var text live.Text
	if err == nil {
		text, err = muxed.Playlist(dvr)
	}
	if err != nil {
		failLive(w, err, target)
		return
	}
	cacheFor(w, target/2)
	writePlaylist(w, req, text)
}

func (s *Server) getTSSegment(w http.ResponseWriter, req *http.Request, muxed *live.Muxed, msn int64) {
	target := muxed.TargetDuration()
	tag, err := muxed.Tag(msn)
	if err != nil {
		failLive(w, err, target)
		return
	}
	key := req.PathValue("feed") + "/" + req.PathValue("rendition") + "/" + tag
	data, err := s.muxed.get(key, func() ([]byte, error) { return muxed.Segment(msn) })
	switch {
	case errors.Is(err, live.ErrGone):
		failLive(w, err, target)
		return
	case err != nil:
		s.muxed.failed(err, key)
		fail(w, http.StatusInternalServerError, "the segment can not be made", target)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "video/mp2t")
	h.Set("ETag", `"`+tag+`"`)
	cacheFor(w, 6*target)
	http.ServeContent(w, req, "", time.Time{}, bytes.NewReader(data))
}

// failed logs a segment that can not be made, at most one a minute: whoever asks for it will ask again.
func (c *made) failed(err error, key string) {
	now, last := c.now(), c.logged.Load()
	if now.UnixNano()-last >= int64(time.Minute) && c.logged.CompareAndSwap(last, now.UnixNano()) {
		c.logger.Error("a segment of MPEG-TS can not be made; others are not concerned", slog.String("segment", key), slog.Any("error", err))
	}
}
