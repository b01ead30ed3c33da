package watch

import (
	"context"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/venuecast/venuecast/codecs/m3u8"
)

// follower feeds a track over HTTP.
type follower struct {
	opts Options
	url  *url.URL

	mu    sync.Mutex // guards track
	track *track
}

func (w *Watcher) newFollower(u *url.URL, name string, align *alignment) *follower {
	t := newTrack(name, align, w.opts.Keep)
	t.faults.report = func(f Fault) {
		w.opts.Log.Warn("fault", "rendition", name, "rule", f.Rule, "text", f.Text)
	}
	return &follower{opts: w.opts, url: u, track: t}
}

func (f *follower) Name() string { return "rendition " + f.track.name }

// Run reloads the playlist and fetches what it lists until it ends.
func (f *follower) Run(ctx context.Context) error {
	var m *m3u8.Media
	for ctx.Err() == nil {
		next, ok := f.reload(ctx, m)
		if !ok {
			pause(ctx, retryAfter)
			continue
		}
		f.mu.Lock()
		wants := f.track.playlist(next, f.opts.Now())
		f.mu.Unlock()
		for _, w := range wants {
			f.fetch(ctx, w)
		}
		if next.EndList {
			break
		}
		pause(ctx, reloadAfter(m, next))
		m = next
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.track.stop(f.opts.Now())
	return nil
}

// reloadAfter returns how long to wait before the next reload: not at all where the server blocks; else a target
// duration after a playlist that changed, half of one otherwise (§6.3.4).
func reloadAfter(last, now *m3u8.Media) time.Duration {
	changed := last == nil || endOf(last) != endOf(now)
	target := time.Duration(now.TargetDuration) * time.Second
	switch {
	case now.ServerControl.CanBlockReload && changed:
		return 0
	case now.ServerControl.CanBlockReload:
		return retryAfter // it should have blocked
	case changed:
		return target
	}
	return target / 2
}

// reload gets the playlist that follows last, waiting for it at the server where that can block.
func (f *follower) reload(ctx context.Context, last *m3u8.Media) (*m3u8.Media, bool) {
	u, limit, blocking := *f.url, f.opts.Patience, last != nil && last.ServerControl.CanBlockReload
	if blocking {
		u.RawQuery = blockingQuery(u.Query(), last)
		// The server answers after three target durations at the latest (§6.2.5.2).
		limit += 3 * time.Duration(last.TargetDuration) * time.Second
	}
	data, err := get(ctx, f.opts.Client, &u, limit)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.track.figures.requests++
	now := f.opts.Now()
	if err != nil {
		if ctx.Err() == nil {
			f.track.faults.add(now, HTTP, "%v", err)
		}
		return nil, false
	}
	m, err := m3u8.ParseMedia(data)
	if err != nil {
		f.track.faults.add(now, Playlist, "%v", err)
		return nil, false
	}
	if blocking && !m.EndList && !endOf(last).before(endOf(m)) {
		f.track.faults.add(now, Reload, "asked for what comes after %v, the answer ends before %v", endOf(last), endOf(m))
	}
	return m, true
}

// blockingQuery asks for the part that follows the newest one (§6.2.5.2), besides what the URL has in its query.
func blockingQuery(query url.Values, m *m3u8.Media) string {
	next := endOf(m)
	query.Set("_HLS_msn", strconv.FormatInt(next.msn, 10))
	if m.PartTarget > 0 {
		query.Set("_HLS_part", strconv.Itoa(next.part))
	}
	return query.Encode()
}

// fetch gets what is listed. While the server is away it is asked again, as a player does with a full buffer.
func (f *follower) fetch(ctx context.Context, w want) {
	u, err := f.url.Parse(w.uri)
	if err != nil {
		f.mu.Lock()
		f.track.failed(w, err, f.opts.Now())
		f.mu.Unlock()
		return
	}
	began := f.opts.Now()
	for ctx.Err() == nil {
		data, err := get(ctx, f.opts.Client, u, f.opts.Patience)
		if f.fetched(ctx, w, data, err, f.opts.Now().Sub(began) > f.opts.Patience) {
			return
		}
		pause(ctx, retryAfter)
	}
}

// fetched takes the answer to a request and reports whether the want is settled.
func (f *follower) fetched(ctx context.Context, w want, data []byte, err error, late bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.track.figures.requests++
	now := f.opts.Now()
	if err == nil {
		f.track.media(w, data, now)
		return true
	}
	if ctx.Err() != nil {
		return true
	}
	f.track.faults.add(now, HTTP, "%v", err)
	if !permanent(err) && !late {
		return false
	}
	f.track.failed(w, err, now)
	return true
}
