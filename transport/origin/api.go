package origin

import (
	"net/http"

	"github.com/venuecast/venuecast/pipeline/live"
)

// feedReport is one feed in /api/v1/feeds.
type feedReport struct {
	ID         string            `json:"id"`
	Live       bool              `json:"live"`
	Latency    float64           `json:"latency_seconds"` // from the end of the newest part to now, of the slowest rendition
	Playlist   string            `json:"playlist"`
	Renditions []renditionReport `json:"renditions"`
}

type renditionReport struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	MSN    int64  `json:"msn"`  // of the newest part; absent media has -1
	Part   int    `json:"part"` // its index
	Codecs string `json:"codecs"`
}

func (s *Server) getFeeds(w http.ResponseWriter, _ *http.Request) {
	reports := []feedReport{}
	for _, feed := range s.opts.Feeds.All() {
		reports = append(reports, s.report(feed))
	}
	cacheFor(w, 0)
	writeJSON(w, map[string]any{"feeds": reports})
}

func (s *Server) report(feed *live.Feed) feedReport {
	now := s.opts.Now()
	report := feedReport{ID: feed.ID(), Live: true, Playlist: "/live/" + feed.ID() + "/index.m3u8"}
	for _, r := range feed.Renditions() {
		snap := r.Snapshot()
		report.Live = report.Live && snap.Err(now) == nil
		last := renditionReport{Name: r.Name(), Kind: r.Kind().String(), Codecs: snap.Codecs(), MSN: -1}
		if p, ok := snap.LastPart(); ok {
			last.MSN, last.Part = p.MSN, p.Part
		}
		if edge, ok := snap.Edge(); ok {
			report.Latency = max(report.Latency, now.Sub(edge).Seconds())
		}
		report.Renditions = append(report.Renditions, last)
	}
	return report
}
