package metrics_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/transport/metrics"
)

// childOf returns the snapshot of a child that has restarted n times and knows of its feed.
func childOf(t testing.TB, feed string, n int) []byte {
	t.Helper()
	reg := prometheus.NewRegistry()
	worker := metrics.NewWorker(reg)
	for range n {
		worker.Restarted(feed, "crash")
	}
	plain := prometheus.NewCounter(prometheus.CounterOpts{Name: "plain_total", Help: "Without labels."})
	plain.Add(float64(n))
	reg.MustRegister(plain)
	var out bytes.Buffer
	require.NoError(t, metrics.WriteSnapshot(&out, reg))
	return out.Bytes()
}

const header = `
# HELP plain_total Without labels.
# TYPE plain_total counter
`

func TestTheRelayShowsTheLatestSnapshotOfEachLivingChild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		relay := metrics.NewRelay()
		group, ends := []pipeline.Stage(nil), []*io.PipeWriter(nil)
		for _, feed := range []string{"a", "b"} {
			in, out := io.Pipe()
			group, ends = append(group, pipeline.Func(feed, func(context.Context) error { return relay.Read(feed, in) })), append(ends, out)
		}
		script := pipeline.Func("children", func(context.Context) error {
			for _, n := range []int{1, 2} {
				_, errA := ends[0].Write(childOf(t, "a", n))
				_, errB := ends[1].Write(childOf(t, "b", 10*n))
				require.NoError(t, errors.Join(errA, errB))
				synctest.Wait()
			}
			both := prometheus.Gatherers{metrics.NewRegistry("v0"), relay}
			require.NoError(t, testutil.GatherAndCompare(both, strings.NewReader(header+`plain_total{feed="a"} 2
plain_total{feed="b"} 20
# HELP venuecast_worker_restarts_total Child processes started again.
# TYPE venuecast_worker_restarts_total counter
venuecast_worker_restarts_total{feed="a",reason="crash"} 2
venuecast_worker_restarts_total{feed="b",reason="crash"} 20
`), "plain_total", "venuecast_worker_restarts_total"))
			require.NoError(t, ends[0].Close())
			synctest.Wait()
			require.NoError(t, testutil.GatherAndCompare(relay, strings.NewReader(header+`plain_total{feed="b"} 20
`), "plain_total"))
			return ends[1].Close()
		})
		require.NoError(t, pipeline.Run(t.Context(), append(group, script)...))
	})
}

func TestAPredecessorThatEndsLateLeavesItsSuccessor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		relay := metrics.NewRelay()
		oldIn, oldOut := io.Pipe()
		newIn, newOut := io.Pipe()
		read := func(in io.Reader) pipeline.Stage {
			return pipeline.Func("read", func(context.Context) error { return relay.Read("a", in) })
		}
		script := pipeline.Func("children", func(ctx context.Context) error {
			_, err := oldOut.Write(childOf(t, "a", 5))
			require.NoError(t, err)
			successor := pipeline.Func("successor", func(context.Context) error {
				_, err := newOut.Write(childOf(t, "a", 1))
				require.NoError(t, err)
				require.NoError(t, oldOut.Close())
				synctest.Wait()
				require.NoError(t, testutil.GatherAndCompare(relay, strings.NewReader(header+`plain_total{feed="a"} 1
`), "plain_total"))
				return newOut.Close()
			})
			return pipeline.Run(ctx, read(newIn), successor)
		})
		require.NoError(t, pipeline.Run(t.Context(), read(oldIn), script))
	})
}

func TestACutSnapshotIsAnError(t *testing.T) {
	whole := childOf(t, "a", 1)
	for _, cut := range []int{2, 4, len(whole) - 1} {
		require.ErrorIs(t, metrics.NewRelay().Read("a", bytes.NewReader(whole[:cut])), io.ErrUnexpectedEOF)
	}
	require.ErrorContains(t, metrics.NewRelay().Read("a", strings.NewReader("\xff\xff\xff\xff")), "want at most")
	require.NoError(t, metrics.NewRelay().Read("a", strings.NewReader("")))
}

func TestTheReporterSendsAtOnceAndThenEveryInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
		defer cancel()
		var writes counter
		err := metrics.Reporter(&writes, prometheus.NewRegistry(), time.Second).Run(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, counter(4), writes)
	})
}

type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c++
	return len(p), nil
}

func FuzzRelayRead(f *testing.F) {
	f.Add(childOf(f, "a", 1))
	f.Add(append(childOf(f, "a", 1), childOf(f, "b", 2)...))
	f.Add([]byte{0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, snapshots []byte) {
		relay := metrics.NewRelay()
		err := relay.Read("a", bytes.NewReader(snapshots))
		if len(snapshots) < 4 && len(snapshots) > 0 {
			require.Error(t, err)
		}
		families, err := relay.Gather()
		require.NoError(t, err)
		require.Empty(t, families, "the child has ended")
	})
}
