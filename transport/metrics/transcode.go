package metrics

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/venuecast/venuecast/pipeline"
)

// Transcode holds the metrics of a worker's child process.
type Transcode struct {
	set
	lagMessages, lagSeconds, factor, lag            *prometheus.GaugeVec
	parts, bytes, media, pictures, samples, retries *prometheus.CounterVec
	thumbnails, segments, idle                      *prometheus.CounterVec
	rate                                            *prometheus.GaugeVec
	fills                                           *prometheus.CounterVec
	latency, lateness                               *prometheus.HistogramVec
	processorTime                                   func() time.Duration
}

var (
	pictureReasons = []string{"repeat", "slate", "late", "bus_silent", "bus_gap", "undecodable"}
	thumbnailFates = []string{"stored", "skipped", "failed", "lost"}
	sampleReasons  = []string{"silence", "overlap", "slew", "undecodable"}

	latencyBuckets  = []float64{0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 4, 6, 10, 20}
	latenessBuckets = []float64{0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 1, 2, 5}
)

// NewTranscode registers the metrics of a worker's child process.
func NewTranscode(reg prometheus.Registerer) *Transcode {
	m := &Transcode{processorTime: processorTime}
	s := &m.set
	m.lagMessages = gauges(reg, s, "venuecast_bus_lag_messages", "Messages on the bus that the worker has not read yet.", labelFeed)
	m.lagSeconds = gauges(reg, s, "venuecast_bus_lag_seconds", "Age of the record that the worker has read last.", labelFeed)
	m.factor = gauges(reg, s, "venuecast_transcode_realtime_factor",
		"Media seconds per second that all processors of the machine together could make; below 1 it cannot keep up.", labelFeed)
	m.lag = gauges(reg, s, "venuecast_transcode_lag_seconds",
		"Time from a picture's capture until the origin had its part, for the latest part.", labelFeed, labelRendition)
	m.parts = counters(reg, s, "venuecast_transcode_parts_total", "Parts that the origin has taken.", labelFeed, labelRendition)
	m.bytes = counters(reg, s, "venuecast_transcode_bytes_total", "Bytes of parts that the origin has taken.", labelFeed, labelRendition)
	m.media = counters(reg, s, "venuecast_transcode_media_seconds_total",
		"Length of the parts that the origin has taken; its rate is 1 when the worker keeps up.", labelFeed, labelRendition)
	m.pictures = counters(reg, s, "venuecast_transcode_irregular_frames_total",
		"Video frames that did not go their plain way.", labelFeed, labelReason)
	m.samples = counters(reg, s, "venuecast_transcode_irregular_samples_total",
		"Audio samples that did not go their plain way.", labelFeed, labelReason)
	m.segments = counters(reg, s, "venuecast_transcode_passthrough_segments_total",
		"Segments of a rendition with passthrough: those that are all the source's own (passed), the others by why a piece was encoded.",
		labelFeed, labelRendition, labelReason)
	m.retries = counters(reg, s, "venuecast_push_retries_total", "Requests to the origin that were tried again.", labelFeed)
	m.thumbnails = counters(reg, s, "venuecast_transcode_thumbnails_total",
		"Thumbnails of segments, by what became of them: stored, skipped because the one before was in work, failed, lost on the way.",
		labelFeed, labelReason)
	m.idle = counters(reg, s, "venuecast_transcode_source_idle_seconds_total",
		"Time in which the worker waited for records; while it does not grow, what comes after the bus holds the feed up.", labelFeed)
	m.rate = gauges(reg, s, "venuecast_transcode_rendition_rate",
		"Share of a video rendition's pictures that are encoded now; 0: nobody asks for it, or there is no room.", labelFeed, labelRendition)
	m.fills = counters(reg, s, "venuecast_transcode_fills_total",
		"Times that a rendition was made from before it was asked for.", labelFeed, labelRendition)
	m.latency = histograms(reg, s, "venuecast_latency_seconds",
		"Time from the capture of a part's last picture until the origin had the part.", latencyBuckets, labelFeed)
	m.lateness = histograms(reg, s, "venuecast_part_lateness_seconds",
		"Time by which a part came later than one part length after the part before it.", latenessBuckets, labelFeed)
	return m
}

// Retried counts a request to the origin that is tried again.
func (m *Transcode) Retried(feed string) { m.retries.WithLabelValues(feed).Inc() }

// Feed returns the meter of one feed, with its series at 0.
func (m *Transcode) Feed(id string) *TranscodeFeed {
	touch(m.pictures, id, pictureReasons)
	touch(m.samples, id, sampleReasons)
	touch(m.thumbnails, id, thumbnailFates)
	m.retries.WithLabelValues(id)
	m.idle.WithLabelValues(id)
	return &TranscodeFeed{
		id: id, m: m, last: map[string]time.Duration{},
		factor:  newRealTime(m.factor, m.processorTime),
		latency: m.latency.WithLabelValues(id), lateness: m.lateness.WithLabelValues(id),
	}
}

// TranscodeFeed measures the transcoding of one feed. It is a transcode.Meter.
// Its methods may be called from any goroutine.
type TranscodeFeed struct {
	id                string
	m                 *Transcode
	latency, lateness prometheus.Observer
	factor            *realTime

	mu   sync.Mutex               // guards last
	last map[string]time.Duration // how late each rendition's latest part was
}

// Pictures counts video frames that did not go their plain way.
func (f *TranscodeFeed) Pictures(reason string, n int64) {
	f.m.pictures.WithLabelValues(f.id, reason).Add(float64(n))
}

// Samples counts audio samples that did not go their plain way.
func (f *TranscodeFeed) Samples(reason string, n int64) {
	f.m.samples.WithLabelValues(f.id, reason).Add(float64(n))
}

// Thumbnail counts a segment's thumbnail by what became of it.
func (f *TranscodeFeed) Thumbnail(fate string) { f.m.thumbnails.WithLabelValues(f.id, fate).Inc() }

// Segment counts a segment of a rendition that the source's own pictures may be.
func (f *TranscodeFeed) Segment(rendition, outcome string) {
	f.m.segments.WithLabelValues(f.id, rendition, outcome).Inc()
}

// Put says that the origin has taken a part, and how long after its last picture was captured.
func (f *TranscodeFeed) Put(p pipeline.Part, late time.Duration) {
	if p.Gap {
		f.m.lag.DeleteLabelValues(f.id, p.Rendition) // nothing is late of what is not made
		return
	}
	f.m.parts.WithLabelValues(f.id, p.Rendition).Inc()
	f.m.bytes.WithLabelValues(f.id, p.Rendition).Add(float64(len(p.Data)))
	if p.Timescale > 0 {
		seconds := float64(p.Duration) / float64(p.Timescale)
		f.m.media.WithLabelValues(f.id, p.Rendition).Add(seconds)
		f.factor.add(f.id, p.Rendition, seconds)
	}
	f.m.lag.WithLabelValues(f.id, p.Rendition).Set(late.Seconds())
	f.latency.Observe(late.Seconds())
	if growth, ok := f.growth(p.Rendition, late); ok {
		f.lateness.Observe(max(growth, 0).Seconds())
	}
}

// growth returns how much later a part is than the one before it. Parts are due one part length apart,
// so this is what their distance exceeds that length by. false: there is none before it.
func (f *TranscodeFeed) growth(rendition string, late time.Duration) (time.Duration, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	before, ok := f.last[rendition]
	f.last[rendition] = late
	return late - before, ok
}

// Behind says how far the reader is behind the bus.
func (f *TranscodeFeed) Behind(messages uint64, age time.Duration) {
	f.m.lagMessages.WithLabelValues(f.id).Set(float64(messages))
	f.m.lagSeconds.WithLabelValues(f.id).Set(age.Seconds())
}

// Waited says that the reader has waited so long for a record.
func (f *TranscodeFeed) Waited(d time.Duration) { f.m.idle.WithLabelValues(f.id).Add(d.Seconds()) }
