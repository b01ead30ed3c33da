package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline/ingest"
)

// logged takes in a camera that is silent, or ends its session, for as long as each pause is, and returns the log.
func logged(t *testing.T, ends bool, pauses ...time.Duration) string {
	t.Helper()
	v, c := &venue{dropped: map[string]int{}}, &camera{}
	session := func(ctx context.Context, s ingest.Sink) error {
		c.begin(s)
		from := 0
		for _, pause := range pauses {
			c.send(ctx, s, from, 75)
			if ends {
				return errors.New("reset by peer")
			}
			time.Sleep(pause)
			from += 75 + int(pause/(40*time.Millisecond))/25*25
		}
		c.send(ctx, s, from, 2000) // until the end
		return context.Cause(ctx)
	}
	c.sessions = append(c.sessions, session)
	var out bytes.Buffer
	in := ingest.New(ingest.Options{
		ID: "court-1", Ladder: hd, Source: c, Bus: v, Registry: v, Meter: v, Log: slog.New(slog.NewTextHandler(&out, nil)),
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.ErrorIs(t, in.Run(ctx), context.DeadlineExceeded)
	return out.String()
}

func TestASilentCameraIsInTheLogOnceWithItsFeed(t *testing.T) {
	for _, c := range []struct {
		name   string
		ends   bool
		pauses []time.Duration
		said   int
	}{
		{"shorter than a viewer would notice", false, []time.Duration{1500 * time.Millisecond}, 0},
		{"long", false, []time.Duration{8 * time.Second}, 1},
		{"long, twice within a minute", false, []time.Duration{8 * time.Second, 8 * time.Second}, 1},
		{"the session ended, which is said elsewhere", true, []time.Duration{8 * time.Second}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := logged(t, c.ends, c.pauses...)
				require.Equal(t, c.said, strings.Count(log, "there are no pictures"), log)
				require.Equal(t, c.said, strings.Count(log, "pictures are back"), log)
				if c.said > 0 {
					require.Contains(t, log, `msg="camera is connected, but there are no pictures" feed=court-1 because="the camera sends none" silent=2`)
					require.Contains(t, log, `msg="pictures are back" feed=court-1 silent=8`)
				}
			})
		})
	}
}
