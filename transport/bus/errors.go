package bus

import (
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/venuecast/venuecast/pipeline"
)

var (
	// ErrTooLarge means that a record does not fit into a message. It is lost; the next can be published.
	ErrTooLarge = errors.New("record too large for the bus")
	// ErrOverflow means that the bus has been away for longer than the writer's ring holds, and that this record was
	// dropped because it cannot be decoded without what is lost. Those after the next random access picture are taken again.
	ErrOverflow = errors.New("bus has been away for too long: waiting for the next random access picture")
	// ErrNotFound means that there is no such record or key.
	ErrNotFound = errors.New("not found on the bus")
)

// GapError says that the records From up to and including To cannot be had: they expired before they were read,
// or, when Err is set, one could not be understood. errors.Is(err, pipeline.ErrGap) is true.
// When To is below From the stream does not have what was read after To, and the reader goes back there: the stream's
// store was lost, or a reader ran ahead of the stream with a writer that was then succeeded.
type GapError struct {
	From, To uint64
	Err      error
}

func (e *GapError) Error() string {
	switch {
	case e.Err != nil:
		return fmt.Sprintf("record %d: %v", e.From, e.Err)
	case e.To < e.From:
		return fmt.Sprintf("stream has gone back from record %d to %d", e.From, e.To)
	}
	return fmt.Sprintf("records %d to %d are missing", e.From, e.To)
}

// Is makes every GapError a pipeline.ErrGap.
func (e *GapError) Is(target error) bool { return target == pipeline.ErrGap }

func (e *GapError) Unwrap() error { return e.Err }

// isWrongLastSequence reports whether the server turned a message away because something else was stored before it.
// Replicated streams say so with a code of their own.
func isWrongLastSequence(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}
