package codecs

import "errors"

// ErrBadUnit means that an access unit could not be decoded. It is counted; the next random access unit heals it.
var ErrBadUnit = errors.New("access unit cannot be decoded")
