package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/venuecast/venuecast/codecs/m3u8"
	"github.com/venuecast/venuecast/pipeline"
)

// Options says what to watch.
type Options struct {
	// URL is that of the multivariant playlist.
	URL string
	// Client makes the requests. It defaults to http.DefaultClient. Time limits are set for each request.
	Client *http.Client
	// Log gets each fault as a warning. It defaults to none.
	Log *slog.Logger
	// Now is the clock. It defaults to time.Now.
	Now func() time.Time
	// Patience is how long a request is repeated while the server cannot be reached or answers with a server error.
	// It defaults to 10 s.
	Patience time.Duration
	// Keep bounds the bytes of media kept for each rendition, newest first. It defaults to none.
	Keep int64
}

func (o Options) withDefaults() Options {
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Patience == 0 {
		o.Patience = 10 * time.Second
	}
	return o
}

// Watcher follows one ladder.
type Watcher struct {
	opts Options

	mu        sync.Mutex // guards the field below
	followers []*follower
}

// New returns a watcher. It does nothing until Run.
func New(o Options) *Watcher { return &Watcher{opts: o.withDefaults()} }

// Name says which stage this is.
func (w *Watcher) Name() string { return "watch " + w.opts.URL }

// Run follows the ladder until its context ends, or all its playlists do, and returns nil then. An error means that the
// multivariant playlist could not be read. Run may be called once.
func (w *Watcher) Run(ctx context.Context) error {
	base, err := url.Parse(w.opts.URL)
	if err != nil {
		return fmt.Errorf("watching: %w", err)
	}
	multivariant, err := w.multivariant(ctx, base)
	if err != nil {
		return err
	}
	followers, err := w.follow(base, multivariant)
	if err != nil {
		return err
	}
	stages := make([]pipeline.Stage, len(followers))
	for i, f := range followers {
		stages[i] = f
	}
	w.mu.Lock()
	w.followers = followers
	w.mu.Unlock()
	return pipeline.Run(ctx, stages...)
}

func (w *Watcher) multivariant(ctx context.Context, u *url.URL) (*m3u8.Multivariant, error) {
	data, err := get(ctx, w.opts.Client, u, w.opts.Patience)
	if err != nil {
		return nil, err
	}
	multivariant, err := m3u8.ParseMultivariant(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", u, err)
	}
	if len(multivariant.Variants) == 0 {
		return nil, fmt.Errorf("%s: has no variants", u)
	}
	return multivariant, nil
}

// follow makes a follower for each media playlist, of variants first.
func (w *Watcher) follow(base *url.URL, m *m3u8.Multivariant) ([]*follower, error) {
	align, known := &alignment{}, map[string]bool{}
	var list []*follower
	for _, p := range playlists(m) {
		u, err := base.Parse(p.uri)
		if err != nil {
			return nil, fmt.Errorf("%s: playlist %q: %w", base, p.uri, err)
		}
		if known[u.String()] {
			continue // one playlist may serve several variants
		}
		known[u.String()] = true
		f := w.newFollower(u, renditionName(p.uri), align)
		f.track.codecs = p.codecs
		list = append(list, f)
	}
	return list, nil
}

// listed is a media playlist and what the multivariant playlist says of its codecs.
type listed struct{ uri, codecs string }

func playlists(m *m3u8.Multivariant) []listed {
	var list []listed
	byGroup := map[string]string{}
	for i := range m.Variants {
		v := &m.Variants[i]
		list = append(list, listed{v.URI, v.Codecs})
		byGroup[v.Audio] = v.Codecs
	}
	for i := range m.Renditions {
		if r := &m.Renditions[i]; r.URI != "" {
			list = append(list, listed{r.URI, byGroup[r.GroupID]})
		}
	}
	return list
}

// renditionName returns a short name: 720p for 720p/index.m3u8.
func renditionName(uri string) string {
	uri, _, _ = strings.Cut(uri, "?")
	if dir, file := path.Split(uri); file == "index.m3u8" && dir != "" {
		return path.Base(dir)
	}
	return strings.TrimSuffix(path.Base(uri), ".m3u8")
}

// Report returns what was seen so far.
func (w *Watcher) Report() Report {
	var r Report
	for _, f := range w.list() {
		f.mu.Lock()
		r.Renditions = append(r.Renditions, f.track.report())
		f.mu.Unlock()
	}
	return r
}

// ErrUnknown means that a ladder has no rendition of a name.
var ErrUnknown = errors.New("no such rendition")

// Recording returns the kept segments of a rendition.
func (w *Watcher) Recording(rendition string) (Recording, error) {
	list := w.list()
	i := slices.IndexFunc(list, func(f *follower) bool { return f.track.name == rendition })
	if i < 0 {
		return nil, fmt.Errorf("%w: %s", ErrUnknown, rendition)
	}
	list[i].mu.Lock()
	defer list[i].mu.Unlock()
	return slices.Clone(list[i].track.record.pieces), nil
}

func (w *Watcher) list() []*follower {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.followers
}
