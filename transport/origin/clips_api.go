package origin

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/venuecast/venuecast/pipeline/live"
)

const maxClipBytes = 64 << 10

// clipForm asks for a clip. Times are as in the addresses of pieces of the past.
type clipForm struct {
	Feed      string  `json:"feed"`
	Rendition string  `json:"rendition"`
	From      instant `json:"from"`
	To        instant `json:"to"`
}

// instant is what parseInstant reads, in quotes or as a number.
type instant string

// UnmarshalJSON implements json.Unmarshaler.
func (i *instant) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		return json.Unmarshal(data, (*string)(i))
	}
	*i = instant(data)
	return nil
}

func (s *Server) routeClips(mux *http.ServeMux) {
	if s.opts.Clips == nil {
		return
	}
	mux.HandleFunc("GET /api/v1/clips", s.getClips)
	mux.HandleFunc("GET /api/v1/clips/{clip}", s.getClip)
	mux.HandleFunc("POST /api/v1/clips", s.authorised(s.postClip))
	mux.HandleFunc("DELETE /api/v1/clips/{clip}", s.authorised(s.deleteClip))
}

func (s *Server) getClips(w http.ResponseWriter, _ *http.Request) {
	cacheFor(w, 0)
	writeJSON(w, map[string]any{"clips": s.opts.Clips.All()})
}

func (s *Server) postClip(w http.ResponseWriter, req *http.Request) {
	body, ok := s.read(w, req, maxClipBytes)
	if !ok {
		return
	}
	var form clipForm
	if err := decodeStrictly(body, &form); err != nil {
		s.refuse(w, fmt.Errorf("reading the clip: %w: %w", live.ErrInvalid, err))
		return
	}
	from, to, err := parseSpan(string(form.From), string(form.To))
	if err != nil {
		s.refuse(w, fmt.Errorf("reading the clip: %w: %w", live.ErrInvalid, err))
		return
	}
	clip, err := s.opts.Clips.Add(form.Feed, form.Rendition, from, to)
	if err != nil {
		s.refuse(w, err)
		return
	}
	w.Header().Set("Location", "/api/v1/clips/"+clip.ID)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	writeJSON(w, clip)
}

// getClip answers with what is known of a clip, or with its file.
func (s *Server) getClip(w http.ResponseWriter, req *http.Request) {
	id, file := strings.CutSuffix(req.PathValue("clip"), ".mp4")
	clip, ok := s.opts.Clips.Clip(id)
	if !ok {
		fail(w, http.StatusNotFound, "no such clip", 0)
		return
	}
	if !file {
		cacheFor(w, 0)
		writeJSON(w, clip)
		return
	}
	if clip.State != ClipReady {
		fail(w, http.StatusConflict, "the clip is not ready: "+clip.State, 0)
		return
	}
	media, err := s.opts.Clips.opts.Disk.Open(id + ".mp4")
	if err != nil {
		fail(w, http.StatusNotFound, "no such clip", 0)
		return
	}
	defer func() { _ = media.Close() }() // it was only read
	h := w.Header()
	h.Set("Content-Type", "video/mp4")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s-%s.mp4"`, clip.Feed, clip.From.Format("20060102T150405Z")))
	h.Set("ETag", `"`+id+`"`)
	cacheFor(w, time.Hour)
	allow(w, clip.Bytes)
	http.ServeContent(w, req, "", time.Time{}, media)
}

func (s *Server) deleteClip(w http.ResponseWriter, req *http.Request) {
	switch err := s.opts.Clips.Delete(req.PathValue("clip")); {
	case errors.Is(err, errNoClip):
		fail(w, http.StatusNotFound, err.Error(), 0)
	case err != nil:
		s.refuse(w, err)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}
