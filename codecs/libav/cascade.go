package libav

/*
#include "native.h"
*/
import "C"

import (
	"fmt"

	"github.com/venuecast/venuecast/codecs"
)

// Step is one size of a cascade: what Scaler makes of step number From's picture, which must come before it, or of the
// cascade's own picture if From is negative. No two steps may have the same scaler.
type Step struct {
	Scaler *Scaler
	From   int
}

// Cascade makes a picture for each step, as Scale would do one after the other. In memory that is one call on libav's threads
// for all of them: to wait for each costs 30 µs. p stays the caller's; the results must be released. After an error there are none.
func Cascade(p codecs.Picture, steps []Step) ([]codecs.Picture, error) {
	src, err := ours(p)
	if err != nil {
		return nil, err
	}
	c := cascade{src: src, together: !src.onCard() && C.vc_is_hdr(src.frame) == 0}
	for i, s := range steps {
		if s.From >= i {
			err = fmt.Errorf("scaling: step %d comes before step %d", s.From, i)
		} else {
			err = c.add(s)
		}
		if err != nil {
			c.release()
			return nil, err
		}
	}
	if err := c.run(); err != nil {
		c.release()
		return nil, fmt.Errorf("scaling to %d sizes: %w", len(steps), err)
	}
	made := make([]codecs.Picture, len(c.made))
	for i, p := range c.made {
		made[i] = p
	}
	return made, nil
}

// cascade is one run.
type cascade struct {
	src         *Picture
	together    bool // else one step after the other: a card or a filter does the work
	made        []*Picture
	from        []scalerInput // what the pictures made will be as inputs; before the call they are empty
	first, last *C.VCCall     // in C's memory: the scalers'
}

func (c *cascade) add(s Step) error {
	src, in := c.src, inputFrom(c.src)
	if s.From >= 0 {
		src, in = c.made[s.From], c.from[s.From]
	}
	if !c.together || s.Scaler.fits(in) {
		return c.scale(s.Scaler, src)
	}
	call, err := s.Scaler.prepare(src, in)
	if err != nil {
		return err
	}
	c.keep(&Picture{call.dst}, s.Scaler.output())
	if c.first == nil {
		c.first = call
	} else {
		c.last.next = call
	}
	c.last = call
	return nil
}

// scale makes a picture at once.
func (c *cascade) scale(s *Scaler, src *Picture) error {
	if err := c.run(); err != nil { // src may come of it
		return err
	}
	p, err := s.scale(src)
	if err == nil {
		c.keep(p, inputFrom(p))
	}
	return err
}

func (c *cascade) keep(p *Picture, as scalerInput) {
	c.made, c.from = append(c.made, p), append(c.from, as)
}

func (c *cascade) run() error {
	if c.first == nil {
		return nil
	}
	err := failed(onThread(*c.first))
	c.first = nil
	return err
}

func (c *cascade) release() {
	for _, p := range c.made {
		p.Release()
	}
}

func inputFrom(p *Picture) scalerInput {
	in := scalerInput{width: p.frame.width, height: p.frame.height}
	in.format = C.vc_scale_format(p.frame, &in.fullRange)
	return in
}
