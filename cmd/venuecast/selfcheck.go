package main

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/venuecast/venuecast/cmd/internal/lint"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/live"
	"github.com/venuecast/venuecast/pipeline/rules"
	"github.com/venuecast/venuecast/transport/origin"
)

// checkEach is the pause between two samples of a feed.
const checkEach = 10 * time.Second

// selfCheck returns a stage that holds what the origin serves against the rules of HLS: every 10 s one rendition of each
// feed, in its turn. It asks the handler as a client would, without a socket.
func (h *host) selfCheck(feeds *live.Feeds, handler http.Handler) (pipeline.Stage, error) {
	broken := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "venuecast_playlist_rule_violations_total",
		Help: "Violations of the rules of HLS in what the origin serves, by rule; found by sampling. " +
			"A fault that stands counts with every sample.",
	}, []string{"rule"})
	if err := h.registry.Register(broken); err != nil {
		return nil, fmt.Errorf("registering the self-check's metrics: %w", err)
	}
	for _, rule := range rules.All() {
		if rule.Severity == rules.Must {
			broken.WithLabelValues(rule.ID) // at zero, so that the first one is an increase
		}
	}
	c := &selfCheck{feeds: feeds, client: &http.Client{Transport: lint.Local{Handler: handler}}, ladders: map[string]*lint.Sampler{}}
	c.report = func(v rules.Violation) {
		if v.Severity != rules.Must {
			return // advice is for whoever runs lint
		}
		broken.WithLabelValues(v.ID).Inc()
		h.log.Debug("the origin broke a rule of HLS", "rule", v.ID, "url", v.URL, "detail", v.Detail, "lines", v.Lines)
	}
	return pipeline.Func("self-check", c.run), nil
}

type selfCheck struct {
	feeds   *live.Feeds
	client  *http.Client
	report  func(rules.Violation)
	ladders map[string]*lint.Sampler
}

func (c *selfCheck) run(ctx context.Context) error {
	ticker := time.NewTicker(checkEach)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
			c.check(ctx)
		}
	}
}

// check samples each feed. A feed whose constants changed is another ladder.
func (c *selfCheck) check(ctx context.Context) {
	now := map[string]*lint.Sampler{}
	for _, feed := range c.feeds.All() {
		constants := feed.Constants()
		under := []string{"live"}
		if constants.Ladder.Container == ladder.MPEGTS {
			under = append(under, "ts")
		}
		for _, path := range under {
			key := fmt.Sprint(path, constants)
			sampler := c.ladders[key]
			if sampler == nil {
				sampler = lint.NewSampler("http://localhost/"+path+"/"+feed.ID()+"/index.m3u8", c.client, c.report)
				sampler.Skip = func(url string) bool { return unasked(feed, url) }
			}
			now[key] = sampler
			sampler.Sample(origin.WithoutDemand(ctx))
		}
	}
	c.ladders = now
}

// unasked reports whether a playlist is that of a rendition on demand that nobody asks for: what it lists is not there.
func unasked(feed *live.Feed, url string) bool {
	r := feed.Rendition(path.Base(path.Dir(url)))
	return r != nil && r.OnDemand() && !r.Asked()
}
