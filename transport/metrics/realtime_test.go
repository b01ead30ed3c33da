package metrics

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
)

func TestTheRealTimeFactorIsMediaPerProcessorTimeOnAllProcessors(t *testing.T) {
	reg := prometheus.NewRegistry()
	m := NewTranscode(reg)
	var spent time.Duration
	m.processorTime = func() time.Duration { return spent }
	feed := m.Feed("court-1")
	put := func(rendition string) {
		feed.Put(pipeline.Part{Rendition: rendition, Duration: 90000, Timescale: 90000}, time.Second)
	}
	for range 4 {
		spent += time.Second
		put("720p")
		put("360p")
	}
	require.Zero(t, testutil.CollectAndCount(m.factor), "too early to tell")
	spent += 6 * time.Second
	put("720p")
	require.InDelta(t, 0.5*float64(runtime.NumCPU()), testutil.ToFloat64(m.factor.WithLabelValues("court-1")), 1e-9)
	require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP venuecast_transcode_parts_total Parts that the origin has taken.
# TYPE venuecast_transcode_parts_total counter
venuecast_transcode_parts_total{feed="court-1",rendition="360p"} 4
venuecast_transcode_parts_total{feed="court-1",rendition="720p"} 5
`), "venuecast_transcode_parts_total"))
}

func TestProcessorTimeGrows(t *testing.T) {
	before := processorTime()
	for x := 0; processorTime() == before; x++ {
		runtime.KeepAlive(x)
	}
	require.Greater(t, processorTime(), before)
}
