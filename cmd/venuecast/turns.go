package main

import (
	"context"
	"sync/atomic"

	"github.com/venuecast/venuecast/pipeline"
)

// runRoles runs the stages of all roles together. When the context ends, the role that was opened last ends first, and each of the
// others when the one behind it has: a worker finishes its part with what ingest still gives it, and the origin takes that part.
// The first stage to fail ends all at once, and its error is returned.
func runRoles(ctx context.Context, roles [][]pipeline.Stage) error {
	var stages []pipeline.Stage
	turn := ctx
	for i := len(roles) - 1; i >= 0; i-- {
		if len(roles[i]) == 0 {
			continue
		}
		next, end := context.WithCancel(context.WithoutCancel(ctx))
		defer end()
		running := new(atomic.Int64)
		running.Store(int64(len(roles[i])))
		for _, s := range roles[i] {
			stages = append(stages, roleStage{s, turn, running, end})
		}
		turn = next
	}
	return pipeline.Run(context.WithoutCancel(ctx), stages...)
}

// roleStage is a stage that ends when it is its role's turn to.
type roleStage struct {
	pipeline.Stage
	turn    context.Context //nolint:containedctx // it says when, and nothing else
	running *atomic.Int64   // stages of the role
	end     func()          // begins the next role's turn
}

// Run implements pipeline.Stage. A stage that ends in its turn has not failed.
func (s roleStage) Run(ctx context.Context) error {
	inTurn, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.turn, cancel)()
	err := s.Stage.Run(inTurn)
	if s.running.Add(-1) == 0 {
		context.AfterFunc(s.turn, s.end) // a role that has nothing more to do keeps its place
	}
	if s.turn.Err() != nil && ctx.Err() == nil {
		return nil
	}
	return err
}
