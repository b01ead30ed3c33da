package origin

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/venuecast/venuecast/pipeline/live"
)

func (s *Server) getPast(w http.ResponseWriter, req *http.Request) {
	past, target, ok := s.past(w, req)
	if !ok {
		return
	}
	cachePast(w, past, target)
	writePlaylist(w, req, past.Multivariant())
}

func (s *Server) getPastPlaylist(w http.ResponseWriter, req *http.Request) {
	f := parseFile(req.PathValue("file"))
	if !f.isPlaylist() {
		fail(w, http.StatusNotFound, "no such file", time.Second)
		return
	}
	past, target, ok := s.past(w, req)
	if !ok {
		return
	}
	text, err := past.Playlist(req.PathValue("rendition"), f.kind == iframesFile)
	if err != nil {
		failLive(w, err, target)
		return
	}
	cachePast(w, past, target)
	writePlaylist(w, req, text)
}

// cachePast lets caches keep what will not change; a piece that is not yet all past may grow with every segment.
func cachePast(w http.ResponseWriter, past *live.Past, target time.Duration) {
	if past.Complete() {
		cacheFor(w, 6*target)
		return
	}
	cacheFor(w, target/2)
}

// past returns the piece that a request names, or answers why there is none.
func (s *Server) past(w http.ResponseWriter, req *http.Request) (past *live.Past, target time.Duration, ok bool) {
	feed := s.opts.Feeds.Feed(req.PathValue("feed"))
	if feed == nil {
		fail(w, http.StatusNotFound, "no such feed", time.Second)
		return nil, 0, false
	}
	target = targetOf(feed)
	query := req.URL.Query()
	from, to, err := parseSpan(query.Get("from"), query.Get("to"))
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error(), 4*target)
		return nil, 0, false
	}
	past, err = feed.Past(from, to)
	switch {
	case errors.Is(err, live.ErrInvalid):
		fail(w, http.StatusBadRequest, err.Error(), 4*target)
	case err != nil:
		failLive(w, err, target)
	}
	return past, target, err == nil
}

// parseSpan reads the beginning and the end of a piece.
func parseSpan(from, to string) (begin, end time.Time, err error) {
	if begin, err = parseInstant(from); err != nil {
		return begin, end, fmt.Errorf("from: %w", err)
	}
	if end, err = parseInstant(to); err != nil {
		return begin, end, fmt.Errorf("to: %w", err)
	}
	return begin, end, nil
}

// parseInstant reads a time as RFC 3339 or in seconds since the Unix epoch.
func parseInstant(text string) (time.Time, error) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		if !(math.Abs(seconds) < 1e11) {
			return time.Time{}, fmt.Errorf("%q is out of range", text)
		}
		whole, rest := math.Modf(seconds)
		// A float has some 200 ns at this distance from the epoch: people mean what they write, to the microsecond.
		return time.Unix(int64(whole), int64(math.Round(rest*1e6))*1000).UTC(), nil
	}
	// A plus that was not escaped arrives as a space.
	at, err := time.Parse(time.RFC3339Nano, strings.ReplaceAll(text, " ", "+"))
	if err != nil {
		return time.Time{}, fmt.Errorf("%q: want a time such as 2026-11-22T12:00:00Z, or seconds since 1970", text)
	}
	return at, nil
}
