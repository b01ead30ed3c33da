package pipeline

import (
	"context"
	"sync"
)

// Group runs stages that come and go, each with an end of its own. The zero value is ready.
type Group struct {
	running sync.WaitGroup
}

// Start runs a stage and calls ended with its error when it has. It returns at once.
func (g *Group) Start(ctx context.Context, s Stage, ended func(error)) {
	g.running.Go(func() { ended(s.Run(ctx)) })
}

// Wait returns when every stage has ended. No Start may follow.
func (g *Group) Wait() { g.running.Wait() }
