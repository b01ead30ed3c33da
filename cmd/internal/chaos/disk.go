//go:build cgo

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// disk is the origin's, a file system of its own that can be filled. Mounting one takes root.
type disk struct {
	dir     string
	mounted bool
}

// diskSize holds more than the DVR of a run.
const diskSize = "256m"

func newDisk(dir string) (*disk, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+diskSize)
	return &disk{dir: dir, mounted: err == nil}, nil
}

// errNoDisk means that this run may not mount file systems.
var errNoDisk = errors.New("a file system to fill cannot be mounted: run as root")

// fill takes all the room that is left.
func (d *disk) fill() error {
	if !d.mounted {
		return errNoDisk
	}
	f, err := os.Create(d.filler())
	if err != nil {
		return err
	}
	block := bytes.Repeat([]byte{0x55}, 64<<10)
	for size := len(block); size > 0; {
		if _, err = f.Write(block[:size]); err != nil {
			size /= 2
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return errors.Join(fmt.Errorf("filling the disk: %w", err), f.Close())
	}
	return f.Close()
}

// free gives the room back.
func (d *disk) free() error { return os.Remove(d.filler()) }

func (d *disk) filler() string { return filepath.Join(d.dir, "filler") }

func (d *disk) close() {
	if d.mounted {
		_ = syscall.Unmount(d.dir, 0) // it goes with the machine at the latest
	}
}
