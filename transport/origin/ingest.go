package origin

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/venuecast/venuecast/codecs/captions"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/live"
)

// The headers of a part and an init section.
const (
	HeaderEpoch       = "Venuecast-Epoch"
	HeaderCodecs      = "Venuecast-Codecs"
	HeaderDuration    = "Venuecast-Duration"  // in units of the timescale
	HeaderTimescale   = "Venuecast-Timescale" // in units per second
	HeaderIndependent = "Venuecast-Independent"
	HeaderGap         = "Venuecast-Gap"      // true: the part is not made, and has no body
	HeaderCaptions    = "Venuecast-Captions" // the CEA-608 channels whose captions begin in a part, if any: "CC1,CC3"
	// HeaderDemand is in the answer to a claim when the worker will be told what is asked for; else it is to make everything.
	HeaderDemand = "Venuecast-Demand"
)

const maxSessionBytes = 1 << 20

// authorised lets only those through who show the token.
func (s *Server) authorised(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		token, isBearer := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
		given := sha256.Sum256([]byte(token))
		if !isBearer || subtle.ConstantTimeCompare(given[:], s.token[:]) != 1 {
			s.metrics.refused.WithLabelValues("token").Inc()
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "want the header Authorization: Bearer with the token of origin.push_token", http.StatusUnauthorized)
			return
		}
		next(w, req)
	}
}

func (s *Server) postSession(w http.ResponseWriter, req *http.Request) {
	body, ok := s.read(w, req, maxSessionBytes)
	if !ok {
		return
	}
	var session pipeline.Session
	if err := json.Unmarshal(body, &session); err != nil {
		s.refuse(w, fmt.Errorf("reading the session: %w: %w", live.ErrInvalid, err))
		return
	}
	if session.Feed.ID != req.PathValue("feed") {
		s.refuse(w, fmt.Errorf("%w: the session is of another feed", live.ErrInvalid))
		return
	}
	state, err := s.opts.Feeds.Claim(session)
	if err != nil {
		s.refuse(w, err)
		return
	}
	if s.opts.Demands != nil {
		w.Header().Set(HeaderDemand, "reported")
	}
	writeJSON(w, state)
}

func (s *Server) getState(w http.ResponseWriter, req *http.Request) {
	if feed := s.ingestFeed(w, req); feed != nil {
		writeJSON(w, feed.State())
	}
}

func (s *Server) putInit(w http.ResponseWriter, req *http.Request) {
	feed := s.ingestFeed(w, req)
	if feed == nil {
		return
	}
	epoch, err := strconv.ParseUint(req.Header.Get(HeaderEpoch), 10, 64)
	if err != nil {
		s.refuse(w, fmt.Errorf("%w: header %s: %w", live.ErrInvalid, HeaderEpoch, err))
		return
	}
	data, ok := s.read(w, req, live.MaxInitBytes)
	if !ok {
		return
	}
	init := pipeline.Init{Rendition: req.PathValue("rendition"), Codecs: req.Header.Get(HeaderCodecs), Data: data}
	if err := feed.PutInit(epoch, init); err != nil {
		s.refuse(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) putPart(w http.ResponseWriter, req *http.Request) {
	feed := s.ingestFeed(w, req)
	if feed == nil {
		return
	}
	part, epoch, err := parsePart(req)
	if err != nil {
		s.refuse(w, err)
		return
	}
	var ok bool
	if part.Data, ok = s.read(w, req, live.MaxPartBytes); !ok {
		return
	}
	if err := feed.PutPart(epoch, part); err != nil {
		s.refuse(w, err)
		return
	}
	if !part.Gap {
		s.count(feed, part)
	}
	if !s.receive(w, req) {
		w.WriteHeader(http.StatusNoContent)
	}
}

// count notes a part that was taken.
func (s *Server) count(feed *live.Feed, part pipeline.Part) {
	g := feed.Constants().Grid
	end := g.FrameTime(g.PartFrame(part.MSN, part.Index+1)).Time()
	s.metrics.parts.WithLabelValues(feed.ID(), part.Rendition).Inc()
	s.metrics.bytes.WithLabelValues(feed.ID(), part.Rendition).Add(float64(len(part.Data)))
	s.metrics.lateness.WithLabelValues(feed.ID(), part.Rendition).Observe(s.opts.Now().Sub(end).Seconds())
}

// parsePart reads all of a part but its bytes, and its kind, which its rendition has.
func parsePart(req *http.Request) (part pipeline.Part, epoch uint64, err error) {
	var errs [7]error
	part.Rendition = req.PathValue("rendition")
	part.MSN, errs[0] = strconv.ParseInt(req.PathValue("msn"), 10, 64)
	part.Index, errs[1] = strconv.Atoi(req.PathValue("part"))
	part.Duration, errs[2] = strconv.ParseInt(req.Header.Get(HeaderDuration), 10, 64)
	part.Timescale, errs[3] = strconv.ParseInt(req.Header.Get(HeaderTimescale), 10, 64)
	part.Gap = req.Header.Get(HeaderGap) == "true"
	part.Independent, errs[4] = strconv.ParseBool(req.Header.Get(HeaderIndependent))
	epoch, errs[5] = strconv.ParseUint(req.Header.Get(HeaderEpoch), 10, 64)
	part.Captions, errs[6] = captions.Parse(req.Header.Get(HeaderCaptions))
	if err := errors.Join(errs[:]...); err != nil {
		return part, 0, fmt.Errorf("reading a part's place and headers: %w: %w", live.ErrInvalid, err)
	}
	return part, epoch, nil
}

// ingestFeed returns the feed of a request, or answers that there is none.
func (s *Server) ingestFeed(w http.ResponseWriter, req *http.Request) *live.Feed {
	if feed := s.opts.Feeds.Feed(req.PathValue("feed")); feed != nil {
		return feed
	}
	s.metrics.refused.WithLabelValues("no_session").Inc()
	http.Error(w, "no session of this feed", http.StatusNotFound)
	return nil
}

// read returns the body, or answers why not.
func (s *Server) read(w http.ResponseWriter, req *http.Request, limit int64) ([]byte, bool) {
	body, err := readAll(http.MaxBytesReader(w, req.Body, limit), req.ContentLength, min(limit, trusted))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		s.metrics.refused.WithLabelValues("too_large").Inc()
		http.Error(w, fmt.Sprintf("more than %d bytes", limit), http.StatusRequestEntityTooLarge)
		return nil, false
	}
	if err != nil {
		s.metrics.refused.WithLabelValues("cut_short").Inc()
		http.Error(w, "body could not be read", http.StatusBadRequest)
		return nil, false
	}
	bodyUntil(w, time.Time{}) // what else the client does is not a body
	return body, true
}

// trusted is how much is taken from memory because a header says so, before the bytes are there.
const trusted = 4 << 20

// readAll reads all of r. When its length is known and at most most, what is returned has no more room than it needs: a part is
// kept for minutes.
func readAll(r io.Reader, length, most int64) ([]byte, error) {
	if length <= 0 || length > most {
		return io.ReadAll(r)
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, err
	}
	return body, nil
}

// refuse answers whoever writes with what went wrong.
func (s *Server) refuse(w http.ResponseWriter, err error) {
	status, reason := http.StatusInternalServerError, "internal"
	switch {
	case errors.Is(err, pipeline.ErrFenced):
		status, reason = http.StatusPreconditionFailed, "fenced"
	case errors.Is(err, live.ErrNoSession):
		status, reason = http.StatusConflict, "no_session"
	case errors.Is(err, live.ErrInvalid):
		status, reason = http.StatusBadRequest, "invalid"
	case errors.Is(err, live.ErrTooManyFeeds):
		status, reason = http.StatusServiceUnavailable, "too_many_feeds"
	case errors.Is(err, live.ErrGone), errors.Is(err, errUnknown):
		status, reason = http.StatusNotFound, "gone"
	case errors.Is(err, errTooManyClips):
		status, reason = http.StatusTooManyRequests, "too_many_clips"
	case errors.Is(err, live.ErrConflict):
		status, reason = http.StatusConflict, "conflict"
	case errors.Is(err, live.ErrTooManyEvents):
		status, reason = http.StatusTooManyRequests, "too_many_events"
	}
	s.metrics.refused.WithLabelValues(reason).Inc()
	http.Error(w, err.Error(), status)
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client has gone: nobody is left to tell
}
