package origin

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/venuecast/venuecast/pipeline/live"
)

// Disk is a live.Volume in a directory. An object is written aside and renamed, so that a crash leaves whole files only.
type Disk struct {
	root *os.Root
	sync bool
	open openFiles
	dirs sync.Mutex // held while directories are made or removed: one that was just made is empty
}

// DiskOptions says how a Disk writes.
type DiskOptions struct {
	// Sync makes each object durable before it counts as stored, at the cost of a disk flush.
	// By default a power cut can lose the last seconds; a crash of the process loses nothing.
	Sync bool
	// KeepOpen bounds the files that stay open after they were read, for who reads them next. By default none does.
	KeepOpen int
	// Kept, if not nil, shows how many do.
	Kept prometheus.Gauge
}

// aside ends the name of a file that is being written.
const aside = ".aside"

// OpenDisk opens a directory as a store, making it when it is not there. Close must be called once.
func OpenDisk(dir string, opts DiskOptions) (*Disk, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("making the store's directory: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the store's directory: %w", err)
	}
	if opts.Kept == nil {
		opts.Kept = prometheus.NewGauge(prometheus.GaugeOpts{})
	}
	d := &Disk{root: root, sync: opts.Sync}
	d.open = openFiles{bound: opts.KeepOpen, count: opts.Kept, open: root.Open, byName: map[string]*openFile{}}
	return d, nil
}

// Close gives the directory up. What is being read stays open until it has been.
func (d *Disk) Close() error {
	d.open.close()
	return d.root.Close()
}

// List implements live.Store. prefix names a directory, or is empty. Files that were being written when the process ended are removed.
func (d *Disk) List(prefix string) ([]live.Object, error) {
	var objects []live.Object
	dir := path.Clean(prefix)
	err := fs.WalkDir(d.root.FS(), dir, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case entry.IsDir():
			return nil
		case strings.HasSuffix(name, aside):
			return d.Remove(name)
		}
		info, err := entry.Info()
		if err != nil {
			return fmt.Errorf("reading the size of %s: %w", name, err)
		}
		objects = append(objects, live.Object{Name: name, Size: info.Size()})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing the store under %s: %w", dir, err)
	}
	return objects, nil
}

// Put implements live.Store.
func (d *Disk) Put(name string, pieces ...[]byte) error {
	return d.PutFrom(name, func(w io.Writer) error {
		for _, p := range pieces {
			if _, err := w.Write(p); err != nil {
				return err
			}
		}
		return nil
	})
}

// PutFrom stores under name what write writes: wholly or, on an error, not at all.
func (d *Disk) PutFrom(name string, write func(io.Writer) error) error {
	err := d.write(name+aside, write)
	if err == nil {
		err = d.root.Rename(name+aside, name)
		d.open.forget(name)
	}
	if err != nil {
		_ = d.root.Remove(name + aside) // when the disk is full, the half of it should not stay
		if isFull(err) {
			err = fmt.Errorf("%w: %w", live.ErrNoSpace, err)
		}
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

func (d *Disk) write(name string, write func(io.Writer) error) error {
	file, err := d.create(name)
	if err != nil {
		return err
	}
	err = write(file)
	if err == nil && d.sync {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

func (d *Disk) create(name string) (*os.File, error) {
	d.dirs.Lock()
	defer d.dirs.Unlock()
	if err := d.root.MkdirAll(path.Dir(name), 0o750); err != nil {
		return nil, fmt.Errorf("making its directory: %w", err)
	}
	return d.root.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o640)
}

// Open implements live.Store.
func (d *Disk) Open(name string) (live.File, error) {
	file, err := d.open.acquire(name)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", name, err)
	}
	return file, nil
}

// Remove implements live.Store. Directories that become empty go, too.
func (d *Disk) Remove(name string) error {
	err := d.root.Remove(name)
	d.open.forget(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing %s: %w", name, err)
	}
	d.dirs.Lock()
	defer d.dirs.Unlock()
	empty := true
	for dir := path.Dir(name); empty && dir != "."; dir = path.Dir(dir) {
		empty = d.root.Remove(dir) == nil
	}
	return nil
}
