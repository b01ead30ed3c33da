//go:build cgo

package frames

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/venuecast/venuecast/cmd/internal/watch"
	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/codecs/libav"
	"github.com/venuecast/venuecast/codecs/nal"
	"github.com/venuecast/venuecast/codecs/testcard"
)

// Video decodes a recorded video rendition and reads each picture's card, in order of presentation.
func Video(r watch.Recording) ([]Frame, error) {
	d := videoReader{shown: map[codecs.Ticks]time.Time{}}
	defer d.close()
	for i := range r {
		if err := d.piece(&r[i]); err != nil {
			return nil, fmt.Errorf("decoding segment %d: %w", r[i].MSN, err)
		}
	}
	if err := d.flush(); err != nil {
		return nil, fmt.Errorf("decoding: %w", err)
	}
	return d.frames, nil
}

type videoReader struct {
	init    []byte
	info    cmaf.InitInfo
	decoder *libav.Decoder
	// The decoder carries the number of each picture as its time, so that none is rounded.
	fed    codecs.Ticks
	shown  map[codecs.Ticks]time.Time
	frames []Frame
}

func (d *videoReader) piece(p *watch.Piece) error {
	if err := d.follow(p.Init); err != nil {
		return err
	}
	t, err := readTimed(p, d.info.Timescale)
	if err != nil {
		return err
	}
	for i := range t {
		au := codecs.AccessUnit{PTS: d.fed, RandomAccess: t[i].sample.Key, Data: d.annexB(&t[i].sample)}
		d.shown[d.fed] = t[i].shown
		d.fed++
		if err := d.decoder.Decode(au, d.take); err != nil {
			return err
		}
	}
	return nil
}

// follow makes a decoder for an init section, unless it is the one before.
func (d *videoReader) follow(init []byte) (err error) {
	if bytes.Equal(d.init, init) {
		return nil
	}
	if err = d.flush(); err != nil {
		return err
	}
	d.close()
	if d.info, err = cmaf.ParseInit(init); err != nil {
		return err
	}
	d.init = init
	d.decoder, err = libav.NewDecoder(libav.DecoderOptions{Codec: d.info.Codec})
	return err
}

// annexB returns a sample as an access unit, with the init section's parameter sets before key pictures.
func (d *videoReader) annexB(s *cmaf.Sample) []byte {
	var units [][]byte
	if s.Key {
		for u := range nal.Units(d.info.ParameterSets) {
			units = append(units, u)
		}
	}
	for data := s.Data; len(data) >= 4; {
		n := min(int64(binary.BigEndian.Uint32(data)), int64(len(data)-4))
		units = append(units, data[4:4+n])
		data = data[4+n:]
	}
	return nal.AnnexB(units)
}

// take reads a picture.
func (d *videoReader) take(p codecs.Picture, pts codecs.Ticks) error {
	defer p.Release()
	picture, ok := p.(*libav.Picture)
	if !ok {
		return errors.New("picture of another package")
	}
	y, u, v, err := picture.YUV()
	if err != nil {
		return err
	}
	width, height := p.Size()
	img := testcard.YUV{Width: width, Height: height, Y: y, U: u, V: v, StrideY: width, StrideC: (width + 1) / 2}
	f := Frame{Shown: d.shown[pts], Flash: testcard.Flash(img)}
	delete(d.shown, pts)
	f.Number, f.Captured, err = testcard.Read(img)
	f.Readable = err == nil
	d.frames = append(d.frames, f)
	return nil
}

func (d *videoReader) flush() error {
	if d.decoder == nil {
		return nil
	}
	return d.decoder.Flush(d.take)
}

func (d *videoReader) close() {
	if d.decoder != nil {
		d.decoder.Close()
		d.decoder = nil
	}
}
