package transcode

import (
	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/h264"
)

// coded is a picture as the source coded it.
type coded struct {
	frame        int64
	randomAccess bool
	afterGap     bool // units before it are missing
	data         []byte
}

// codedUnits keeps coded pictures until their frames are shown. It hands out only those that can be decoded after all that it
// has handed out since the last random access unit. The zero value is ready; its owner is the source's goroutine.
type codedUnits struct {
	held   []coded // in decoding order
	gap    bool    // the next unit comes after one that is missing
	broken bool    // no unit is handed out until the next random access unit
}

// maxCodedUnits bounds what is kept: more than any decoder holds back.
const maxCodedUnits = 64

func (c *codedUnits) add(frame int64, u codecs.AccessUnit) {
	if len(c.held) == maxCodedUnits {
		c.broken = true
		c.pop()
	}
	idr := u.RandomAccess && h264.IsRandomAccess(h264.NALUs(u.Data)) // some call a recovery point random access, too
	c.held = append(c.held, coded{frame, idr, c.gap, u.Data})
	c.gap = false
}

// lose says that the unit of a frame could not be decoded, or was not added.
func (c *codedUnits) lose(frame int64) {
	if n := len(c.held); n > 0 && c.held[n-1].frame == frame {
		c.held = c.held[:n-1]
	}
	c.gap = true
}

// take returns the unit of a frame, nil if it has none that can be decoded. Frames are asked for in order.
func (c *codedUnits) take(frame int64) *coded {
	for len(c.held) > 0 && c.held[0].frame < frame { // its frame was shown without it: units after it miss it
		c.broken = true
		c.pop()
	}
	if len(c.held) == 0 || c.held[0].frame > frame {
		return nil
	}
	u := c.pop()
	c.broken = (c.broken || u.afterGap) && !u.randomAccess
	if c.broken {
		return nil
	}
	return &u
}

func (c *codedUnits) pop() coded {
	u := c.held[0]
	c.held = append(c.held[:0], c.held[1:]...)
	return u
}
