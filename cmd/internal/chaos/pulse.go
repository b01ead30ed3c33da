//go:build cgo

package main

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

const (
	pulseInterval = 10 * time.Millisecond
	// overloaded is how long a machine may leave a process waiting until nothing can be said about what runs on it: a
	// camera that stands still for half a second counts as away.
	overloaded = 100 * time.Millisecond
	// attempts is how often a run is made at most on a machine that is overloaded.
	attempts = 3
)

// pulse measures how late this process is run. It is a stage.
type pulse struct{ worst atomic.Int64 }

// Name names the stage.
func (p *pulse) Name() string { return "pulse" }

// Run measures until ctx ends.
func (p *pulse) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		due := time.Now()
		_ = pipeline.Sleep(ctx, pulseInterval) // the end of the context is looked at above
		p.worst.Store(max(p.worst.Load(), int64(time.Since(due)-pulseInterval)))
	}
	return nil
}

func (p *pulse) stall() time.Duration { return time.Duration(p.worst.Load()) }
