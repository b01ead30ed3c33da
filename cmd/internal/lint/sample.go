package lint

import (
	"context"
	"net/http"

	"github.com/venuecast/venuecast/pipeline/rules"
)

// Sampler looks at one rendition of a ladder at a time. It is used by one goroutine.
type Sampler struct {
	*watcher
	// Skip, if not nil, says which media playlists are left out for now, by their addresses.
	Skip      func(url string) bool
	url       string
	playlists []rules.Request
	turn      int
}

// NewSampler returns a sampler of the ladder at a URL.
func NewSampler(url string, client *http.Client, report func(rules.Violation)) *Sampler {
	return &Sampler{watcher: newWatcher(report, client), url: url}
}

// maxSampled is how many media requests a sample makes: an init section, parts and a segment.
const maxSampled = 4

// Sample checks the next rendition: its playlist, a reload of it, and the newest media. A ladder that is not there yet
// is no violation.
func (s *Sampler) Sample(ctx context.Context) {
	if len(s.playlists) == 0 && !s.begin(ctx) {
		return
	}
	q := s.playlists[s.turn%len(s.playlists)]
	s.turn++
	if s.Skip != nil && s.Skip(q.URL) {
		return
	}
	for range 2 {
		next, ok := s.answer(ctx, q)
		if !ok || len(next) == 0 {
			return
		}
		reload := next[0]
		s.fetch(ctx, next[1:])
		if reload.Kind != rules.MediaPlaylist || reload.After > 0 {
			return
		}
		q = reload
	}
}

func (s *Sampler) begin(ctx context.Context) bool {
	q := s.checker.Begin(s.url)
	r := ask(ctx, s.client, &q)
	if ctx.Err() != nil || r.Status != http.StatusOK {
		return false
	}
	s.playlists = s.checker.Answer(q, r)
	return len(s.playlists) > 0
}

// fetch asks for the newest media of those wanted.
func (s *Sampler) fetch(ctx context.Context, wanted []rules.Request) {
	var inits, media []rules.Request
	for _, q := range wanted {
		switch q.Kind {
		case rules.InitSection:
			inits = append(inits, q)
		case rules.PartialSegment, rules.MediaSegment, rules.Picture, rules.Again, rules.Removed:
			media = append(media, q)
		case rules.MultivariantPlaylist, rules.MediaPlaylist, rules.Hint, rules.Probe:
		}
	}
	for _, q := range append(inits, media[max(0, len(media)-maxSampled):]...) {
		if _, ok := s.answer(ctx, q); !ok {
			return
		}
	}
}
