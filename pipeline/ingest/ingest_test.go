package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ingest"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var hd = ladder.Ladder{
	Segment: 2 * time.Second, Part: 320 * time.Millisecond,
	Video: []ladder.Video{{Name: "1080p", Height: 1080, Divisor: 1}, {Name: "360p", Height: 360, Divisor: 1}},
	Audio: []ladder.Audio{{Name: "stereo"}},
}

// venue is a bus, a registry and a meter in memory.
type venue struct {
	mu      sync.Mutex
	feed    *pipeline.Feed
	defined int
	records []pipeline.Record
	times   []time.Time // of the records
	fenced  bool
	dropped map[string]int
}

func (v *venue) Publish(r pipeline.Record) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.fenced {
		return pipeline.ErrFenced
	}
	v.records, v.times = append(v.records, r), append(v.times, time.Now())
	return nil
}

func (v *venue) Define(_ context.Context, f pipeline.Feed) (pipeline.Feed, error) {
	v.feed = &f
	v.defined++
	return f, f.Validate()
}

func (v *venue) Feed(context.Context, string) (pipeline.Feed, bool, error) {
	if v.feed == nil {
		return pipeline.Feed{}, false, nil
	}
	return *v.feed, true, nil
}

func (v *venue) Up(bool)                 {}
func (v *venue) Reconnected()            {}
func (v *venue) Received(bool, int, int) {}
func (v *venue) Repaired(string)         {}
func (v *venue) Dropped(reason string, n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.dropped[reason] += n
}

// pictures returns the frame numbers published, relative to the first.
func (v *venue) pictures(t *testing.T) (frames []int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, r := range v.records {
		if r.Bundle == nil || r.Bundle.Format.Codec != codecs.H264 {
			continue
		}
		pts := r.Bundle.Units[0].PTS
		k := v.feed.Grid.FrameAt(pts)
		require.Equal(t, v.feed.Grid.FrameTime(k), pts, "PTS lies on the grid")
		frames = append(frames, k)
	}
	for i := len(frames) - 1; i >= 0; i-- {
		frames[i] -= frames[0]
	}
	return frames
}

// camera is a source at 25 pictures per second with a keyframe each second. Each session sends what its script says.
type camera struct {
	sessions []func(ctx context.Context, s ingest.Sink) error
	starts   []time.Time
	sound    bool
}

func (c *camera) Run(ctx context.Context, s ingest.Sink) error {
	c.starts = append(c.starts, time.Now())
	if len(c.starts) > len(c.sessions) {
		return errors.New("connection refused")
	}
	return c.sessions[len(c.starts)-1](ctx, s)
}

func (c *camera) begin(s ingest.Sink) {
	tracks := []ingest.Track{{Format: codecs.Format{Codec: codecs.H264}, ClockRate: 90000}}
	if c.sound {
		tracks = append(tracks, ingest.Track{Format: codecs.Format{Codec: codecs.PCMA, SampleRate: 8000, Channels: 1}, ClockRate: 8000})
	}
	s.Begin(tracks)
}

// send sends n pictures in real time, with 20 ms frames of sound.
func (c *camera) send(ctx context.Context, s ingest.Sink, from, n int) {
	for i := from; i < from+n && ctx.Err() == nil; i++ {
		u := ingest.Unit{RTP: uint32(4_000_000_000 + i*3600), Arrival: time.Now(), RandomAccess: i%25 == 0, Data: fmt.Appendf(nil, "%d", i)}
		if u.RandomAccess {
			u.Picture = ingest.Picture{Width: 1280, Height: 720}
		}
		s.Unit(u)
		for j := range 2 {
			if c.sound {
				s.Unit(ingest.Unit{Track: 1, RTP: uint32((i*2 + j) * 160), Arrival: time.Now(), RandomAccess: true, Data: make([]byte, 160)})
			}
		}
		time.Sleep(40 * time.Millisecond)
	}
}

// take runs an ingest for a while of simulated time.
func take(t *testing.T, v *venue, c *camera, d time.Duration) error {
	t.Helper()
	return takeFor(t, v, c, hd, d)
}

func takeFor(t *testing.T, v *venue, c *camera, l ladder.Ladder, d time.Duration) error {
	t.Helper()
	v.dropped = map[string]int{}
	in := ingest.New(ingest.Options{
		ID: "court-1", Ladder: l, Source: c, Bus: v, Registry: v, Meter: v, Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	return in.Run(ctx)
}

func TestAFeedIsDefinedOnceAndNoPictureIsLostMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c := &venue{}, &camera{sound: true}
		c.sessions = append(c.sessions, func(ctx context.Context, s ingest.Sink) error {
			c.begin(s)
			c.send(ctx, s, 0, 500)
			return errors.New("end of script")
		})
		require.ErrorIs(t, take(t, v, c, 19*time.Second+20*time.Millisecond), context.DeadlineExceeded) // between two pictures
		require.Equal(t, 1, v.defined)
		require.Equal(t, codecs.Rational{Num: 25, Den: 1}, v.feed.Grid.FrameRate)
		require.Len(t, v.feed.Ladder.Video, 1, "1080p is larger than the source")
		require.Equal(t, 640, v.feed.Ladder.Video[0].Width)
		frames := v.pictures(t)
		require.Greater(t, len(frames), 460)
		for i, k := range frames {
			require.EqualValues(t, i, k)
		}
		require.Zero(t, v.dropped["queue_full"]+v.dropped["unknown"]+v.dropped["no_keyframe"])
	})
}

func TestACameraWithoutSoundGetsSilenceWithoutHoles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c := &venue{}, &camera{}
		c.sessions = append(c.sessions, func(ctx context.Context, s ingest.Sink) error {
			c.begin(s)
			c.send(ctx, s, 0, 200)
			return errors.New("end of script")
		})
		_ = take(t, v, c, 8*time.Second)
		var last codecs.Ticks
		units := 0
		for _, r := range v.records {
			if r.Bundle == nil || r.Bundle.Format.Codec != codecs.PCMU {
				continue
			}
			require.LessOrEqual(t, len(r.Bundle.Units), 50)
			for _, u := range r.Bundle.Units {
				if units > 0 {
					require.EqualValues(t, codecs.TicksPerSecond/50, u.PTS-last)
				}
				last = u.PTS
				units++
			}
		}
		require.InDelta(t, 7.8*50, units, 10)
	})
}

func TestSoundWaitsForABundleUnlessLatencyIsLow(t *testing.T) {
	for latency, frames := range map[ladder.Latency]int{ladder.LatencyNormal: 6, ladder.LatencyLow: 1} {
		t.Run(string(latency), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, c := &venue{}, &camera{sound: true}
				c.sessions = append(c.sessions, func(ctx context.Context, s ingest.Sink) error {
					c.begin(s)
					c.send(ctx, s, 0, 100)
					return errors.New("end of script")
				})
				l := hd
				l.Latency = latency
				_ = takeFor(t, v, c, l, 4*time.Second)
				bundles := 0
				for _, r := range v.records {
					if r.Bundle != nil && r.Bundle.Format.Codec == codecs.PCMA {
						require.LessOrEqual(t, len(r.Bundle.Units), frames)
						bundles++
					}
				}
				require.InDelta(t, 200/frames, bundles, 2)
			})
		})
	}
}

func TestAfterALossPicturesAreDroppedUntilTheNextKeyframe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c := &venue{}, &camera{}
		c.sessions = append(c.sessions, func(ctx context.Context, s ingest.Sink) error {
			c.begin(s)
			c.send(ctx, s, 0, 60)
			s.Lost(0, 1)
			c.send(ctx, s, 61, 60)
			return errors.New("end of script")
		})
		_ = take(t, v, c, 6*time.Second)
		require.Equal(t, map[string]int{"packet_loss": 14}, v.dropped)
		frames := v.pictures(t)
		require.EqualValues(t, 59, frames[59])
		require.EqualValues(t, 75, frames[60])
	})
}

func TestWhileASourceIsAwayItsAbsenceIsDeclaredTenTimesASecondFromTheSameFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c := &venue{}, &camera{}
		session := func(ctx context.Context, s ingest.Sink) error {
			c.begin(s)
			c.send(ctx, s, 0, 75)
			return errors.New("reset by peer")
		}
		c.sessions = append(c.sessions, session)
		_ = take(t, v, c, 33*time.Second)
		var absences []pipeline.Absence
		for _, r := range v.records {
			if r.Absence != nil {
				absences = append(absences, *r.Absence)
			}
		}
		require.InDelta(t, 295, len(absences), 10)
		for i, a := range absences {
			require.Equal(t, absences[0].From, a.From)
			if i > 0 {
				require.InDelta(t, 2.5, a.To-absences[i-1].To, 1)
			}
		}
		require.Greater(t, len(c.starts), 15, "it keeps trying at short intervals")
	})
}

// TestAnAbsenceIsDeclaredSoonerWhenTheSessionHasEnded: what is repeated meanwhile must come before players run out of pictures.
func TestAnAbsenceIsDeclaredSoonerWhenTheSessionHasEnded(t *testing.T) {
	for _, c := range []struct {
		name        string
		ends        bool
		least, most time.Duration
	}{
		{"the session ends", true, 80 * time.Millisecond, 240 * time.Millisecond},
		{"the source is silent", false, 460 * time.Millisecond, 620 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, cam := &venue{}, &camera{}
				cam.sessions = append(cam.sessions, func(ctx context.Context, s ingest.Sink) error {
					cam.begin(s)
					cam.send(ctx, s, 0, 75)
					if !c.ends {
						<-ctx.Done()
					}
					return errors.New("reset by peer")
				})
				_ = take(t, v, cam, 10*time.Second)
				behind := map[bool]int{}
				for i, r := range v.records {
					if r.Absence != nil {
						late := v.times[i].Sub(v.feed.Grid.FrameTime(r.Absence.To).Time())
						behind[late >= c.least && late <= c.most]++
					}
				}
				require.Zero(t, behind[false])
				require.Greater(t, behind[true], 60)
			})
		})
	}
}

func TestWrongPasswordIsTriedRarely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c := &venue{}, &camera{}
		for range 100 {
			c.sessions = append(c.sessions, func(context.Context, ingest.Sink) error {
				return fmt.Errorf("401 Unauthorized: %w", ingest.ErrCredentials)
			})
		}
		_ = take(t, v, c, 5*time.Minute)
		require.LessOrEqual(t, len(c.starts), 14)
	})
}

func TestAReplacedIngestStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c := &venue{fenced: true}, &camera{}
		v.feed = &pipeline.Feed{
			ID: "court-1", Asked: hd, Ladder: hd,
			Grid: grid.Grid{FrameRate: codecs.Rational{Num: 25, Den: 1}, StepFrames: 48, PartFrames: 8},
		}
		c.sessions = append(c.sessions, func(ctx context.Context, s ingest.Sink) error {
			c.begin(s)
			c.send(ctx, s, 0, 50)
			<-ctx.Done()
			return context.Cause(ctx)
		})
		require.ErrorIs(t, take(t, v, c, time.Minute), pipeline.ErrFenced)
	})
}

func TestAKnownFeedKeepsItsConstantsWhateverTheCameraSends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, c := &venue{}, &camera{}
		want := pipeline.Feed{
			ID: "court-1", Asked: hd, Ladder: hd,
			Grid: grid.Grid{FrameRate: codecs.Rational{Num: 50, Den: 1}, StepFrames: 96, PartFrames: 16},
		}
		v.feed = &want
		c.sessions = append(c.sessions, func(ctx context.Context, s ingest.Sink) error {
			c.begin(s)
			c.send(ctx, s, 0, 100)
			return errors.New("end of script")
		})
		_ = take(t, v, c, 4*time.Second)
		require.Zero(t, v.defined)
		frames := v.pictures(t)
		for i, k := range frames {
			require.EqualValues(t, 2*i, k, "25 pictures per second on a grid of 50")
		}
	})
}
