package bench

import (
	"context"
	"fmt"
)

// Generate makes the clip.
func (f FFmpeg) Generate(ctx context.Context, file string) error { return fmt.Errorf("later") }
