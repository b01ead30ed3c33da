package main

import (
	"context"

	"github.com/venuecast/venuecast/configs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/transport/metrics"
)

// transcode opens the transcode role: it claims feeds as long as they fit; each runs in a child process.
func (h *host) transcode(ctx context.Context) ([]pipeline.Stage, error) {
	worker := metrics.NewWorker(h.registry)
	run := &children{
		job: job{
			NATS: h.natsURL(), Replicas: h.config.NATS.Replicas, Origin: h.originURL(), Token: h.token,
			Level: h.config.Log.Level, Format: h.config.Log.Format, Software: h.config.Worker.Hardware == "never",
		},
		relay: h.relay, worker: worker, log: h.log,
	}
	room, err := newRoom(ctx, h.feeds, run, float64(h.config.Worker.Capacity), h.log)
	if err != nil {
		return nil, err
	}
	priority := func(id string) int { return room.feed(id).Priority }
	stages := h.fleet(configs.Transcode, h.feeds, room.list, fleetOptions{
		run: room, admit: room.admit, priority: priority, release: h.feeds.Release, retired: room.forget,
	})
	return append(stages, pipeline.Func("capacity", room.watch), pipeline.Func("overload", room.guard.watch)), nil
}
