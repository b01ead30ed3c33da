package origin

import (
	"container/list"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// openFiles keeps the files that were read last open for those who read them next: a segment is asked for by many within
// seconds. A file never changes while it has its name. It goes on being readable by who has it when its name has gone.
type openFiles struct {
	bound int // of the files that are kept while nobody reads them
	count prometheus.Gauge
	open  func(name string) (*os.File, error)

	mu     sync.Mutex // guards the fields below, and those of the files
	byName map[string]*openFile
	recent list.List // of *openFile; front: read last
	forgot uint64    // how many names were forgotten
}

// openFile is a file that is open once for all its readers.
type openFile struct {
	*os.File
	size    int64
	name    string
	readers int
	place   *list.Element // nil when it is not kept
}

// acquire returns a file for reading from its beginning. Close must be called once.
func (o *openFiles) acquire(name string) (*stored, error) {
	o.mu.Lock()
	f, forgot := o.byName[name], o.forgot
	if f != nil {
		f.readers++
		o.recent.MoveToFront(f.place)
	}
	o.mu.Unlock()
	if f != nil {
		return o.stored(f), nil
	}
	f, err := o.fresh(name)
	if err != nil {
		return nil, err
	}
	return o.stored(o.keep(f, forgot)), nil
}

func (o *openFiles) fresh(name string) (*openFile, error) {
	file, err := o.open(name)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no file")
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &openFile{File: file, size: info.Size(), name: name, readers: 1}, nil
}

// keep keeps a file that has just been opened, unless another goroutine has done so: then that is returned. What was forgotten
// since may have been this.
func (o *openFiles) keep(f *openFile, forgot uint64) *openFile {
	o.mu.Lock()
	defer o.mu.Unlock()
	if other := o.byName[f.name]; other != nil {
		_ = f.Close() // it was only read
		other.readers++
		o.recent.MoveToFront(other.place)
		return other
	}
	if o.bound == 0 || o.forgot != forgot {
		return f
	}
	f.place = o.recent.PushFront(f)
	o.byName[f.name] = f
	o.count.Inc()
	if o.recent.Len() > o.bound {
		o.drop(o.recent.Back().Value.(*openFile)) //nolint:forcetypeassert // the list holds nothing else
	}
	return f
}

// drop keeps a file no longer. It is closed when its last reader has gone. The lock is held.
func (o *openFiles) drop(f *openFile) {
	o.recent.Remove(f.place)
	delete(o.byName, f.name)
	f.place = nil
	o.count.Dec()
	if f.readers == 0 {
		_ = f.Close() // it was only read
	}
}

// release takes back what acquire gave.
func (o *openFiles) release(f *openFile) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	f.readers--
	if f.readers == 0 && f.place == nil {
		return f.Close()
	}
	return nil
}

// forget must be called when a name stands for a file no longer.
func (o *openFiles) forget(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.forgot++
	if f := o.byName[name]; f != nil {
		o.drop(f)
	}
}

// close keeps nothing any more.
func (o *openFiles) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.bound = 0
	for o.recent.Len() > 0 {
		o.drop(o.recent.Back().Value.(*openFile)) //nolint:forcetypeassert // the list holds nothing else
	}
}

// stored is a file of a Disk, with a place to read from of its own. Only one goroutine may use it.
type stored struct {
	*io.SectionReader // all of it
	open              *openFile
	from              *openFiles
	done              bool
}

func (o *openFiles) stored(f *openFile) *stored {
	return &stored{SectionReader: io.NewSectionReader(f, 0, f.size), open: f, from: o}
}

// Close implements io.Closer.
func (s *stored) Close() error {
	if s.done {
		return os.ErrClosed
	}
	s.done = true
	return s.from.release(s.open)
}

// OpenFiles returns a gauge for DiskOptions.Kept: venuecast_origin_open_files.
func OpenFiles(reg prometheus.Registerer) (prometheus.Gauge, error) {
	kept := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "venuecast_origin_open_files", Help: "Stored segments that are kept open for the next who asks for them.",
	})
	if err := reg.Register(kept); err != nil {
		return nil, fmt.Errorf("registering the store's metrics: %w", err)
	}
	return kept, nil
}
