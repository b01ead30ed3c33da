package origin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/live"
)

// asked notes that a request is demand for a rendition.
func asked(req *http.Request, r *live.Rendition, msn int64) {
	if req.Method == http.MethodGet && req.Context().Value(withoutDemand{}) == nil {
		r.Ask(msn)
	}
}

type withoutDemand struct{}

// WithoutDemand returns a context of requests that are no demand: those of checks within this process.
func WithoutDemand(ctx context.Context) context.Context {
	return context.WithValue(ctx, withoutDemand{}, true)
}

// pendingTime is how long media that are listed and not made yet are waited for: longer than a worker needs to begin,
// shorter than players do.
const pendingTime = 4 * time.Second

// getOnDemand answers with a segment or part of a rendition on demand, and waits for it if it is still to be made.
func (s *Server) getOnDemand(w http.ResponseWriter, req *http.Request, r *live.Rendition, f file) {
	get := func(snap *live.Snapshot) (live.Media, error) { return snap.Coming(f.place) }
	if f.kind == segmentFile {
		get = func(snap *live.Snapshot) (live.Media, error) { return snap.Segment(f.place.MSN) }
	}
	media, err := get(r.Snapshot())
	if err == nil || errors.Is(err, live.ErrPending) {
		asked(req, r, f.place.MSN)
	}
	if errors.Is(err, live.ErrPending) && req.Method == http.MethodGet {
		media, err = s.made(req, r, get)
	}
	writeMedia(w, req, r, media, err)
}

// made waits until media have been made.
func (s *Server) made(req *http.Request, r *live.Rendition, get func(*live.Snapshot) (live.Media, error)) (live.Media, error) {
	if err := s.enter(); err != nil {
		return live.Media{}, err
	}
	defer s.leave()
	ctx, cancel := context.WithTimeout(req.Context(), pendingTime)
	defer cancel()
	return r.WaitMedia(ctx, get)
}

// demandInterval is how often demand is reported while it lasts, so that a lost message does no harm and a new worker learns it.
const demandInterval = time.Second

// Demands tells workers what viewers ask for of renditions on demand: at once when it grows, and each second while it lasts.
type Demands struct {
	report func(feed string, d pipeline.Demand) error
	grown  chan string // feeds; when it is full, the next second will do
	begun  *prometheus.CounterVec
	start  *prometheus.HistogramVec
	log    *slog.Logger
}

// NewDemands returns what calls report, which must not wait long. Its methods Grown and ColdStart are for live.Options.
func NewDemands(reg prometheus.Registerer, log *slog.Logger, report func(feed string, d pipeline.Demand) error) (*Demands, error) {
	rendition := []string{"feed", "rendition"}
	d := &Demands{
		report: report, grown: make(chan string, 256), log: log,
		begun: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "venuecast_origin_demands_total", Help: "Times that somebody asked for a rendition nobody had asked for.",
		}, rendition),
		start: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "venuecast_origin_cold_start_seconds",
			Help:    "From the first request for a rendition on demand until its first segment was there.",
			Buckets: []float64{.25, .5, .75, 1, 1.25, 1.5, 2, 3, 4, 6, 10},
		}, rendition),
	}
	for _, c := range []prometheus.Collector{d.begun, d.start} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("registering the metrics of demand: %w", err)
		}
	}
	return d, nil
}

// Name names the stage.
func (d *Demands) Name() string { return "demand" }

// Grown is to be called when a rendition begins to be asked for, or more of it than before.
func (d *Demands) Grown(feed, rendition string, cold bool) {
	if cold {
		d.begun.WithLabelValues(feed, rendition).Inc()
		d.log.Info("rendition on demand is asked for", "feed", feed, "rendition", rendition)
	}
	select {
	case d.grown <- feed:
	default:
	}
}

// ColdStart is to be called when the first segment is there, with the time since the first request.
func (d *Demands) ColdStart(feed, rendition string, after time.Duration) {
	d.start.WithLabelValues(feed, rendition).Observe(after.Seconds())
	d.log.Info("rendition on demand is there", "feed", feed, "rendition", rendition, "after", after.Round(time.Millisecond))
}

// Run reports until the context ends.
func (d *Demands) Run(ctx context.Context, feeds *live.Feeds) {
	tick := time.NewTicker(demandInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case id := <-d.grown:
			if f := feeds.Feed(id); f != nil {
				d.tell(f)
			}
		case <-tick.C:
			for _, f := range feeds.All() {
				d.tell(f)
			}
		}
	}
}

// tell reports a feed's demand, if there is any. A bus that is away will be told in a second.
func (d *Demands) tell(f *live.Feed) {
	demand := f.Demand()
	if len(demand) == 0 {
		return
	}
	if err := d.report(f.ID(), demand); err != nil {
		d.log.Debug("demand was not reported", "feed", f.ID(), "error", err)
	}
}
