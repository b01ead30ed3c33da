package ingest

import (
	"log/slog"
	"time"
)

const (
	// silentAfter is how long pictures must be missing for the log to say so: viewers have seen the slate for a second then.
	silentAfter = 2 * time.Second
	// silencePause is how long a camera that comes and goes stays out of the log after it was in it.
	silencePause = time.Minute
)

// silence tells an operator of a camera that is connected and of which there are no pictures. That its session ended is
// said elsewhere.
type silence struct {
	log    *slog.Logger // with the feed
	saidAt time.Time
	said   bool // of this silence
}

// lasts is told how long there has been no picture, and why, if those that came were dropped.
func (s *silence) lasts(now time.Time, silent time.Duration, dropped string) {
	if s.said || silent < silentAfter || now.Sub(s.saidAt) < silencePause && !s.saidAt.IsZero() {
		return
	}
	s.said, s.saidAt = true, now
	because := "the camera sends none"
	if dropped != "" {
		because = "dropped until the next I-frame: " + dropped
	}
	s.log.Warn("camera is connected, but there are no pictures", "because", because, "silent", silent.Round(100*time.Millisecond))
}

// ends is told of each picture, and how long after the one before it came.
func (s *silence) ends(silent time.Duration) {
	if s.said {
		s.log.Info("pictures are back", "silent", silent.Round(100*time.Millisecond))
	}
	s.said = false
}
