//go:build cgo

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
)

// profiled runs work and leaves NAME-cpu.pprof, of all of it, and NAME-heap.pprof, of its end, in dir. An empty dir: it only runs it.
func profiled(dir, name string, work func() error) (err error) {
	if dir == "" {
		return work()
	}
	cpu, err := os.Create(filepath.Join(dir, name+"-cpu.pprof"))
	if err != nil {
		return fmt.Errorf("profiling: %w", err)
	}
	defer func() { err = errors.Join(err, cpu.Close()) }()
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return fmt.Errorf("profiling: %w", err)
	}
	ended := work()
	pprof.StopCPUProfile()
	heap, err := os.Create(filepath.Join(dir, name+"-heap.pprof"))
	if err != nil {
		return errors.Join(ended, fmt.Errorf("profiling: %w", err))
	}
	return errors.Join(ended, pprof.Lookup("heap").WriteTo(heap, 0), heap.Close())
}
