package origin

import (
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics counts what an origin takes and gives.
type metrics struct {
	parts     *prometheus.CounterVec
	bytes     *prometheus.CounterVec
	lateness  *prometheus.HistogramVec
	refused   *prometheus.CounterVec
	responses *prometheus.CounterVec
	waiting   prometheus.Gauge
	turned    prometheus.Counter

	thumbnails     *prometheus.CounterVec
	thumbnailBytes *prometheus.CounterVec
	sprites        *prometheus.CounterVec

	connections prometheus.Gauge
	lanes       prometheus.Gauge
	intakes     prometheus.Gauge
	okay        prometheus.Counter // of responses
}

func newMetrics(reg prometheus.Registerer, mostConnections int) (*metrics, error) {
	rendition := []string{"feed", "rendition"}
	m := &metrics{
		parts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "venuecast_origin_parts_total", Help: "Parts taken from workers.",
		}, rendition),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "venuecast_origin_part_bytes_total", Help: "Bytes of the parts taken from workers.",
		}, rendition),
		lateness: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "venuecast_origin_part_lateness_seconds", Help: "From the end of a part's time to its arrival.",
			Buckets: []float64{.05, .1, .2, .3, .5, .75, 1, 1.5, 2, 3, 5, 10, 30},
		}, rendition),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "venuecast_origin_refused_total", Help: "Requests to write that were refused, by reason.",
		}, []string{"reason"}),
		responses: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "venuecast_origin_responses_total", Help: "Answers, by class of status.",
		}, []string{"class"}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "venuecast_origin_waiting_requests", Help: "Requests that wait for a part.",
		}),
		turned: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "venuecast_origin_waiting_refused_total", Help: "Requests turned away because too many wait.",
		}),
		thumbnails: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "venuecast_origin_thumbnails_total", Help: "Thumbnails taken from workers.",
		}, []string{"feed"}),
		thumbnailBytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "venuecast_origin_thumbnail_bytes_total", Help: "Bytes of the thumbnails taken from workers.",
		}, []string{"feed"}),
		sprites: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "venuecast_origin_sprites_total", Help: "Sprites made for storyboards, and thumbnails that could not be read for them.",
		}, []string{"reason"}),
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "venuecast_origin_connections", Help: "Connections of viewers and workers.",
		}),
		lanes: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "venuecast_origin_lane_connections", Help: "Connections of viewers that are answered in lanes, and do not wait.",
		}),
		intakes: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "venuecast_origin_worker_connections", Help: "Connections on which workers have put nothing but media for a while.",
		}),
	}
	m.okay = m.responses.WithLabelValues(class(http.StatusOK))
	most := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "venuecast_origin_connections_limit", Help: "Connections that are accepted at a time; more wait.",
	})
	most.Set(float64(mostConnections))
	for _, c := range []prometheus.Collector{
		m.parts, m.bytes, m.lateness, m.refused, m.responses, m.waiting, m.turned, m.connections, m.lanes, m.intakes, most,
		m.thumbnails, m.thumbnailBytes, m.sprites,
	} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("registering the origin's metrics: %w", err)
		}
	}
	return m, nil
}

// StoreErrors returns a counter for live.Options.StoreFailed: venuecast_origin_store_errors_total by feed and reason.
func StoreErrors(reg prometheus.Registerer) (func(feed, reason string), error) {
	errs := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "venuecast_origin_store_errors_total", Help: "Segments that could not be stored, removed or read back.",
	}, []string{"feed", "reason"})
	if err := reg.Register(errs); err != nil {
		return nil, fmt.Errorf("registering the store's metrics: %w", err)
	}
	return func(feed, reason string) { errs.WithLabelValues(feed, reason).Inc() }, nil
}

// ClipsDone returns a counter for ClipOptions.Done: venuecast_origin_clips_total by state.
func ClipsDone(reg prometheus.Registerer) (func(state string), error) {
	clips := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "venuecast_origin_clips_total", Help: "Clips that became ready, failed or were deleted.",
	}, []string{"state"})
	if err := reg.Register(clips); err != nil {
		return nil, fmt.Errorf("registering the clips' metrics: %w", err)
	}
	clips.WithLabelValues(ClipFailed) // at zero, so that the first one is an increase
	return func(state string) { clips.WithLabelValues(state).Inc() }, nil
}
