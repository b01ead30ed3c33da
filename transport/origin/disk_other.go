//go:build !linux && !darwin

package origin

import (
	"errors"
	"fmt"
)

// Space implements live.Volume: it is not known here.
func (d *Disk) Space() (free, size int64, err error) {
	return 0, 0, fmt.Errorf("asking for the free space of the store: %w", errors.ErrUnsupported)
}

// isFull is not known here.
func isFull(error) bool { return false }
