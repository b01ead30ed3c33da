//go:build cgo

package bench

import (
	"errors"
	"fmt"
	"io"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/libav"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
)

// Media describes a file.
type Media struct {
	Width, Height int
	FrameRate     codecs.Rational
	Sound         bool
}

// Probe returns what a file holds.
func Probe(file string) (m Media, err error) {
	d, err := libav.OpenFile(file)
	if err != nil {
		return m, err
	}
	defer d.Close()
	for _, t := range d.Tracks() {
		if t.Format.Codec.Kind() == codecs.Audio {
			m.Sound = true
			continue
		}
		m.Width, m.Height, m.FrameRate = t.Width, t.Height, t.FrameRate
	}
	if m.Width == 0 || !m.FrameRate.Valid() {
		return m, fmt.Errorf("%s: no picture of a known frame rate", file)
	}
	return m, nil
}

// Player makes records of a file as an ingest would: in a loop, with times that go on, pictures on the grid. It reads the
// file once: to open one costs, and no camera does it.
type Player struct {
	File  string
	Grid  grid.Grid
	First int64 // the frame number of the file's first picture
	End   int64 // the frame number after the last
	Work  *Work // gets what libav's demuxer takes

	units  []unit
	bundle codecs.Bundle // sound on its way
}

// unit is an access unit with its time in the file.
type unit struct {
	format codecs.Format
	codecs.AccessUnit
}

const (
	// soundSpan is the length from which a bundle of sound is published.
	soundSpan = codecs.TicksPerSecond / 10
	// maxFile bounds what is kept of the file, in bytes of media.
	maxFile = 256 << 20
)

// Play calls publish with the records, and with an absence at the end.
func (p *Player) Play(publish func(pipeline.Record) error) error {
	if err := p.read(); err != nil {
		return fmt.Errorf("reading %s: %w", p.File, err)
	}
	for first := p.First; first < p.End; {
		length, err := p.round(first, publish)
		if err != nil {
			return err
		}
		if length == 0 {
			return fmt.Errorf("playing %s: it holds no picture", p.File)
		}
		first += length
	}
	if err := p.flush(publish); err != nil {
		return err
	}
	return publish(pipeline.Record{Absence: &pipeline.Absence{From: p.End, To: p.End}})
}

// read keeps as much of the file as is played, or its first maxFile bytes.
func (p *Player) read() error {
	c := begin(&p.Work.Demux)
	defer c.end()
	d, err := libav.OpenFile(p.File)
	if err != nil {
		return err
	}
	defer d.Close()
	tracks, end := d.Tracks(), p.Grid.FrameTime(p.End)-p.Grid.FrameTime(p.First)
	for size := 0; size < maxFile; {
		track, u, dts, err := d.Next()
		if errors.Is(err, io.EOF) || dts > end {
			return nil
		}
		if err != nil {
			return err
		}
		p.units = append(p.units, unit{tracks[track].Format, u})
		size += len(u.Data)
	}
	return nil
}

// round plays the file once from frame first on and returns how many frames it lasts.
func (p *Player) round(first int64, publish func(pipeline.Record) error) (length int64, err error) {
	start := p.Grid.FrameTime(first)
	for _, f := range p.units {
		u := f.AccessUnit
		u.PTS += start
		frame := p.Grid.FrameAt(u.PTS)
		if frame >= p.End {
			continue
		}
		if f.format.Codec.Kind() == codecs.Audio {
			err = p.sound(f.format, u, publish)
		} else {
			u.PTS = p.Grid.FrameTime(frame)
			length = max(length, frame-first+1)
			err = publish(pipeline.Record{Bundle: &codecs.Bundle{Format: f.format, Units: []codecs.AccessUnit{u}}})
		}
		if err != nil {
			return 0, err
		}
	}
	return length, nil
}

func (p *Player) sound(f codecs.Format, u codecs.AccessUnit, publish func(pipeline.Record) error) error {
	p.bundle.Format = f
	p.bundle.Units = append(p.bundle.Units, u)
	if u.PTS-p.bundle.Units[0].PTS < soundSpan {
		return nil
	}
	return p.flush(publish)
}

func (p *Player) flush(publish func(pipeline.Record) error) error {
	if len(p.bundle.Units) == 0 {
		return nil
	}
	b := p.bundle
	p.bundle = codecs.Bundle{}
	return publish(pipeline.Record{Bundle: &b})
}
