package origin

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// madeOptions are the bounds of what is made on request.
type madeOptions struct {
	bytes    int64         // of what is kept
	atOnce   int           // how many are made at the same time
	waiting  int           // different ones that are being made or wait for it; more are turned away
	patience time.Duration // how long a request waits, and how long until its turn
	// counted, if not nil, is called for each request with its result: made, kept (made before), shared (being made for
	// another), failed or refused.
	counted func(result string)
	sized   func(bytes int64) // called, if not nil, when what is kept has changed
}

// made makes things on request, a few at a time, and keeps those that were asked for last.
type made struct {
	madeOptions
	turn chan struct{}

	mu      sync.Mutex // guards the fields below
	entries map[string]*list.Element
	recent  *list.List // of *madeThing, the newest first
	kept    int64
	busy    int
}

var errNotMade = errors.New("it was not made")

// madeThing is one, or what will be one when done is closed.
type madeThing struct {
	key  string
	done chan struct{}
	data []byte
	err  error
}

func newMade(opts madeOptions) *made {
	return &made{madeOptions: opts, turn: make(chan struct{}, opts.atOnce), entries: map[string]*list.Element{}, recent: list.New()}
}

// get returns what is kept under key, or has work make it. Whoever asks for the same waits for the same work.
// What is returned is shared: it must not be written.
func (c *made) get(ctx context.Context, key string, work func() ([]byte, error)) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	m, result := c.find(key)
	if m == nil {
		c.count(result)
		return nil, errBusy
	}
	if result == "made" {
		// Others may wait for it, so it is made even if who asked first has gone.
		c.make(context.WithoutCancel(ctx), m, work)
	}
	select {
	case <-m.done:
		if m.err != nil {
			result = "failed"
		}
		c.count(result)
		return m.data, m.err
	case <-ctx.Done():
		c.count("failed")
		return nil, fmt.Errorf("waiting for %s to be made: %w", key, context.Cause(ctx))
	}
}

func (c *made) count(result string) {
	if c.counted != nil {
		c.counted(result)
	}
}

// find returns the entry of a key, and what became of the request: with made, the caller has to make it; nil when it is refused.
func (c *made) find(key string) (m *madeThing, result string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[key]; e != nil {
		c.recent.MoveToFront(e)
		m = e.Value.(*madeThing) //nolint:forcetypeassert // the list holds nothing else
		if m.finished() {
			return m, "kept"
		}
		return m, "shared"
	}
	if c.busy >= c.waiting {
		return nil, "refused"
	}
	c.busy++
	m = &madeThing{key: key, done: make(chan struct{})}
	c.entries[key] = c.recent.PushFront(m)
	return m, "made"
}

func (c *made) make(ctx context.Context, m *madeThing, work func() ([]byte, error)) {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	m.err = errNotMade
	defer c.finish(m) // even when work panics: the server goes on after that
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
		m.data, m.err = work()
	case <-ctx.Done():
		m.err = fmt.Errorf("waiting to make %s: %w", m.key, context.Cause(ctx))
	}
}

// finish keeps what was made, gives up what was not asked for longest, and tells those who wait.
func (c *made) finish(m *madeThing) {
	defer close(m.done)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy--
	if m.err != nil {
		c.drop(c.entries[m.key])
		return
	}
	c.kept += int64(len(m.data))
	for e := c.recent.Back(); e != nil && c.kept > c.bytes; {
		older := e
		e = e.Prev()
		if old := older.Value.(*madeThing); old.finished() && old != m { //nolint:forcetypeassert // the list holds nothing else
			c.kept -= int64(len(old.data))
			c.drop(older)
		}
	}
	if c.sized != nil {
		c.sized(c.kept)
	}
}

func (c *made) drop(e *list.Element) { // c.mu is held
	delete(c.entries, c.recent.Remove(e).(*madeThing).key) //nolint:forcetypeassert // the list holds nothing else
}

func (m *madeThing) finished() bool {
	select {
	case <-m.done:
		return true
	default:
		return false
	}
}
