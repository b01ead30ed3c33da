package transcode

import (
	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

// conform gives every frame number a picture: the one that came for it, a repeat of the last, or the slate.
// It has no state but the last picture and the next frame number, so any worker that starts anywhere does the same.
type conform struct {
	slateAfter int64 // frames without a picture that are repeats; the slate follows
	show       func(frame int64, shot *shot) error
	count      func(reason string, n int64)
	late       func(shot *shot) // takes note of a picture that came too late to be shown; it stays conform's. It may be nil.

	slate   func() (*shot, error) // draws it
	drawn   *shot                 // the slate while the source is away, else nil: it takes as much memory as a picture
	last    *shot                 // the picture that a repeat shows; nil before the first
	next    int64                 // the frame that is wanted next; negative: the first that comes
	started bool                  // a frame was shown
}

// Reasons that conform counts.
const (
	reasonRepeat = "repeat" // a frame without a picture of its own
	reasonSlate  = "slate"  // a frame that shows the slate
	reasonLate   = "late"   // a picture whose frame had been put out
)

// picture takes a picture for a frame. It owns the shot from now on.
func (c *conform) picture(frame int64, s *shot) error {
	if frame < c.next {
		c.early(s)
		return nil
	}
	if c.next < 0 {
		c.next = frame
	}
	if err := c.fill(c.next, frame); err != nil {
		s.release()
		return err
	}
	c.keep(s)
	c.wipe()
	c.next, c.started = frame+1, true
	return c.show(frame, s)
}

// early takes a picture of a frame before the one that is wanted. When nothing has been shown yet, the frame wanted first
// may be a repeat of it.
func (c *conform) early(s *shot) {
	if !c.started {
		c.keep(s)
		return
	}
	c.count(reasonLate, 1)
	if c.late != nil {
		c.late(s)
	}
	s.release()
}

// absent says that the source has had no picture since frame from and that time has come to frame to.
func (c *conform) absent(from, to int64) error {
	if c.next < 0 {
		c.next = to
	}
	return c.fill(from, to)
}

// fill shows frames up to to. The source's last picture was before frame from.
func (c *conform) fill(from, to int64) error {
	for ; c.next < to; c.next++ {
		s, reason := c.last, reasonRepeat
		if s == nil || c.next >= from+c.slateAfter {
			if err := c.draw(); err != nil {
				return err
			}
			s, reason = c.drawn, reasonSlate
		}
		c.count(reason, 1)
		c.started = true
		if err := c.show(c.next, s); err != nil {
			return err
		}
	}
	return nil
}

func (c *conform) keep(s *shot) {
	if c.last != nil {
		c.last.release()
	}
	c.last = s
}

// draw makes the slate if it is not there.
func (c *conform) draw() (err error) {
	if c.drawn == nil {
		c.drawn, err = c.slate()
	}
	return err
}

// wipe gives the slate up.
func (c *conform) wipe() {
	if c.drawn != nil {
		c.drawn.release()
		c.drawn = nil
	}
}

func (c *conform) close() {
	c.keep(nil)
	c.wipe()
}

// shot is one source picture in all the sizes that were asked for so far. Its owner is the source's goroutine.
type shot struct {
	sizes []codecs.Picture // [0] as decoded, [i+1] for scaler i; nil until asked for

	shown, captioned bool // see captions
}

func newShot(p codecs.Picture, scalers int) *shot {
	s := &shot{sizes: make([]codecs.Picture, scalers+1)}
	s.sizes[0] = p
	return s
}

// size returns the picture for scaler i. It stays the shot's: the caller retains what it hands on.
func (s *shot) size(i int, scalers []Scaler, from []int) (codecs.Picture, error) {
	if s.sizes[i+1] != nil {
		return s.sizes[i+1], nil
	}
	larger := s.sizes[0]
	if from[i] >= 0 {
		var err error
		if larger, err = s.size(from[i], scalers, from); err != nil {
			return nil, err
		}
	}
	p, err := scalers[i].Scale(larger)
	if err != nil {
		return nil, err
	}
	s.sizes[i+1] = p
	return p, nil
}

// cascade returns for each rendition, largest first, from which other it is scaled; -1: from the picture as decoded.
// A rendition is scaled from the smallest that is twice as large at least, else from the largest. That costs less than to
// scale each from the source; steps of less than a half would blur what the next ones get. Those that are off are left out.
func cascade(video []ladder.Video, off func(i int) bool) []int {
	from := make([]int, len(video))
	for i, v := range video {
		from[i] = -1
		for j, larger := range video[:i] {
			fit := !off(j) && larger.Depth >= v.Depth // what is lost to 8 bits does not come back
			if fit && (from[i] < 0 || larger.Width >= 2*v.Width && larger.Height >= 2*v.Height) {
				from[i] = j
			}
		}
	}
	return from
}

func (s *source) cascade() []int {
	return cascade(s.w.o.Feed.Ladder.Video, func(i int) bool { return !s.rates[i].made() })
}

func (s *shot) release() {
	for i, p := range s.sizes {
		if p != nil {
			p.Release()
			s.sizes[i] = nil
		}
	}
}
