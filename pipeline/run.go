package pipeline

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// Stage is a part of a pipeline with a goroutine of its own.
type Stage interface {
	// Name says in errors and logs which stage it is.
	Name() string
	// Run works until its input has ended (nil), its context has (the context's error), or it fails.
	// It waits for all that it started.
	Run(ctx context.Context) error
}

// Run runs the stages together and returns when all have ended. The first to fail stops the others;
// its error is returned. Besides process roots it and Group are the only ones that start goroutines.
func Run(ctx context.Context, stages ...Stage) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, s := range stages {
		group.Go(func() error {
			if err := s.Run(ctx); err != nil {
				return fmt.Errorf("%s: %w", s.Name(), err)
			}
			return nil
		})
	}
	return group.Wait()
}

// Func returns a stage that runs f.
func Func(name string, f func(ctx context.Context) error) Stage { return funcStage{name, f} }

type funcStage struct {
	name string
	run  func(ctx context.Context) error
}

func (s funcStage) Name() string                  { return s.name }
func (s funcStage) Run(ctx context.Context) error { return s.run(ctx) }
