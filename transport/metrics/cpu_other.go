//go:build !unix

package metrics

import "time"

// processorTime is not known here: the real-time factor is not shown.
func processorTime() time.Duration { return 0 }
