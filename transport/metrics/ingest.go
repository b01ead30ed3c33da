package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/venuecast/venuecast/pipeline/timeline"
)

// Ingest holds the metrics of the ingest role. New metrics panic when their names are registered twice.
type Ingest struct {
	set
	up                                             *prometheus.GaugeVec
	videoUnits, audioUnits, videoBytes, audioBytes *prometheus.CounterVec
	reconnects, drops, repairs                     *prometheus.CounterVec
	bus                                            *busCollector
}

// The reasons that are there from the start.
var (
	dropReasons   = []string{"queue_full", "packet_loss", "no_keyframe", "bus", "timestamp", "unknown"}
	repairReasons = []string{
		string(timeline.Jump), string(timeline.Reset), string(timeline.Repeat), string(timeline.Reorder),
		string(timeline.Wrap), string(timeline.Drift), string(timeline.Gap),
	}
)

// NewIngest registers the metrics of the ingest role.
func NewIngest(reg prometheus.Registerer) *Ingest {
	m := &Ingest{}
	s := &m.set
	m.up = gauges(reg, s, "venuecast_source_up", "1 while the camera delivers, else 0, as in an ingest that stands by.", labelFeed)
	m.videoUnits = counters(reg, s, "venuecast_ingest_video_units_total", "Coded pictures taken in.", labelFeed)
	m.audioUnits = counters(reg, s, "venuecast_ingest_audio_units_total", "Coded audio frames taken in.", labelFeed)
	m.videoBytes = counters(reg, s, "venuecast_ingest_video_bytes_total", "Bytes of coded pictures taken in.", labelFeed)
	m.audioBytes = counters(reg, s, "venuecast_ingest_audio_bytes_total", "Bytes of coded audio frames taken in.", labelFeed)
	m.reconnects = counters(reg, s, "venuecast_ingest_reconnects_total", "Attempts to connect again to the camera.", labelFeed)
	m.drops = counters(reg, s, "venuecast_ingest_drops_total", "Units taken in and not passed on.", labelFeed, labelReason)
	m.repairs = counters(reg, s, "venuecast_timeline_repairs_total",
		"Units whose time was not simply taken from the camera.", labelFeed, labelReason)
	m.bus = newBusCollector()
	reg.MustRegister(m.bus)
	s.vectors = append(s.vectors, m.bus)
	return m
}

// Feed returns the meter of one feed, with its series at 0. Once the feed is forgotten, what it measures is not shown.
func (m *Ingest) Feed(id string) *IngestFeed {
	return &IngestFeed{
		id: id, bus: m.bus, up: m.up.WithLabelValues(id), reconnects: m.reconnects.WithLabelValues(id),
		videoUnits: m.videoUnits.WithLabelValues(id), videoBytes: m.videoBytes.WithLabelValues(id),
		audioUnits: m.audioUnits.WithLabelValues(id), audioBytes: m.audioBytes.WithLabelValues(id),
		drops: byReason(m.drops, id, dropReasons), repairs: byReason(m.repairs, id, repairReasons),
	}
}

// IngestFeed measures the ingest of one feed. It is an ingest.Meter. Its methods may be called from any goroutine.
type IngestFeed struct {
	id                                             string
	up                                             prometheus.Gauge
	videoUnits, audioUnits, videoBytes, audioBytes prometheus.Counter
	reconnects                                     prometheus.Counter
	drops, repairs                                 func(reason string) prometheus.Counter
	bus                                            *busCollector
}

// byReason makes the series of known reasons, and returns what finds them even when they are shown no more.
func byReason(v *prometheus.CounterVec, feed string, reasons []string) func(string) prometheus.Counter {
	known := map[string]prometheus.Counter{}
	for _, r := range reasons {
		known[r] = v.WithLabelValues(feed, r)
	}
	return func(reason string) prometheus.Counter {
		if c, ok := known[reason]; ok {
			return c
		}
		return v.WithLabelValues(feed, reason)
	}
}

// Up says whether the camera delivers.
func (f *IngestFeed) Up(up bool) {
	value := 0.0
	if up {
		value = 1
	}
	f.up.Set(value)
}

// Reconnected counts an attempt to connect again.
func (f *IngestFeed) Reconnected() { f.reconnects.Inc() }

// Received counts what came in.
func (f *IngestFeed) Received(video bool, units, bytes int) {
	if video {
		f.videoUnits.Add(float64(units))
		f.videoBytes.Add(float64(bytes))
		return
	}
	f.audioUnits.Add(float64(units))
	f.audioBytes.Add(float64(bytes))
}

// Dropped counts units that were not passed on.
func (f *IngestFeed) Dropped(reason string, units int) {
	f.drops(reason).Add(float64(units))
}

// Repaired counts a unit whose time was not simply taken from the camera.
func (f *IngestFeed) Repaired(reason string) { f.repairs(reason).Inc() }

// Bus shows what stats returns, from now until the feed is forgotten. stats is called at each gathering.
func (f *IngestFeed) Bus(stats func() BusStats) { f.bus.put(f.id, stats) }
