package pipeline

import (
	"context"
	"time"
)

// Sleep waits for d, or for the end of the context, whose cause it returns. It does not wait if d is not positive.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
