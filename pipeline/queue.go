package pipeline

import (
	"context"
	"sync"
)

// Queue is a bounded queue between two stages. Its cost is a number of items, and a weight (bytes, say) besides.
type Queue[T any] struct {
	maxItems  int
	maxWeight int64
	release   func(T)

	mu      sync.Mutex // guards the fields below
	items   []item[T]
	weight  int64
	closed  bool
	changed chan struct{} // closed and replaced at every change
}

type item[T any] struct {
	value  T
	weight int64
}

// NewQueue returns a queue of at most maxItems items (at least 1) and, when maxWeight > 0, that weight.
// release, if not nil, is called for each item that Discard throws away.
func NewQueue[T any](maxItems int, maxWeight int64, release func(T)) *Queue[T] {
	if release == nil {
		release = func(T) {}
	}
	return &Queue[T]{maxItems: max(maxItems, 1), maxWeight: maxWeight, release: release, changed: make(chan struct{})}
}

// TryPush puts v in without waiting. It returns false, leaving v to the caller, when the queue is full or closed.
func (q *Queue[T]) TryPush(v T, weight int64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.full(weight) {
		return false
	}
	q.push(v, weight)
	return true
}

// Push puts v in, waiting for room. On an error v stays the caller's.
func (q *Queue[T]) Push(ctx context.Context, v T, weight int64) error {
	for {
		q.mu.Lock()
		if q.closed {
			q.mu.Unlock()
			return ErrClosed
		}
		if !q.full(weight) {
			q.push(v, weight)
			q.mu.Unlock()
			return nil
		}
		changed := q.changed
		q.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Pop takes the oldest item, waiting for one. It returns ErrClosed when the queue is closed and empty.
func (q *Queue[T]) Pop(ctx context.Context) (T, error) {
	var none T
	for {
		q.mu.Lock()
		if len(q.items) > 0 {
			v := q.pop()
			q.mu.Unlock()
			return v, nil
		}
		closed, changed := q.closed, q.changed
		q.mu.Unlock()
		if closed {
			return none, ErrClosed
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return none, context.Cause(ctx)
		}
	}
}

// TryPop takes the oldest item without waiting. It is not ok when there is none.
func (q *Queue[T]) TryPop() (v T, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 {
		return v, false
	}
	return q.pop(), true
}

func (q *Queue[T]) pop() T { // q.mu is held; there is an item
	it := q.items[0]
	q.items[0] = item[T]{}
	q.items = q.items[1:]
	q.weight -= it.weight
	q.signal()
	return it.value
}

// Close says that nothing more comes. What is in the queue can still be taken.
func (q *Queue[T]) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.signal()
}

// Discard closes the queue and releases what is in it.
func (q *Queue[T]) Discard() {
	q.mu.Lock()
	items := q.items
	q.items, q.weight, q.closed = nil, 0, true
	q.signal()
	q.mu.Unlock()
	for _, it := range items {
		q.release(it.value)
	}
}

// Len returns the number of items waiting.
func (q *Queue[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}

// full reports whether an item of this weight must wait. An empty queue takes any item. q.mu is held.
func (q *Queue[T]) full(weight int64) bool {
	return len(q.items) >= q.maxItems || q.maxWeight > 0 && len(q.items) > 0 && q.weight+weight > q.maxWeight
}

func (q *Queue[T]) push(v T, weight int64) { // q.mu is held
	q.items = append(q.items, item[T]{v, weight})
	q.weight += weight
	q.signal()
}

func (q *Queue[T]) signal() { // q.mu is held
	close(q.changed)
	q.changed = make(chan struct{})
}
