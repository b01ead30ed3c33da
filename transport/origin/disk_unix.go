//go:build linux || darwin

package origin

import (
	"errors"
	"fmt"
	"syscall"
)

// Space implements live.Volume: what is left to this user, and all that the file system has.
func (d *Disk) Space() (free, size int64, err error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(d.root.Name(), &fs); err != nil {
		return 0, 0, fmt.Errorf("asking for the free space of the store: %w", err)
	}
	block := int64(fs.Bsize) //nolint:unconvert // its type differs between systems
	return int64(fs.Bavail) * block, int64(fs.Blocks) * block, nil
}

// isFull reports whether something was not written because the file system, or this user's share of it, is full.
func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }
