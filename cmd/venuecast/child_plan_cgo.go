//go:build cgo

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/venuecast/venuecast/pipeline/transcode"
)

// planned is the child's plan, from wherever it comes, and the worker that obeys it.
type planned struct {
	mu     sync.Mutex        // guards the fields below
	parent transcode.Plan    // what the parent allows
	asked  transcode.Plan    // what viewers ask for
	worker *transcode.Worker // nil between sessions
}

// allow takes a plan of the parent's.
func (p *planned) allow(plan transcode.Plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.parent = plan
	p.tell()
}

// use makes w the worker that obeys; nil: there is none.
func (p *planned) use(w *transcode.Worker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.worker = w
	p.tell()
}

// now returns the plan.
func (p *planned) now() transcode.Plan {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sum()
}

func (p *planned) sum() transcode.Plan { return p.parent.With(p.asked) } // p.mu is held

func (p *planned) tell() int64 { // p.mu is held
	if p.worker == nil {
		return -1
	}
	return p.worker.SetPlan(p.sum())
}

// demand takes a plan by what viewers ask for, and returns the first segment that obeys it: see Worker.SetPlan.
func (p *planned) demand(plan transcode.Plan) (from int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = plan
	return p.tell()
}

// begun reports whether the worker has begun a segment.
func (p *planned) begun() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.worker != nil && p.worker.Begun()
}

// obey takes the parent's orders until they end, which means that the parent is gone.
func obey(ctx context.Context, in *json.Decoder, p *planned) error {
	gone := make(chan error, 1)
	go func() { // a read of a pipe cannot be cancelled; this goroutine ends with the process
		for {
			var o order
			if err := in.Decode(&o); err != nil {
				gone <- err
				return
			}
			p.allow(o.Plan)
		}
	}()
	select {
	case err := <-gone:
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return errors.New("the parent is gone")
		}
		return fmt.Errorf("reading the parent's orders: %w", err)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
