package capacity_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/capacity"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

// feed returns one rendition of a million pixels at n pictures per second.
func feed(id string, n int64) pipeline.Feed {
	return pipeline.Feed{
		ID: id, Grid: grid.Grid{FrameRate: codecs.Rational{Num: n, Den: 1}},
		Ladder: ladder.Ladder{Video: []ladder.Video{{Width: 1000, Height: 1000, Divisor: 1}}},
	}
}

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func newWorker(t *testing.T) (*capacity.Worker, *clock) {
	c := &clock{time.Unix(1000, 0)}
	w, err := capacity.New(capacity.Options{Rate: 50e6, Processors: 2, Now: c.now})
	require.NoError(t, err)
	return w, c
}

func TestAFeedIsAdmittedOnlyWithTheSpareLeft(t *testing.T) {
	for _, c := range []struct {
		running, asked int64
		fits           bool
	}{
		{50, 35, true},
		{50, 36, false},
		{84, 1, true},
		{85, 1, false},
		{0, 500, true}, // the first is taken in any case
	} {
		t.Run(fmt.Sprintf("%d and %d", c.running, c.asked), func(t *testing.T) {
			w, _ := newWorker(t)
			if c.running > 0 {
				w.Begin(feed("a", c.running))
			}
			require.Equal(t, c.fits, w.Admit(feed("b", c.asked)) == nil)
		})
	}
}

func TestARefusalSaysInOneLineWhatIsMissing(t *testing.T) {
	w, _ := newWorker(t)
	w.Begin(feed("a", 60))
	require.EqualError(t, w.Admit(feed("b", 40)), "it needs 40 Mpixel/s, 25 Mpixel/s of 85 Mpixel/s are free (15 % are kept back)")
	w.End("a")
	require.NoError(t, w.Admit(feed("b", 40)))
}

func TestMeasuredCostCorrectsTheCalibration(t *testing.T) {
	w, _ := newWorker(t)
	for range 60 {
		w.Measured(10*time.Second, time.Second, 25e6) // twice the calibrated cost
	}
	require.InEpsilon(t, 42.5e6, w.State().Total, 0.001)
	w.Measured(10*time.Second, 0, 25e6)
	w.Measured(10*time.Second, time.Second, 0)
	require.InEpsilon(t, 42.5e6, w.State().Total, 0.001)
}

func TestOneMeasurementMovesTheCostALittle(t *testing.T) {
	w, _ := newWorker(t)
	w.Measured(time.Second, time.Second, 5e6) // ten times the cost, for one second
	require.InDelta(t, 1, 85e6/w.State().Total, 0.16)
	require.Greater(t, 85e6, w.State().Total)
}

func TestClassesCountWhatStillFits(t *testing.T) {
	w, err := capacity.New(capacity.Options{Rate: 100e6, Processors: 8})
	require.NoError(t, err)
	s := w.State()
	require.Equal(t, map[string]int{"2160p": 2, "1080p": 7, "720p": 17}, s.Fits)
	w.Begin(feed("a", 600))
	s = w.State()
	require.Equal(t, map[string]int{"2160p": 0, "1080p": 0, "720p": 2}, s.Fits)
	require.Equal(t, 1, s.Feeds)
	require.InDelta(t, 600e6, s.Largest, 1)
}

func TestTheTrendSaysWhenItIsFull(t *testing.T) {
	w, c := newWorker(t)
	require.Negative(t, w.State().Full)
	for i := range int64(40) { // 1 Mpixel/s more every ten seconds
		w.Begin(feed("a", i+1))
		w.State()
		c.t = c.t.Add(10 * time.Second)
	}
	w.Begin(feed("a", 41))
	require.InDelta(t, 440, w.State().Full.Seconds(), 5) // 44 of 85 are left
	for range 100 {
		c.t = c.t.Add(10 * time.Second)
		w.State()
	}
	require.Negative(t, w.State().Full, "it rises no more")
	w.Begin(feed("b", 100))
	c.t = c.t.Add(10 * time.Second)
	require.Zero(t, w.State().Full)
}

func TestWhatCannotBeIsRefused(t *testing.T) {
	for _, o := range []capacity.Options{{}, {Rate: 1e6}, {Rate: -1, Processors: 2}} {
		_, err := capacity.New(o)
		require.Error(t, err)
	}
}

func TestARenditionThatIsPassedThroughTakesNoRoom(t *testing.T) {
	f := feed("a", 25)
	f.Ladder.Video = append(f.Ladder.Video, ladder.Video{Name: "top", Width: 2000, Height: 1000, Divisor: 1})
	require.InDelta(t, 75e6, capacity.Pixels(f), 1)
	f.Passthrough = &pipeline.Passthrough{Rendition: "top"}
	require.InDelta(t, 25e6, capacity.Pixels(f), 1)
	require.Len(t, f.Ladder.Video, 2, "the feed is left alone")
}
