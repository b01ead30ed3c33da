package origin

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/live"
)

const playlistType = "application/vnd.apple.mpegurl"

var errBusy = errors.New("too many requests wait")

func (s *Server) getMultivariant(w http.ResponseWriter, req *http.Request) {
	feed := s.opts.Feeds.Feed(req.PathValue("feed"))
	if feed == nil {
		fail(w, http.StatusNotFound, "no such feed", time.Second)
		return
	}
	target := targetOf(feed)
	d, err := parseQuery(req.URL.RawQuery)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error(), target)
		return
	}
	text, err := feed.Multivariant(s.opts.Now(), d.plain)
	if err != nil {
		failLive(w, err, target)
		return
	}
	cacheFor(w, target/2)
	writePlaylist(w, req, text)
}

func (s *Server) getFile(w http.ResponseWriter, req *http.Request) {
	rendition := s.rendition(req)
	f := parseFile(req.PathValue("file"))
	if rendition == nil || f.kind == noFile || f.kind == iframesFile && rendition.OnDemand() {
		fail(w, http.StatusNotFound, "no such file", time.Second)
		return
	}
	if f.isPlaylist() {
		s.getPlaylist(w, req, rendition, live.Form{IFrames: f.kind == iframesFile})
		return
	}
	s.getMedia(w, req, rendition, f)
}

// getDVR answers with a playlist that goes back as far as there is media. Its media lie where those of the live window do.
func (s *Server) getDVR(w http.ResponseWriter, req *http.Request) {
	rendition := s.rendition(req)
	f := parseFile(req.PathValue("file"))
	if rendition == nil || !f.isPlaylist() || f.kind == iframesFile && rendition.OnDemand() {
		fail(w, http.StatusNotFound, "no such file", time.Second)
		return
	}
	s.getPlaylist(w, req, rendition, live.Form{DVR: true, IFrames: f.kind == iframesFile})
}

// rendition returns the rendition that a request names, nil when there is none.
func (s *Server) rendition(req *http.Request) *live.Rendition {
	feed := s.opts.Feeds.Feed(req.PathValue("feed"))
	if feed == nil {
		return nil
	}
	return feed.Rendition(req.PathValue("rendition"))
}

func targetOf(feed *live.Feed) time.Duration {
	return time.Duration(feed.Constants().TargetDuration()) * time.Second
}

// getPlaylist answers with a media playlist, waiting for the part that is asked for (RFC 8216bis §6.2.5.2).
func (s *Server) getPlaylist(w http.ResponseWriter, req *http.Request, r *live.Rendition, form live.Form) {
	target := r.TargetDuration()
	d, err := parseQuery(req.URL.RawQuery)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error(), 4*target)
		return
	}
	d.hasPart = d.hasPart && !form.IFrames // which changes with every segment
	ask := d.question(form)
	snap := r.Snapshot()
	if err := snap.Err(s.opts.Now()); err != nil {
		s.reply(w, req, r, ask, nil, err)
		return
	}
	asked(req, r, snap.Wanted(d.plain))
	if !ask.blocking {
		s.reply(w, req, r, ask, snap, nil)
		return
	}
	last, _ := snap.LastPart()
	var ok bool
	if ask.want, ok = d.wanted(last, r.Parts(), r.AdvancePartLimit()); !ok {
		fail(w, http.StatusBadRequest, "too far ahead", 0) // now: those who ask in time must not get this
		return
	}
	s.await(w, req, r, ask)
}

// getMedia answers with a segment, part or init section. The hinted part is held until it is whole (§6.2.6).
func (s *Server) getMedia(w http.ResponseWriter, req *http.Request, r *live.Rendition, f file) {
	snap := r.Snapshot()
	if r.OnDemand() && f.kind != initFile {
		s.getOnDemand(w, req, r, f)
		return
	}
	var media live.Media
	var err error
	switch {
	case f.kind == initFile:
		media, err = snap.Init(f.init)
		asked(req, r, snap.Wanted(false))
	case f.kind == segmentFile:
		media, err = snap.Segment(f.place.MSN)
		if err == nil && s.ride(w, req, r, media) {
			return
		}
	case f.place == snap.Next() && snap.Err(s.opts.Now()) == nil:
		s.await(w, req, r, question{part: true, blocking: true, want: f.place})
		return
	default:
		media, err = snap.Part(f.place)
	}
	writeMedia(w, req, r, media, err)
}

// question is what a request for something that changes asks for. Equal questions about one rendition have equal answers.
type question struct {
	blocking bool // it waits for want
	want     pipeline.Position
	part     bool // the bytes of want; else a playlist
	form     live.Form
	coding   string // what the client reads, when that is not in a request; see parking
}

// question returns what the directives ask of a playlist, but for the place.
func (d directives) question(form live.Form) question {
	form.Mode = d.mode()
	// The playlist without low latency does not offer to block, so there is nothing to ask of it.
	return question{form: form, blocking: d.hasMSN && !d.plain}
}

// okayAge and errorAge return how long caches may keep the answer (RFC 8216bis appendix B.1).
func (q question) okayAge(target time.Duration) time.Duration {
	if q.blocking {
		return 6 * target
	}
	return target / 2
}

func (q question) errorAge(target time.Duration) time.Duration {
	if q.blocking && !q.part {
		return 4 * target
	}
	return target
}

// waitAtMost is after how long a request gets 503 (RFC 8216bis §6.2.5.2).
func waitAtMost(r *live.Rendition) time.Duration { return 3 * r.TargetDuration() }

// await answers a question when what it wants is there.
func (s *Server) await(w http.ResponseWriter, req *http.Request, r *live.Rendition, ask question) {
	snap := r.Snapshot()
	last, ok := snap.LastPart()
	if ok && !last.Less(ask.want) {
		s.reply(w, req, r, ask, snap, nil)
		return
	}
	if err := s.enter(); err != nil {
		s.reply(w, req, r, ask, nil, err)
		return
	}
	if s.park(w, req, r, ask) {
		return
	}
	defer s.leave()
	ctx, cancel := context.WithTimeout(req.Context(), waitAtMost(r))
	defer cancel()
	snap, err := r.Wait(ctx, ask.want)
	s.reply(w, req, r, ask, snap, err)
}

// enter counts a request that is about to wait, unless too many do. Who entered must leave.
func (s *Server) enter() error {
	if s.waiting.Add(1) > int64(s.opts.MaxWaiting) {
		s.waiting.Add(-1)
		s.metrics.turned.Inc()
		return errBusy
	}
	s.metrics.waiting.Inc()
	return nil
}

func (s *Server) leave() {
	s.waiting.Add(-1)
	s.metrics.waiting.Dec()
}

// reply writes the answer to a question: what is in snap, or why there is none.
func (s *Server) reply(w http.ResponseWriter, req *http.Request, r *live.Rendition, ask question, snap *live.Snapshot, err error) {
	target := r.TargetDuration()
	if ask.part {
		var media live.Media
		if err == nil {
			media, err = snap.Part(ask.want)
		}
		writeMedia(w, req, r, media, err)
		return
	}
	if err != nil {
		failLive(w, err, ask.errorAge(target))
		return
	}
	cacheFor(w, ask.okayAge(target))
	writePlaylist(w, req, snap.Playlist(ask.form))
}

// writeMedia sends what was opened, and closes it.
func writeMedia(w http.ResponseWriter, req *http.Request, r *live.Rendition, media live.Media, err error) {
	target := r.TargetDuration()
	if err != nil {
		failLive(w, err, target)
		return
	}
	defer func() { _ = media.Close() }() // it was only read
	h := w.Header()
	mediaHeader(h, r)
	h.Set("ETag", `"`+media.Tag+`"`)
	if media.Bytes != nil && req.Method == http.MethodGet && !conditional(req) {
		// What follows would do the same, through a buffer of 32 KiB.
		h.Set("Accept-Ranges", "bytes")
		h.Set("Content-Length", strconv.Itoa(len(media.Bytes)))
		_, _ = w.Write(media.Bytes) // the client has gone: nobody is left to tell
		return
	}
	if conn, file := parkable(req), storedFile(media); conn != nil && file != nil {
		conn.more = file.Size() > together // the header goes with the beginning of the file
	}
	http.ServeContent(w, req, "", time.Time{}, media.ReadSeekCloser)
}

// together is more than net/http puts into one write with the header.
const together = 4 << 10

// mediaHeader sets what is the same for all media of a rendition.
func mediaHeader(h http.Header, r *live.Rendition) {
	h.Set("Content-Type", mediaType(r.Kind()))
	h.Set("Cache-Control", cacheControl(6*r.TargetDuration()))
}

// conditional reports whether not all may be wanted (RFC 9110 §13, §14).
func conditional(req *http.Request) bool {
	for _, name := range [...]string{"Range", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"} {
		if req.Header[name] != nil {
			return true
		}
	}
	return false
}

func mediaType(kind codecs.Kind) string {
	if kind == codecs.Audio {
		return "audio/mp4"
	}
	return "video/mp4"
}

// failLive answers why there is nothing to show. What may change at once is not cached.
func failLive(w http.ResponseWriter, err error, maxAge time.Duration) {
	switch {
	case errors.Is(err, live.ErrAhead): // those who ask when it is there must not get this
		fail(w, http.StatusNotFound, "not there yet", 0)
	case errors.Is(err, live.ErrGone):
		fail(w, http.StatusNotFound, "not found", maxAge)
	case errors.Is(err, live.ErrStale):
		fail(w, http.StatusServiceUnavailable, "the feed has stopped", maxAge)
	case errors.Is(err, live.ErrNotReady):
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusServiceUnavailable, "the feed is starting", time.Second)
	case errors.Is(err, live.ErrPending):
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusServiceUnavailable, "not made yet", 0)
	default: // it waited too long, too many wait, or the server is closing
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusServiceUnavailable, "not available in time", 0)
	}
}

// writePlaylist sends a playlist in the coding that the client likes best. It must be offered as gzip (Apple authoring spec 10.1).
func writePlaylist(w http.ResponseWriter, req *http.Request, text live.Text) {
	writeText(w, req, playlistType, text)
}

func writeText(w http.ResponseWriter, req *http.Request, contentType string, text live.Text) {
	coding := codingOf(req.Header)
	tag := tagOf(text, coding)
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Vary", "Accept-Encoding")
	h.Set("ETag", tag)
	if known(req.Header, tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if coding != "" {
		h.Set("Content-Encoding", coding)
	}
	body := bytesOf(text, coding)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // the client has gone: nobody is left to tell
}
