package ingest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/ingest"
)

// sessions returns a camera that sends so many pictures in each session, with sound where said.
func sessions(pictures int, sound ...bool) *camera {
	c := &camera{}
	for i, with := range sound {
		c.sessions = append(c.sessions, func(ctx context.Context, s ingest.Sink) error {
			c.sound = with
			c.begin(s)
			c.send(ctx, s, i*pictures, pictures)
			return errors.New("reset by peer")
		})
	}
	return c
}

func TestACameraThatGainsAndLosesSoundHasSoundOrSilenceWithoutHoles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &venue{}
		_ = take(t, v, sessions(125, false, true, false), 17*time.Second)
		var covered codecs.Ticks
		formats := map[codecs.Codec]int{}
		for _, r := range v.records {
			switch {
			case r.Absence != nil:
				covered = max(covered, v.feed.Grid.FrameTime(r.Absence.To))
			case r.Bundle != nil && r.Bundle.Format.Codec.Kind() == codecs.Audio:
				first := r.Bundle.Units[0].PTS
				if covered != 0 {
					require.Less(t, (first - covered).Duration(), 1500*time.Millisecond, "a hole")
				}
				covered = max(covered, r.Bundle.Units[len(r.Bundle.Units)-1].PTS)
				formats[r.Bundle.Format.Codec]++
			}
		}
		require.Greater(t, formats[codecs.PCMU], 50, "silence of the sessions without sound")
		require.Greater(t, formats[codecs.PCMA], 40, "sound")
	})
}

func TestPicturesGoOnWhenTheCameraIsRestarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &venue{}
		c := sessions(75, true, true, true)
		for i, run := range c.sessions {
			c.sessions[i] = func(ctx context.Context, s ingest.Sink) error {
				if i == 1 { // its clock begins again, far from where it was
					return run(ctx, rebooted{s})
				}
				return run(ctx, s)
			}
		}
		_ = take(t, v, c, 12*time.Second)
		frames := v.pictures(t)
		require.Greater(t, len(frames), 220)
		for i := 1; i < len(frames); i++ {
			// A picture may be doubled in the first two seconds of a session, see pipeline/timeline.
			require.GreaterOrEqual(t, frames[i], frames[i-1])
		}
		require.InDelta(t, 3*75+2*7, frames[len(frames)-1], 20, "time goes on at its own pace")
	})
}

// rebooted gives units the times of a camera that has just started.
type rebooted struct{ ingest.Sink }

func (r rebooted) Unit(u ingest.Unit) {
	u.RTP -= 3_999_000_000
	r.Sink.Unit(u)
}
