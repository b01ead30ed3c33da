package ingest_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/ingest"
)

// always is a camera that sends pictures until the session is ended.
func always() *camera {
	c := &camera{sound: true}
	c.sessions = append(c.sessions, func(ctx context.Context, s ingest.Sink) error {
		c.begin(s)
		c.send(ctx, s, 0, 1<<20)
		return context.Cause(ctx)
	})
	return c
}

// startStandby runs a standby until the end of the test.
func startStandby(t *testing.T, v *venue, c *camera) *ingest.Standby {
	t.Helper()
	s := ingest.NewStandby(ingest.Options{
		ID: "court-1", Ladder: hd, Source: c, Registry: v, Meter: v, Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(t.Context())
	var group pipeline.Group
	group.Start(ctx, s, func(err error) { require.ErrorIs(t, err, context.Canceled) })
	t.Cleanup(func() {
		cancel()
		group.Wait()
	})
	return s
}

// publish lets a standby publish for a time.
func publish(t *testing.T, s *ingest.Standby, v *venue, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	require.ErrorIs(t, s.Publish(ctx, v), context.DeadlineExceeded)
}

func TestAWarmStandbyGoesOnWithoutALostPicture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &venue{}
		first := always()
		standby := startStandby(t, v, always())
		require.ErrorIs(t, take(t, v, first, 10*time.Second), context.DeadlineExceeded)
		time.Sleep(1100 * time.Millisecond) // until the first counts as dead
		publish(t, standby, v, 10*time.Second)
		before := len(v.pictures(t))
		v.fenced = true // by a third
		require.ErrorIs(t, standby.Publish(t.Context(), v), pipeline.ErrFenced)
		v.fenced = false
		publish(t, standby, v, 5*time.Second)

		frames := v.pictures(t)
		require.Greater(t, len(frames), before)
		slices.Sort(frames)
		frames = slices.Compact(frames)
		require.GreaterOrEqual(t, frames[len(frames)-1], int64(25*26-2))
		for i, k := range frames {
			require.EqualValues(t, i, k, "a picture is missing")
		}
	})
}

func TestAStandbyRemembersSecondsNotHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &venue{}
		require.ErrorIs(t, take(t, v, always(), 3*time.Second), context.DeadlineExceeded)
		standby := startStandby(t, v, always())
		time.Sleep(10 * time.Minute)
		v.records = nil
		publish(t, standby, v, 200*time.Millisecond) // its turn comes with the camera's next unit
		var first codecs.Ticks
		for _, r := range v.records {
			if r.Bundle != nil && r.Bundle.Format.Codec == codecs.H264 {
				require.True(t, first != 0 || r.Bundle.Units[0].RandomAccess)
				first = r.Bundle.Units[0].PTS
				break
			}
		}
		age := (codecs.TicksAt(time.Now()) - first).Duration()
		require.Greater(t, age, 3*time.Second)
		require.Less(t, age, 5*time.Second)
	})
}

func TestAStandbyWhoseCameraIsAwayBeginsWithNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &venue{}
		require.ErrorIs(t, take(t, v, always(), 3*time.Second), context.DeadlineExceeded)
		gone := &camera{}
		gone.sessions = append(gone.sessions, func(ctx context.Context, s ingest.Sink) error {
			gone.begin(s)
			gone.send(ctx, s, 0, 100)
			return context.DeadlineExceeded
		})
		standby := startStandby(t, v, gone)
		time.Sleep(20 * time.Second)
		v.records = nil
		publish(t, standby, v, 3*time.Second)
		require.NotEmpty(t, v.records)
		for _, r := range v.records {
			require.NotNil(t, r.Absence)
		}
	})
}
