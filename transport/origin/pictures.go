package origin

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/live"
)

const (
	jpegType = "image/jpeg"
	vttType  = "text/vtt; charset=utf-8"

	// forGood is how long caches may keep what never changes.
	forGood = "public, max-age=86400, immutable"
)

// routePictures serves thumbnails and storyboards.
func (s *Server) routePictures(mux *http.ServeMux) {
	mux.HandleFunc("PUT /ingest/v1/{feed}/{msn}/thumbnail", s.authorised(s.putThumbnail))
	mux.HandleFunc("GET /live/{feed}/{picture}", s.getThumbnail)
	mux.HandleFunc("GET /dvr/{feed}/storyboard.vtt", s.getStoryboard)
	mux.HandleFunc("GET /dvr/{feed}/{picture}", s.getSprite)
	mux.HandleFunc("GET /vod/{feed}/storyboard.vtt", s.getPastStoryboard)
}

func (s *Server) putThumbnail(w http.ResponseWriter, req *http.Request) {
	feed := s.ingestFeed(w, req)
	if feed == nil {
		return
	}
	msn, errPlace := strconv.ParseInt(req.PathValue("msn"), 10, 64)
	epoch, errEpoch := strconv.ParseUint(req.Header.Get(HeaderEpoch), 10, 64)
	if err := errors.Join(errPlace, errEpoch); err != nil {
		s.refuse(w, fmt.Errorf("reading a thumbnail's place and headers: %w: %w", live.ErrInvalid, err))
		return
	}
	if kind, _, err := mime.ParseMediaType(req.Header.Get("Content-Type")); err != nil || kind != jpegType {
		s.refuse(w, fmt.Errorf("reading a thumbnail: %w: want %s", live.ErrInvalid, jpegType))
		return
	}
	data, ok := s.read(w, req, live.MaxThumbnailBytes)
	if !ok {
		return
	}
	if err := feed.PutThumbnail(epoch, pipeline.Thumbnail{MSN: msn, Data: data}); err != nil {
		s.refuse(w, err)
		return
	}
	s.metrics.thumbnails.WithLabelValues(feed.ID()).Inc()
	s.metrics.thumbnailBytes.WithLabelValues(feed.ID()).Add(float64(len(data)))
	w.WriteHeader(http.StatusNoContent)
}

// getThumbnail answers with thumbnail.jpg, the newest, or thumbnail.<msn>.jpg.
func (s *Server) getThumbnail(w http.ResponseWriter, req *http.Request) {
	feed := s.opts.Feeds.Feed(req.PathValue("feed"))
	msn, ok := parseThumbnail(req.PathValue("picture"))
	if feed == nil || !ok {
		fail(w, http.StatusNotFound, "no such file", time.Second)
		return
	}
	media, _, err := feed.Thumbnail(msn)
	if err != nil {
		failLive(w, err, targetOf(feed))
		return
	}
	defer func() { _ = media.Close() }() // it was only read
	h := w.Header()
	h.Set("Content-Type", jpegType)
	h.Set("ETag", `"`+media.Tag+`"`)
	if msn < 0 {
		cacheFor(w, targetOf(feed)/2)
	} else {
		h.Set("Cache-Control", forGood)
	}
	http.ServeContent(w, req, "", time.Time{}, media.ReadSeekCloser)
}

// parseThumbnail returns the segment of thumbnail.<msn>.jpg, and -1 for thumbnail.jpg.
func parseThumbnail(name string) (msn int64, ok bool) {
	if name == "thumbnail.jpg" {
		return -1, true
	}
	number, ok := cutAround(name, "thumbnail.", ".jpg")
	if !ok {
		return 0, false
	}
	return canonical(number)
}

func (s *Server) getStoryboard(w http.ResponseWriter, req *http.Request) {
	feed := s.opts.Feeds.Feed(req.PathValue("feed"))
	if feed == nil {
		fail(w, http.StatusNotFound, "no such feed", time.Second)
		return
	}
	cacheFor(w, targetOf(feed)/2)
	writeText(w, req, vttType, feed.Storyboard())
}

func (s *Server) getPastStoryboard(w http.ResponseWriter, req *http.Request) {
	past, target, ok := s.past(w, req)
	if !ok {
		return
	}
	cachePast(w, past, target)
	writeText(w, req, vttType, past.Storyboard())
}

// getSprite answers with storyboard.<first>-<last>.jpg.
func (s *Server) getSprite(w http.ResponseWriter, req *http.Request) {
	feed := s.opts.Feeds.Feed(req.PathValue("feed"))
	first, last, ok := parseSprite(req.PathValue("picture"))
	if feed == nil || !ok {
		fail(w, http.StatusNotFound, "no such file", time.Second)
		return
	}
	sheet, err := feed.Sprite(first, last)
	if err != nil {
		failLive(w, err, targetOf(feed))
		return
	}
	data, err := s.sprites.get(req.Context(), feed.ID()+"/"+sheet.Tag, func() ([]byte, error) { return s.join(sheet) })
	if err != nil {
		failLive(w, err, 0)
		return
	}
	h := w.Header()
	h.Set("Content-Type", jpegType)
	h.Set("ETag", `"`+sheet.Tag+`"`)
	h.Set("Cache-Control", forGood)
	http.ServeContent(w, req, "", time.Time{}, readable(data))
}

func parseSprite(name string) (first, last int64, ok bool) {
	place, ok := cutAround(name, "storyboard.", ".jpg")
	if !ok {
		return 0, 0, false
	}
	from, to, _ := strings.Cut(place, "-")
	first, okFirst := canonical(from)
	last, okLast := canonical(to)
	return first, last, okFirst && okLast && first <= last
}
