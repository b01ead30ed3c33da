package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/venuecast/venuecast/configs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/live"
	"github.com/venuecast/venuecast/transport/origin"
)

func newOrigin() *cobra.Command {
	return roleCommand(configs.Publish, "Take parts from workers and serve playlists and media", func(ctx context.Context, h *host) error {
		return h.run(ctx, h.origin, h.ignoreHangups)
	})
}

// keptOpen bounds the segments that stay open for the next who asks for them: the last minutes of some ladders.
const keptOpen = 256

// origin opens the origin role: the port is taken and the DVR's index read when it returns.
func (h *host) origin(context.Context) ([]pipeline.Stage, error) {
	collectEarly()
	listener, err := net.Listen("tcp", h.config.Origin.Listen)
	if err != nil {
		return nil, fmt.Errorf("origin: listening on %s: %w; stop what uses the port, or set origin.listen", h.config.Origin.Listen, err)
	}
	kept, err := origin.OpenFiles(h.registry)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	disk, err := origin.OpenDisk(filepath.Join(h.config.Data, "dvr"), origin.DiskOptions{KeepOpen: keptOpen, Kept: kept})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("origin: opening the DVR: %w", err), listener.Close())
	}
	h.closers = append(h.closers, disk.Close)
	failed, err := origin.StoreErrors(h.registry)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	removed, err := origin.StoreRemoved(h.registry)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	demands, connect, err := h.demands()
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	o := live.Options{
		Store: disk, PreferStore: true, StoreBytes: h.config.Origin.Disk.DVR, StoreFree: h.config.Origin.Disk.Free,
		StoreFailed: failed, StoreRemoved: removed, Logger: h.log,
	}
	if demands != nil {
		o.OnDemand, o.Demanded, o.ColdStart = true, demands.Grown, demands.ColdStart
	}
	feeds := live.New(o)
	if err := feeds.Restore(); err != nil {
		return nil, errors.Join(fmt.Errorf("origin: reading the DVR: %w", err), listener.Close())
	}
	clips, err := h.clips(feeds)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	secure, err := h.originTLS()
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	plain, err := h.workersListener()
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	server, err := origin.New(origin.Options{
		Feeds: feeds, Clips: clips, Demands: demands, Listener: listener, TLS: secure, Plain: plain, Token: h.token,
		Registerer: h.registry, Logger: h.log,
	})
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	check, err := h.selfCheck(feeds, server.Handler())
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	h.originAddr, h.window = listener.Addr().String(), feeds
	return append(connect, feeds, server, check), nil
}

func (h *host) clips(feeds *live.Feeds) (*origin.Clips, error) {
	disk, err := origin.OpenDisk(filepath.Join(h.config.Data, "clips"), origin.DiskOptions{Sync: true})
	if err != nil {
		return nil, fmt.Errorf("origin: opening the clips: %w", err)
	}
	h.closers = append(h.closers, disk.Close)
	done, err := origin.ClipsDone(h.registry)
	if err != nil {
		return nil, err
	}
	clips, err := origin.NewClips(origin.ClipOptions{
		Feeds: feeds, Disk: disk, MaxBytes: h.config.Origin.Disk.Clips, Done: done, Logger: h.log,
	})
	if err != nil {
		return nil, fmt.Errorf("origin: reading the clips: %w", err)
	}
	return clips, nil
}

// heapGrowth is by how many percent the heap may grow between two collections. Most of an origin's is media, which hold no
// pointers: to look through them costs nothing, and to wait until there is as much garbage doubles them.
const heapGrowth = 40

// collectEarly sets heapGrowth, unless whoever started the process has chosen another.
func collectEarly() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
}
