package main

import (
	"context"

	"github.com/venuecast/venuecast/configs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/transport/metrics"
)

// transcode opens the transcode role: it claims feeds, each of which runs in a child process.
func (h *host) transcode(context.Context) ([]pipeline.Stage, error) {
	list := func(ctx context.Context) (ids []string, err error) {
		feeds, err := h.feeds.Feeds(ctx)
		for _, f := range feeds {
			ids = append(ids, f.ID)
		}
		return ids, err
	}
	return h.fleet(configs.Transcode, h.feeds, list, &children{
		job: job{
			NATS: h.natsURL(), Replicas: h.config.NATS.Replicas, Origin: h.originURL(), Token: h.token,
			Level: h.config.Log.Level, Format: h.config.Log.Format,
		},
		relay: h.relay, worker: metrics.NewWorker(h.registry), log: h.log,
	}), nil
}
