package bus

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
)

// decoder reads a body from front to back. Its first error sticks, and everything read after it is zero.
type decoder struct {
	rest []byte
	err  error
}

func (d *decoder) bytes(n int) []byte {
	if d.err != nil || n > len(d.rest) {
		d.err = errTruncated
		return nil
	}
	p := d.rest[:n:n]
	d.rest = d.rest[n:]
	return p
}

func (d *decoder) byte() byte {
	if p := d.bytes(1); p != nil {
		return p[0]
	}
	return 0
}

func (d *decoder) uint16() uint16 {
	if p := d.bytes(2); p != nil {
		return binary.BigEndian.Uint16(p)
	}
	return 0
}

func (d *decoder) uint32() uint32 {
	if p := d.bytes(4); p != nil {
		return binary.BigEndian.Uint32(p)
	}
	return 0
}

func (d *decoder) int64() int64 {
	if p := d.bytes(8); p != nil {
		return int64(binary.BigEndian.Uint64(p))
	}
	return 0
}

// end returns the error of what was read, or one if there is more.
func (d *decoder) end() error {
	if d.err == nil && len(d.rest) > 0 {
		return fmt.Errorf("%d bytes too many", len(d.rest))
	}
	return d.err
}

func (d *decoder) absence() (*pipeline.Absence, error) {
	a := pipeline.Absence{From: d.int64(), To: d.int64()}
	return &a, checkAbsence(a)
}

func (d *decoder) bundle(suffix string) (*codecs.Bundle, error) {
	b := &codecs.Bundle{Format: codecs.Format{Codec: codecs.Codec(d.byte())}}
	if flags := d.byte(); flags != 0 {
		return nil, fmt.Errorf("unknown flags %#x", flags)
	}
	b.Format.SampleRate = int(d.uint32())
	b.Format.Channels = int(d.byte())
	if n := int(d.uint16()); n > 0 {
		b.Format.Config = d.bytes(n)
	}
	count := int(d.uint16())
	if d.err == nil && count*unitHead > len(d.rest) {
		return nil, errTruncated // before anything is allocated for so many units
	}
	b.Units = make([]codecs.AccessUnit, count)
	for i := range b.Units {
		if err := d.unit(&b.Units[i]); err != nil {
			return nil, err
		}
	}
	if d.err != nil {
		return nil, d.err
	}
	if err := checkBundle(b); err != nil {
		return nil, err
	}
	if bundleSuffix(b) != suffix {
		return nil, errors.New("subject and content disagree")
	}
	return b, nil
}

func (d *decoder) unit(u *codecs.AccessUnit) error {
	u.PTS = codecs.Ticks(d.int64())
	flags := d.byte()
	if flags&^flagUnitRandom != 0 {
		return fmt.Errorf("unknown flags %#x of an access unit", flags)
	}
	u.RandomAccess = flags&flagUnitRandom != 0
	n := d.uint32()
	if n > maxBody {
		return errTruncated
	}
	u.Data = d.bytes(int(n))
	return d.err
}
