package transcode

import (
	"context"
	"sync"

	"github.com/venuecast/venuecast/pipeline/grid"
)

// progress knows from which record a successor could go on: the newest random access unit at or before the end of what the
// origin has in every rendition.
type progress struct {
	grid       grid.Grid
	renditions []string
	done       func(ctx context.Context, seq uint64, msn int64) error
	checkpoint chan checkpoint // holds the newest only: it says what those before it said

	mu     sync.Mutex // guards the fields below
	points []accessPoint
	newest map[string]int64 // the last whole segment the origin has, by rendition
	off    map[string]int64 // the last segment that a rendition has before it went off, by those that are
	told   int64            // the segment that done was last called for
}

// checkpoint says that everything after segment msn can be decoded from the record seq on.
type checkpoint struct {
	seq uint64
	msn int64
}

// accessPoint is a record at which decoding can begin.
type accessPoint struct {
	seq   uint64
	frame int64
}

// maxAccessPoints bounds the memory of points: 10 s of pictures that are all random access, at 60 per second.
const maxAccessPoints = 600

func newProgress(g grid.Grid, renditions []string, done func(context.Context, uint64, int64) error) *progress {
	return &progress{
		grid: g, renditions: renditions, done: done, checkpoint: make(chan checkpoint, 1),
		newest: map[string]int64{}, off: map[string]int64{}, told: -1,
	}
}

// switched notes that a rendition is made, or not made, from segment msn on: nothing else is waited for.
func (p *progress) switched(rendition string, msn int64, on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !on {
		p.off[rendition] = msn - 1
		return
	}
	delete(p.off, rendition)
	p.newest[rendition] = max(p.newest[rendition], msn-1)
}

// randomAccess notes that the record seq begins with a random access picture.
func (p *progress) randomAccess(seq uint64, frame int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.points) == maxAccessPoints {
		p.points = append(p.points[:0], p.points[1:]...)
	}
	p.points = append(p.points, accessPoint{seq, frame})
}

// Name names the stage.
func (p *progress) Name() string { return "checkpoints" }

// Run hands checkpoints on until the context ends: a bus that is slow or away holds up no part.
func (p *progress) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case c, open := <-p.checkpoint:
			if !open {
				return nil
			}
			if err := p.done(ctx, c.seq, c.msn); err != nil {
				return err
			}
		}
	}
}

// stored notes that the origin has the whole segment msn of a rendition.
func (p *progress) stored(rendition string, msn int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	seq, all, ok := p.advance(rendition, msn)
	if !ok || p.done == nil {
		return
	}
	select {
	case <-p.checkpoint: // an older one that nobody has taken
	default:
	}
	p.checkpoint <- checkpoint{seq, all}
}

// advance returns the resume point when a further segment is complete in every rendition. p.mu is held.
func (p *progress) advance(rendition string, msn int64) (seq uint64, all int64, ok bool) {
	p.newest[rendition] = msn
	all = msn
	for _, name := range p.renditions {
		newest, begun := p.newest[name]
		if last, off := p.off[name]; off && newest >= last {
			continue
		}
		if !begun {
			return 0, 0, false
		}
		all = min(all, newest)
	}
	if all <= p.told {
		return 0, 0, false
	}
	p.told = all
	end := p.grid.PartFrame(all+1, 0)
	for len(p.points) > 1 && p.points[1].frame <= end {
		p.points = append(p.points[:0], p.points[1:]...)
	}
	if len(p.points) == 0 || p.points[0].frame > end {
		return 0, 0, false
	}
	return p.points[0].seq, all, true
}
