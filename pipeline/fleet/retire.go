package fleet

import (
	"context"
	"errors"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

// retireAll retires the feeds that the list says are retired. It is called with every list: what fails is tried again.
func (s *Supervisor) retireAll(ctx context.Context, ids []string) {
	before := s.gone
	s.gone = map[string]bool{}
	for _, id := range ids {
		if before[id] && s.feeds[id] == nil {
			s.gone[id] = true
			continue
		}
		s.retire(ctx, id)
	}
}

// retire ends the run of a feed, or, when it has ended, makes it nobody's and forgets it. A feed that this worker does not know may
// be its own from before its start.
func (s *Supervisor) retire(ctx context.Context, id string) {
	f := s.feeds[id]
	if f != nil {
		f.retired = true
	}
	if f != nil && f.running {
		f.cancel(ErrRetired)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	present, err := s.o.Registry.Assignment(ctx, id)
	mine := err == nil && present.Owner == s.o.Worker
	if mine {
		err = s.o.Registry.Release(ctx, present)
	}
	if err != nil && !errors.Is(err, pipeline.ErrFenced) {
		s.o.Log.Warn("feed cannot be retired, trying again", "feed", id, "error", err)
		return
	}
	if f != nil || mine {
		s.o.Log.Info("feed is retired", "feed", id)
	}
	delete(s.feeds, id)
	s.gone[id] = true
	s.o.Retired(id)
}
