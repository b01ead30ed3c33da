package lint

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/rules"
)

// Options says what to watch.
type Options struct {
	// URL is that of the multivariant playlist, or of a media playlist that stands alone.
	URL string
	// Client makes the requests. It defaults to one with enough connections for all renditions.
	Client *http.Client
	// Report gets each violation, one at a time. It must be set.
	Report func(rules.Violation)
}

// maxConnections lets every rendition have its blocked request, its media and its probe.
const maxConnections = 256

func (o Options) client() *http.Client {
	if o.Client != nil {
		return o.Client
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() // that is its type
	transport.MaxIdleConnsPerHost = maxConnections
	transport.DisableCompression = true
	return &http.Client{Transport: transport}
}

// Seen is how many answers of each kind were looked at.
type Seen map[rules.Kind]int

// Watch follows a ladder until the context ends, or all its playlists do.
func Watch(ctx context.Context, o Options) (Seen, error) {
	w := newWatcher(o.Report, o.client())
	defer w.client.CloseIdleConnections()
	playlists, err := w.begin(ctx, o.URL)
	if err != nil {
		return nil, err
	}
	var stages []pipeline.Stage
	for _, q := range playlists {
		stages = append(stages, w.rendition(q)...)
	}
	if err := pipeline.Run(ctx, stages...); ctx.Err() == nil {
		return w.seen, err
	}
	return w.seen, nil
}

type watcher struct {
	checker *rules.Checker
	client  *http.Client

	mu   sync.Mutex // guards seen
	seen Seen
}

func newWatcher(report func(rules.Violation), client *http.Client) *watcher {
	return &watcher{checker: rules.New(report), client: client, seen: Seen{}}
}

// answer makes a request and gives the answer to the checker. It returns false when the context ended.
func (w *watcher) answer(ctx context.Context, q rules.Request) ([]rules.Request, bool) {
	if !pause(ctx, q.After) {
		return nil, false
	}
	r := ask(ctx, w.client, &q)
	if ctx.Err() != nil {
		return nil, false // whoever stopped waiting was us
	}
	w.mu.Lock()
	w.seen[q.Kind]++
	w.mu.Unlock()
	return w.checker.Answer(q, r), true
}

// begin reads the first playlist; it is asked for again until it is there.
func (w *watcher) begin(ctx context.Context, url string) ([]rules.Request, error) {
	next := []rules.Request{w.checker.Begin(url)}
	for len(next) == 1 && next[0].Kind == rules.MultivariantPlaylist {
		var ok bool
		if next, ok = w.answer(ctx, next[0]); !ok {
			return nil, errors.New("no playlist was seen")
		}
	}
	if len(next) == 0 {
		return nil, errors.New("the playlist lists nothing")
	}
	return next, nil
}

const (
	maxMedia = 256 // requests that wait: those of a minute
	maxSide  = 4
)

// rendition returns the stages that follow one rendition: one reloads its playlist, one fetches media, and one asks for
// what may be held or refused.
func (w *watcher) rendition(q rules.Request) []pipeline.Stage {
	media := pipeline.NewQueue[rules.Request](maxMedia, 0, nil)
	side := pipeline.NewQueue[rules.Request](maxSide, 0, nil)
	fetch := func(queue *pipeline.Queue[rules.Request]) func(context.Context) error {
		return func(ctx context.Context) error { return w.fetch(ctx, queue) }
	}
	return []pipeline.Stage{
		pipeline.Func("reloading "+q.URL, func(ctx context.Context) error {
			defer media.Close()
			defer side.Close()
			return w.reload(ctx, q, media, side)
		}),
		pipeline.Func("fetching media of "+q.URL, fetch(media)),
		pipeline.Func("probing "+q.URL, fetch(side)),
	}
}

func (w *watcher) reload(ctx context.Context, q rules.Request, media, side *pipeline.Queue[rules.Request]) error {
	for {
		next, ok := w.answer(ctx, q)
		if !ok {
			return ctx.Err()
		}
		ended := true
		for _, n := range next {
			switch n.Kind {
			case rules.MediaPlaylist, rules.MultivariantPlaylist:
				q, ended = n, false
			case rules.InitSection, rules.PartialSegment, rules.MediaSegment, rules.Picture:
				media.TryPush(n, 0) // a full queue: this client is too slow, and checks less
			case rules.Hint, rules.Again, rules.Removed, rules.Probe:
				side.TryPush(n, 0)
			}
		}
		if ended {
			return nil
		}
	}
}

func (w *watcher) fetch(ctx context.Context, queue *pipeline.Queue[rules.Request]) error {
	for {
		q, err := queue.Pop(ctx)
		if errors.Is(err, pipeline.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, ok := w.answer(ctx, q); !ok {
			return ctx.Err()
		}
	}
}

// pause waits. It returns false when the context ended.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	return pipeline.Sleep(ctx, d) == nil
}
