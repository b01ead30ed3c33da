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
	turn := ctx.Done()
	for i := len(roles) - 1; i >= 0; i-- {
		if len(roles[i]) == 0 {
			continue
		}
		next, running := make(chan struct{}), new(atomic.Int64)
		running.Store(int64(len(roles[i])))
		for _, s := range roles[i] {
			stages = append(stages, roleStage{s, turn, running, next})
		}
		turn = next
	}
	return pipeline.Run(context.WithoutCancel(ctx), stages...)
}

// roleStage is a stage that ends when it is its role's turn to.
type roleStage struct {
	pipeline.Stage
	turn    <-chan struct{}
	running *atomic.Int64   // stages of the role
	next    chan<- struct{} // closed when the role has ended: the next one's turn
}

// Run implements pipeline.Stage. A stage that ends in its turn has not failed.
func (s roleStage) Run(ctx context.Context) error {
	err := s.untilTurn(ctx)
	select {
	case <-s.turn:
	default:
		if err != nil {
			return err
		}
	}
	if s.running.Add(-1) > 0 {
		return nil
	}
	select { // a role that has nothing more to do keeps its place
	case <-s.turn:
	case <-ctx.Done():
	}
	close(s.next)
	return nil
}

func (s roleStage) untilTurn(ctx context.Context) (err error) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	_ = pipeline.Run(ctx, // neither fails
		pipeline.Func("turn", func(ctx context.Context) error {
			defer end()
			select {
			case <-s.turn:
			case <-ctx.Done():
			}
			return nil
		}),
		pipeline.Func("stage", func(ctx context.Context) error {
			defer end()
			err = s.Stage.Run(ctx)
			return nil
		}))
	return err
}
