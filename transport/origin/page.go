package origin

import (
	"embed"
	"net/http"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

//go:embed page
var page embed.FS

// pagePolicy lets the page load nothing from elsewhere; hls.js feeds the player from memory, works in a worker, and
// has an empty data: address for captions.
const pagePolicy = "default-src 'self'; media-src 'self' blob: data:; worker-src 'self' blob:; base-uri 'none'; frame-ancestors 'self'"

func (s *Server) routePage(mux *http.ServeMux) {
	files := http.FileServerFS(page)
	mux.HandleFunc("GET /page/{file...}", func(w http.ResponseWriter, req *http.Request) {
		cacheFor(w, time.Minute)
		files.ServeHTTP(w, req)
	})
	mux.HandleFunc("GET /{$}", servePage("page/index.html"))
	mux.HandleFunc("GET /watch/{feed}", func(w http.ResponseWriter, req *http.Request) {
		if !pipeline.ValidID(req.PathValue("feed")) {
			http.NotFound(w, req)
			return
		}
		servePage("page/watch.html")(w, req)
	})
}

func servePage(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Security-Policy", pagePolicy)
		cacheFor(w, time.Minute)
		http.ServeFileFS(w, req, page, name)
	}
}
