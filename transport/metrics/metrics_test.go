package metrics_test

import (
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/ingest"
	"github.com/venuecast/venuecast/pipeline/live"
	"github.com/venuecast/venuecast/pipeline/transcode"
	"github.com/venuecast/venuecast/transport/metrics"
	"github.com/venuecast/venuecast/transport/origin"
)

var (
	_ ingest.Meter    = (*metrics.IngestFeed)(nil)
	_ transcode.Meter = (*metrics.TranscodeFeed)(nil)
)

// listing is a Registerer that writes down what is registered: metrics with labels show in no gathering before their first use.
type listing struct {
	*prometheus.Registry
	descs []string
}

func (l *listing) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		if err := l.Register(c); err != nil {
			panic(err)
		}
	}
}

func (l *listing) Register(c prometheus.Collector) error {
	ch := make(chan *prometheus.Desc, 16)
	c.Describe(ch)
	close(ch)
	for d := range ch {
		l.descs = append(l.descs, d.String())
	}
	return l.Registry.Register(c)
}

var (
	fqName = regexp.MustCompile(`fqName: "([^"]*)"`)
	labels = regexp.MustCompile(`variableLabels: \{([^}]*)\}`)
)

// all returns the labels of every venuecast metric by its name, from one registry: names are so shown to be unique.
func all(t *testing.T) map[string][]string {
	t.Helper()
	reg := &listing{Registry: metrics.NewRegistry("v0")}
	metrics.NewIngest(reg)
	metrics.NewReloads(reg)
	metrics.NewTranscode(reg)
	metrics.NewWorker(reg)
	metrics.NewHardware(reg, nil)
	newOrigin(t, reg)
	metrics.RegisterLedger(reg, func() map[string]int64 { return nil })
	found := map[string][]string{"venuecast_build_info": nil}
	for _, d := range reg.descs {
		found[fqName.FindStringSubmatch(d)[1]] = strings.FieldsFunc(labels.FindStringSubmatch(d)[1], func(r rune) bool { return r == ',' })
	}
	require.Greater(t, len(found), 30)
	return found
}

// bounded are labels of other names, whose values are few and known when venuecast is built.
var bounded = map[string][]string{
	"venuecast_config_reloads_total":     {"result"}, // applied, refused
	"venuecast_libav_live_objects":       {"kind"},   // the sorts of native object
	"venuecast_hardware_sessions":        {"device", "kind"},
	"venuecast_transcode_decoder_info":   {"kind"},    // cuda, vaapi, software
	"venuecast_transcode_encoder_info":   {"encoder"}, // those of libav that a ladder may name
	"venuecast_origin_responses_total":   {"class"},   // 2xx, 3xx, 4xx, 5xx
	"venuecast_capacity_free_ladders":    {"class"},   // 2160p, 1080p, 720p
	"venuecast_origin_clips_total":       {"state"},   // ready, failed, deleted
	"venuecast_origin_ts_segments_total": {"result"},  // made, kept, shared, failed, refused
}

// newOrigin registers the metrics of the origin role, which are its own.
func newOrigin(t *testing.T, reg prometheus.Registerer) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	_, err = origin.New(origin.Options{Feeds: live.New(live.Options{}), Listener: listener, Token: "t", Registerer: reg})
	require.NoError(t, err)
	_, err = origin.StoreErrors(reg)
	require.NoError(t, err)
	_, err = origin.StoreRemoved(reg)
	require.NoError(t, err)
	_, err = origin.ClipsDone(reg)
	require.NoError(t, err)
}

func TestNamesHaveUnitsAndLabelsAreBounded(t *testing.T) {
	for name, has := range all(t) {
		require.Regexp(t, `^venuecast_[a-z_]+$`, name)
		allowed := append([]string{"feed", "rendition", "reason"}, bounded[name]...)
		require.Subset(t, allowed, has, name)
	}
}

func TestMetricsPassPrometheusLint(t *testing.T) {
	reg := metrics.NewRegistry("v0")
	use(reg)
	problems, err := testutil.GatherAndLint(reg)
	require.NoError(t, err)
	for _, p := range problems {
		require.NotContains(t, p.Metric, "venuecast", p.Text)
	}
}

// use touches every metric of every role once.
func use(reg prometheus.Registerer) {
	in := metrics.NewIngest(reg).Feed("court-1")
	in.Up(true)
	in.Reconnected()
	in.Received(true, 1, 1000)
	in.Received(false, 5, 200)
	in.Dropped("queue_full", 3)
	in.Repaired("jump")
	in.Bus(func() metrics.BusStats {
		return metrics.BusStats{Pending: 7, PendingBytes: 9000, Stored: 100, Recoveries: 1}
	})

	hardware := metrics.NewHardware(reg, func() map[metrics.Session]int64 {
		return map[metrics.Session]int64{{Device: "cuda", Kind: "decode"}: 1}
	})
	hardware.Decoder("court-1", "cuda")
	hardware.Encoder("court-1", "720p", "libx264")

	transcoder := metrics.NewTranscode(reg)
	transcoder.Retried("court-1")
	out := transcoder.Feed("court-1")
	out.Pictures("repeat", 2)
	out.Samples("silence", 1024)
	part := pipeline.Part{Rendition: "720p", Duration: 28800, Timescale: 90000, Data: make([]byte, 100)}
	out.Put(part, 500*time.Millisecond)
	out.Put(part, 800*time.Millisecond)
	out.Put(part, 600*time.Millisecond)
	out.Behind(3, 120*time.Millisecond)

	worker := metrics.NewWorker(reg)
	worker.Feed("court-1")
	worker.Restarted("court-1", "crash")
	worker.SetCapacity(metrics.Capacity{
		Feeds: 2, Used: 60e6, Total: 100e6, Largest: 30e6, Fits: map[string]int{"720p": 1}, Full: -1,
	})
}

func TestMetersCount(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	use(reg)
	require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP venuecast_capacity_free_feeds Further feeds, as large as the largest that is known, for which this worker has room.
# TYPE venuecast_capacity_free_feeds gauge
venuecast_capacity_free_feeds 1
# HELP venuecast_capacity_free_ladders Further ladders of a class at 25 pictures per second for which this worker has room.
# TYPE venuecast_capacity_free_ladders gauge
venuecast_capacity_free_ladders{class="720p"} 1
# HELP venuecast_capacity_seconds_until_full Time until this worker has no room left, at the trend of the last ten minutes; infinite: never.
# TYPE venuecast_capacity_seconds_until_full gauge
venuecast_capacity_seconds_until_full +Inf
# HELP venuecast_ingest_drops_total Units taken in and not passed on.
# TYPE venuecast_ingest_drops_total counter
venuecast_ingest_drops_total{feed="court-1",reason="bus"} 0
venuecast_ingest_drops_total{feed="court-1",reason="no_keyframe"} 0
venuecast_ingest_drops_total{feed="court-1",reason="packet_loss"} 0
venuecast_ingest_drops_total{feed="court-1",reason="queue_full"} 3
venuecast_ingest_drops_total{feed="court-1",reason="timestamp"} 0
venuecast_ingest_drops_total{feed="court-1",reason="unknown"} 0
# HELP venuecast_bus_ring_bytes Bytes kept until the bus has acknowledged them.
# TYPE venuecast_bus_ring_bytes gauge
venuecast_bus_ring_bytes{feed="court-1"} 9000
# HELP venuecast_bus_stored_messages_total Messages that the bus has acknowledged.
# TYPE venuecast_bus_stored_messages_total counter
venuecast_bus_stored_messages_total{feed="court-1"} 100
# HELP venuecast_source_up 1 while the camera delivers, else 0, as in an ingest that stands by.
# TYPE venuecast_source_up gauge
venuecast_source_up{feed="court-1"} 1
# HELP venuecast_transcode_lag_seconds Time from a picture's capture until the origin had its part, for the latest part.
# TYPE venuecast_transcode_lag_seconds gauge
venuecast_transcode_lag_seconds{feed="court-1",rendition="720p"} 0.6
# HELP venuecast_transcode_media_seconds_total Length of the parts that the origin has taken; its rate is 1 when the worker keeps up.
# TYPE venuecast_transcode_media_seconds_total counter
venuecast_transcode_media_seconds_total{feed="court-1",rendition="720p"} 0.96
# HELP venuecast_part_lateness_seconds Time by which a part came later than one part length after the part before it.
# TYPE venuecast_part_lateness_seconds histogram
venuecast_part_lateness_seconds_bucket{feed="court-1",le="0.01"} 1
venuecast_part_lateness_seconds_bucket{feed="court-1",le="0.025"} 1
venuecast_part_lateness_seconds_bucket{feed="court-1",le="0.05"} 1
venuecast_part_lateness_seconds_bucket{feed="court-1",le="0.1"} 1
venuecast_part_lateness_seconds_bucket{feed="court-1",le="0.2"} 1
venuecast_part_lateness_seconds_bucket{feed="court-1",le="0.35"} 2
venuecast_part_lateness_seconds_bucket{feed="court-1",le="0.5"} 2
venuecast_part_lateness_seconds_bucket{feed="court-1",le="1"} 2
venuecast_part_lateness_seconds_bucket{feed="court-1",le="2"} 2
venuecast_part_lateness_seconds_bucket{feed="court-1",le="5"} 2
venuecast_part_lateness_seconds_bucket{feed="court-1",le="+Inf"} 2
venuecast_part_lateness_seconds_sum{feed="court-1"} 0.3
venuecast_part_lateness_seconds_count{feed="court-1"} 2
`), "venuecast_capacity_free_feeds", "venuecast_capacity_free_ladders", "venuecast_capacity_seconds_until_full", "venuecast_ingest_drops_total", "venuecast_bus_ring_bytes", "venuecast_bus_stored_messages_total", "venuecast_source_up",
		"venuecast_transcode_lag_seconds", "venuecast_transcode_media_seconds_total", "venuecast_part_lateness_seconds"))
}

func TestAForgottenFeedLeavesNoSeries(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	m := metrics.NewIngest(reg)
	feeds := map[string]*metrics.IngestFeed{}
	for _, id := range []string{"court-1", "court-2"} {
		feeds[id] = m.Feed(id)
		feeds[id].Bus(func() metrics.BusStats { return metrics.BusStats{} })
	}
	before, err := testutil.GatherAndCount(reg)
	require.NoError(t, err)
	m.Forget("court-1")
	feeds["court-1"].Dropped("queue_full", 1) // a session that is about to end
	feeds["court-1"].Repaired("gap")
	feeds["court-1"].Up(false)
	after, err := testutil.GatherAndCount(reg)
	require.NoError(t, err)
	require.Equal(t, before/2, after)
}

func TestTheLedgerIsShownByKind(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	metrics.RegisterLedger(reg, func() map[string]int64 { return map[string]int64{"frame": 3, "codec": 0} })
	require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP venuecast_libav_live_objects Native objects of libav that were made and not yet freed.
# TYPE venuecast_libav_live_objects gauge
venuecast_libav_live_objects{kind="codec"} 0
venuecast_libav_live_objects{kind="frame"} 3
`)))
}
