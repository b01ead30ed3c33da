package metrics

import "github.com/prometheus/client_golang/prometheus"

// Hardware holds the metrics of what a child's decoder and encoders run on. Devices and encoders are few and known when it is
// built: so some have labels of their own.
type Hardware struct {
	set
	decoder, encoder *prometheus.GaugeVec
	stepDowns        *prometheus.CounterVec
}

// The labels of what runs on what.
const (
	labelDevice  = "device"
	labelKind    = "kind"
	labelEncoder = "encoder"
)

// Session is a use of a device, "cuda", "vaapi" or "qsv": "decode" or "encode".
type Session struct{ Device, Kind string }

// The reasons of a step down: hardware that failed.
const (
	StepDownCard    = "card"    // that decodes and scales
	StepDownEncoder = "encoder" // or anything, once the card is not used
)

// NewHardware registers the metrics. sessions returns how many are open.
func NewHardware(reg prometheus.Registerer, sessions func() map[Session]int64) *Hardware {
	h := &Hardware{}
	h.decoder = gauges(reg, &h.set, "venuecast_transcode_decoder_info",
		"1, with what decodes: cuda, vaapi, or software, which is the processor.", labelFeed, labelKind)
	h.encoder = gauges(reg, &h.set, "venuecast_transcode_encoder_info",
		"1, with the encoder of a rendition by libav's name.", labelFeed, labelRendition, labelEncoder)
	h.stepDowns = counters(reg, &h.set, "venuecast_transcode_step_downs_total",
		"Times that a feed went on without hardware that failed: a card that decodes and scales, or an encoder.", labelFeed, labelReason)
	reg.MustRegister(&sessionCollector{sessions, prometheus.NewDesc("venuecast_hardware_sessions",
		"Sessions that are open on a device to decode or encode; drivers bound their number.", []string{labelDevice, labelKind}, nil)})
	return h
}

// Decoder says what decodes a feed.
func (h *Hardware) Decoder(feed, kind string) {
	touch(h.stepDowns, feed, []string{StepDownCard, StepDownEncoder})
	h.decoder.DeletePartialMatch(prometheus.Labels{labelFeed: feed})
	h.decoder.WithLabelValues(feed, kind).Set(1)
}

// Encoder says what encodes a rendition.
func (h *Hardware) Encoder(feed, rendition, encoder string) {
	h.encoder.DeletePartialMatch(prometheus.Labels{labelFeed: feed, labelRendition: rendition})
	h.encoder.WithLabelValues(feed, rendition, encoder).Set(1)
}

// SteppedDown counts that a feed goes on without what failed.
func (h *Hardware) SteppedDown(feed, reason string) { h.stepDowns.WithLabelValues(feed, reason).Inc() }

type sessionCollector struct {
	sessions func() map[Session]int64
	desc     *prometheus.Desc
}

func (c *sessionCollector) Describe(ch chan<- *prometheus.Desc) { ch <- c.desc }

func (c *sessionCollector) Collect(ch chan<- prometheus.Metric) {
	for s, n := range c.sessions() {
		ch <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, float64(n), s.Device, s.Kind)
	}
}

// Encoders returns the encoder of each rendition of a feed that has one, as of its child's latest snapshot.
func (r *Relay) Encoders(feed string) map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	by := map[string]string{}
	c := r.children[feed]
	if c == nil {
		return by
	}
	for _, f := range c.families {
		if f.GetName() != "venuecast_transcode_encoder_info" {
			continue
		}
		for _, m := range f.GetMetric() {
			has := map[string]string{}
			for _, l := range m.GetLabel() {
				has[l.GetName()] = l.GetValue()
			}
			by[has[labelRendition]] = has[labelEncoder]
		}
	}
	return by
}
