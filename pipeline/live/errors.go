package live

import (
	"errors"
	"fmt"
)

var (
	// ErrNoSession means that the feed has not been claimed with this epoch, or the rendition has no init section yet:
	// the worker claims again, puts its init sections, and sends again what is missing.
	ErrNoSession = errors.New("no session of this epoch")
	// ErrInvalid means that what was put can not be part of the feed, whoever sends it.
	ErrInvalid = errors.New("not valid")
	// ErrTooManyFeeds means that the origin has as many feeds as it may.
	ErrTooManyFeeds = errors.New("too many feeds")
	// ErrTooManyEvents means that the feed has as many events as it may.
	ErrTooManyEvents = errors.New("too many events")
	// ErrConflict means that an event of the same ID says something else.
	ErrConflict = errors.New("an event of this ID has other attributes")
	// ErrGone means that what was waited for will never come, or has left the window.
	ErrGone = errors.New("not in the window")
	// ErrAhead is ErrGone of what is behind the end of the window: it may come.
	ErrAhead = fmt.Errorf("%w yet", ErrGone)
	// ErrPending means that a rendition on demand has not been made there yet.
	ErrPending = errors.New("not made yet")
	// ErrNotReady means that there is not yet enough media to play.
	ErrNotReady = errors.New("no media yet")
	// ErrNoSpace means that a Store has no room left.
	ErrNoSpace = errors.New("no space left")
	// ErrStale means that the feed has had no new part for too long: its playlist must not look alive.
	ErrStale = errors.New("feed has stopped")
)
