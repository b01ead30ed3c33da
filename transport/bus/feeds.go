package bus

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/venuecast/venuecast/pipeline"
)

// PutFeed writes a feed's description if there is none yet, and returns the one that holds: the first writer wins,
// because the constants of a feed never change while it lives. A feed that was retired goes on with the numbers that it had.
func (r *Registry) PutFeed(ctx context.Context, f pipeline.Feed) (stored pipeline.Feed, created bool, err error) {
	if err := f.Validate(); err != nil {
		return pipeline.Feed{}, false, err
	}
	v, err := r.get(ctx, configBucket, f.ID)
	if err != nil {
		return pipeline.Feed{}, false, err
	}
	if v.data == nil {
		if former, err := readFeed(f.ID, v.former); err == nil {
			f.Grid = f.Grid.Following(former.Grid)
		}
		_, err = swap(ctx, r.config, f.ID, f, v.revision)
		if err == nil {
			return f, true, nil
		}
		if !errors.Is(err, pipeline.ErrFenced) {
			return pipeline.Feed{}, false, err
		}
	}
	stored, err = r.Feed(ctx, f.ID) // another was first
	return stored, false, err
}

// ReplaceFeed writes a feed's description over the one that is there. Its players and workers must begin anew.
func (r *Registry) ReplaceFeed(ctx context.Context, f pipeline.Feed) error {
	if err := f.Validate(); err != nil {
		return err
	}
	body, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("replacing feed %s: %w", f.ID, err)
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if _, err := r.config.Put(ctx, f.ID, body); err != nil {
		return fmt.Errorf("replacing feed %s: %w", f.ID, err)
	}
	return nil
}

// Feed returns a feed's description, ErrNotFound if there is none.
func (r *Registry) Feed(ctx context.Context, id string) (pipeline.Feed, error) {
	v, err := r.get(ctx, configBucket, id)
	if err != nil {
		return pipeline.Feed{}, err
	}
	if v.data == nil {
		return pipeline.Feed{}, fmt.Errorf("feed %s: %w", id, ErrNotFound)
	}
	return readFeed(id, v.data)
}

// Feeds returns all feeds, sorted by id, and the ids of those that were retired. A description that cannot be read is logged and
// left out. A listing may be behind the bucket's leader: Feed says what holds.
func (r *Registry) Feeds(ctx context.Context) (feeds []pipeline.Feed, retired []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, relistInterval)
	defer cancel()
	w, err := r.config.WatchAll(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("listing the feeds: %w", err)
	}
	defer func() { _ = w.Stop() }() // fails only if the connection is closed, and then it is gone
	return r.list(ctx, w)
}

// WatchFeeds calls changed with all feeds, sorted by id, at the start and whenever they are others than before, until
// ctx ends. It lists them again every five seconds, too, because a watch can go silent.
func (r *Registry) WatchFeeds(ctx context.Context, changed func([]pipeline.Feed)) error {
	var before []byte
	compare := func(feeds []pipeline.Feed) {
		// A feed came from JSON: it can go back.
		if now, _ := json.Marshal(feeds); before == nil || !bytes.Equal(now, before) {
			before = now
			changed(feeds)
		}
	}
	said := false
	for ctx.Err() == nil {
		err := r.watchOnce(ctx, compare)
		if err == nil || ctx.Err() != nil {
			said = false
			continue
		}
		if !said {
			r.conn.log.Warn("the feeds cannot be listed; retrying", "error", err)
			said = true
		}
		if err := pipeline.Sleep(ctx, dialPause); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// watchOnce lists the feeds, and returns when one changes or the interval is over.
func (r *Registry) watchOnce(ctx context.Context, listed func([]pipeline.Feed)) error {
	ctx, cancel := context.WithTimeout(ctx, relistInterval)
	defer cancel()
	w, err := r.config.WatchAll(ctx)
	if err != nil {
		return fmt.Errorf("listing the feeds: %w", err)
	}
	defer func() { _ = w.Stop() }() // as above
	feeds, _, err := r.list(ctx, w)
	if err != nil {
		return err
	}
	listed(feeds)
	select {
	case <-w.Updates():
	case <-ctx.Done():
	}
	return nil
}

// list returns what a new watcher begins with: all feeds, and those that were retired.
func (r *Registry) list(ctx context.Context, w jetstream.KeyWatcher) (feeds []pipeline.Feed, retired []string, err error) {
	feeds = []pipeline.Feed{}
	err = present(ctx, w, func(entry jetstream.KeyValueEntry) {
		if entry.Operation() != jetstream.KeyValuePut {
			retired = append(retired, entry.Key())
			return
		}
		f, err := readFeed(entry.Key(), entry.Value())
		if err != nil {
			r.conn.log.Error("leaving out a feed", "error", err)
			return
		}
		feeds = append(feeds, f)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("listing the feeds: %w", err)
	}
	slices.SortFunc(feeds, func(a, b pipeline.Feed) int { return cmp.Compare(a.ID, b.ID) })
	return feeds, retired, nil
}

// present calls found with what a new watcher begins with: the newest entry of each key, delete markers included.
func present(ctx context.Context, w jetstream.KeyWatcher, found func(jetstream.KeyValueEntry)) error {
	for {
		select {
		case entry, open := <-w.Updates():
			if !open {
				return errors.New("interrupted")
			}
			if entry == nil { // all that was there has come
				return nil
			}
			found(entry)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func readFeed(id string, data []byte) (pipeline.Feed, error) {
	var f pipeline.Feed
	if err := json.Unmarshal(data, &f); err != nil {
		return pipeline.Feed{}, fmt.Errorf("reading feed %s: %w", id, err)
	}
	if err := f.Validate(); err != nil {
		return pipeline.Feed{}, fmt.Errorf("reading feed %s: %w", id, err)
	}
	if f.ID != id {
		return pipeline.Feed{}, fmt.Errorf("reading feed %s: it says it is %q", id, f.ID)
	}
	return f, nil
}
