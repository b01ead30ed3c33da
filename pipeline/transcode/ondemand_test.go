package transcode

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

// demanded is a control of one rendition on demand, and what it has done.
type demanded struct {
	*OnDemand
	mu    sync.Mutex
	begun bool
	next  int64 // the segment that a plan takes effect with
	done  []string
	fail  error         // of fills
	stall chan struct{} // fills wait for it
}

func (d *demanded) note(format string, args ...any) {
	d.done = append(d.done, fmt.Sprintf(format, args...))
}

func (d *demanded) took() []string {
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	done := d.done
	d.done = nil
	return done
}

func withDemand(t *testing.T, on pipeline.State, test func(d *demanded)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		feed := testFeed
		feed.Ladder.Video = append([]ladder.Video{}, feed.Ladder.Video...)
		feed.Ladder.Video[0].Encode = ladder.EncodeOnDemand
		d := &demanded{begun: true, next: 1010}
		d.OnDemand = NewOnDemand(OnDemandOptions{
			Feed: feed, On: on,
			Begun: func() bool { d.mu.Lock(); defer d.mu.Unlock(); return d.begun },
			Set: func(p Plan) int64 {
				d.mu.Lock()
				defer d.mu.Unlock()
				d.note("plan %v from %d", p, d.next)
				return d.next
			},
			Fill: func(ctx context.Context, name string, from, to pipeline.Position) error {
				d.mu.Lock()
				d.note("fill %s %d.%d to %d.%d", name, from.MSN, from.Part, to.MSN, to.Part)
				err, stall := d.fail, d.stall
				d.mu.Unlock()
				if stall != nil {
					select {
					case <-stall:
					case <-ctx.Done():
						return context.Cause(ctx)
					}
				}
				return err
			},
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx) }()
		test(d)
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
	})
}

func wantFrom(msn int64, part int) pipeline.Demand {
	return pipeline.Demand{"high": {From: pipeline.Position{MSN: msn, Part: part}}, "unknown": {}}
}

func TestDemandTurnsARenditionOnAndFillsWhatIsWantedBefore(t *testing.T) {
	withDemand(t, nil, func(d *demanded) {
		require.Equal(t, Plan{"high": RateIdle}, d.Plan())
		d.Hear(wantFrom(1008, 2))
		require.Equal(t, []string{"plan map[] from 1010", "fill high 1008.2 to 1010.0"}, d.took())
		d.Hear(wantFrom(1009, 0))
		require.Empty(t, d.took(), "it is being made")
		d.Hear(wantFrom(1005, 0))
		require.Equal(t, []string{"fill high 1005.0 to 1008.2"}, d.took(), "somebody wants more")
		d.next = 1030
		time.Sleep(pipeline.DemandHold - time.Second)
		require.Empty(t, d.took())
		time.Sleep(2 * time.Second)
		require.Equal(t, []string{"plan map[high:idle] from 1030"}, d.took())
		d.Hear(wantFrom(1029, 0))
		require.Equal(t, []string{"plan map[] from 1030", "fill high 1029.0 to 1030.0"}, d.took())
	})
}

func TestWhatAWorkerHasOnFromItsStartIsNotFilled(t *testing.T) {
	withDemand(t, pipeline.State{"high": {MSN: 1009, Part: 3}, "low": {MSN: 1009}}, func(d *demanded) {
		require.Empty(t, d.Plan())
		d.Hear(wantFrom(1009, 4))
		require.Empty(t, d.took())
	})
}

func TestOldDemandIsNone(t *testing.T) {
	withDemand(t, nil, func(d *demanded) {
		d.Hear(pipeline.Demand{"high": {Age: pipeline.DemandHold}})
		d.Hear(pipeline.Demand{"high": {Age: -time.Second}})
		require.Empty(t, d.took())
		d.Hear(pipeline.Demand{"high": {Age: pipeline.DemandHold - 2*time.Second, From: pipeline.Position{MSN: 1010}}})
		require.Equal(t, []string{"plan map[] from 1010"}, d.took())
		time.Sleep(3 * time.Second)
		require.Equal(t, []string{"plan map[high:idle] from 1010"}, d.took())
	})
}

func TestNothingGoesOnBeforeTheWorkerHasBegun(t *testing.T) {
	withDemand(t, nil, func(d *demanded) {
		d.begun = false
		d.Hear(wantFrom(1009, 0))
		require.Empty(t, d.took())
		d.mu.Lock()
		d.begun = true
		d.mu.Unlock()
		time.Sleep(2 * demandTick)
		require.Equal(t, []string{"plan map[] from 1010", "fill high 1009.0 to 1010.0"}, d.took())
	})
}

func TestAFillThatFailedIsMadeWhenItIsAskedForAgain(t *testing.T) {
	withDemand(t, nil, func(d *demanded) {
		d.fail = errors.New("no bus")
		d.Hear(wantFrom(1009, 0))
		require.Contains(t, d.took(), "fill high 1009.0 to 1010.0")
		d.mu.Lock()
		d.fail = nil
		d.mu.Unlock()
		d.Hear(wantFrom(1009, 1))
		require.Equal(t, []string{"fill high 1009.1 to 1010.0"}, d.took())
		d.Hear(wantFrom(1009, 2))
		require.Empty(t, d.took())
	})
}

func TestOnlySoManyFillsRunAtOnce(t *testing.T) {
	withDemand(t, nil, func(d *demanded) {
		d.stall = make(chan struct{})
		for msn := int64(1009); msn > 1000; msn-- {
			d.Hear(wantFrom(msn, 0))
			d.took()
		}
		d.OnDemand.mu.Lock()
		fills := d.fills
		d.OnDemand.mu.Unlock()
		require.Equal(t, maxFills, fills)
		close(d.stall)
		synctest.Wait()
		d.Hear(wantFrom(1001, 0))
		require.Equal(t, []string{"fill high 1001.0 to 1006.0"}, d.took())
	})
}

func TestAPieceEndsWhereItShould(t *testing.T) {
	o, engine := newOrigin(0), &fakeEngine{}
	feed := testFeed
	feed.Ladder.Audio, feed.Ladder.Video = nil, feed.Ladder.Video[:1]
	w, err := New(Options{
		Feed: feed, Epoch: 1, Video: engine, Audio: engine, Out: o, Meter: noMeter{},
		Resume: pipeline.State{"high": {MSN: 1001, Part: 2}}, Until: testFeed.Grid.PartFrame(1003, 4),
		Open: func(context.Context) (Reader, error) { return &fakeReader{records(400, nothing)}, nil },
	})
	require.NoError(t, err)
	require.NoError(t, w.Run(t.Context()))
	require.Zero(t, engine.live, "native objects left")
	parts := o.parts["high"]
	require.Equal(t, pipeline.Position{MSN: 1001, Part: 2}, parts[0].Position())
	require.True(t, parts[0].Independent)
	require.Equal(t, pipeline.Position{MSN: 1003, Part: 3}, parts[len(parts)-1].Position())
	require.Len(t, parts, 4+6+4)
	samplesOf(t, parts)
}

func TestAPlanTakesEffectWithTheSegmentThatIsSaid(t *testing.T) {
	var w *Worker
	engine, o := &fakeEngine{}, newOrigin(0)
	said, switched := []int64{}, []int64{}
	g := testFeed.Grid
	w, err := New(Options{
		Feed: testFeed, Epoch: 1, Video: engine, Audio: engine, Out: o, Meter: noMeter{}, Plan: Plan{"high": RateIdle},
		Open: func(context.Context) (Reader, error) {
			return &plannedReader{fakeReader{records(1000, nothing)}, func(rec pipeline.Record) {
				k := g.FrameAt(rec.Bundle.Units[0].PTS)
				if len(said) == len(switched) && k%31 == 0 && w.Begun() {
					p := Plan{}
					if len(said)%2 == 1 {
						p = Plan{"high": RateIdle}
					}
					said = append(said, w.SetPlan(p))
				}
			}}, nil
		},
		Switched: func(_ string, msn int64, _ Rate) { switched = append(switched, msn) },
	})
	require.NoError(t, err)
	require.EqualValues(t, -1, w.SetPlan(Plan{"high": RateIdle}))
	require.NoError(t, w.Run(t.Context()))
	require.Greater(t, len(switched), 8)
	require.Equal(t, said[:len(switched)], switched)
}
