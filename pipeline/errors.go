package pipeline

import "errors"

var (
	// ErrClosed means that a queue was closed: nothing more comes, or nothing more is taken.
	ErrClosed = errors.New("queue closed")
	// ErrFenced means that a later writer or worker has taken over. Whoever sees it stops; it is not a failure.
	ErrFenced = errors.New("another instance has taken over")
	// ErrGap means that records are missing from a feed: decoding can go on with the next random access unit.
	ErrGap = errors.New("records are missing")
)
