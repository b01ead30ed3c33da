package libav

/*
#include "native.h"
*/
import "C"

import (
	"errors"

	"github.com/venuecast/venuecast/codecs"
)

// deinterlacer makes one whole picture of the two fields of each interlaced one. A stream without such pictures goes by
// it without work; one that has had one is a picture late from then on, because the filter looks at the next.
type deinterlacer struct{ filter filter }

// deinterlacing is bwdif at the frame rate: the feed's grid counts frames, not fields.
const deinterlacing = "bwdif=mode=send_frame:parity=auto:deint=interlaced"

type emitPicture func(p codecs.Picture, pts codecs.Ticks) error

// take owns p.
func (d *deinterlacer) take(p *Picture, pts codecs.Ticks, emit emitPicture) error {
	if d.filter.graph == nil && C.vc_is_interlaced(p.frame) == 0 {
		return emit(p, pts)
	}
	p.frame.pts = C.int64_t(pts)
	defer p.Release()
	if d.filter.graph != nil && d.filter.from != inputOf(p.frame) {
		if err := d.drain(emit); err != nil {
			return err
		}
	}
	if err := d.filter.follow(p.frame, deinterlacing); err != nil {
		return err
	}
	if err := d.filter.push(p.frame); err != nil {
		return err
	}
	return d.pull(emit)
}

func (d *deinterlacer) pull(emit emitPicture) error {
	for {
		p, err := d.filter.pull()
		if errors.Is(err, errNothing) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := emit(p, codecs.Ticks(p.frame.pts)); err != nil {
			return err
		}
	}
}

// drain puts out what is held back, and closes the filter: it takes nothing after its end.
func (d *deinterlacer) drain(emit emitPicture) error {
	if d.filter.graph == nil {
		return nil
	}
	defer d.filter.close()
	if err := d.filter.push(nil); err != nil {
		return err
	}
	return d.pull(emit)
}
