package ingest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/h264"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/timeline"
)

// observation is what a ladder with passthrough wants to know of a source: how far its random access pictures are apart, and
// with which parameter sets.
type observation struct {
	codec   codecs.Codec
	sets    h264.ParameterSets
	unfit   error          // why it cannot be passed; nil: nothing was found yet
	access  []codecs.Ticks // times of random access pictures, from the first picture
	elapsed codecs.Ticks   // of the picture before
	since   time.Time      // when the first came in
	watched time.Duration  // from then to the newest: RTP times may stand still
	units   int64
	bytes   int64
}

const (
	// observedAccess is how many random access pictures are seen before their distance is believed.
	observedAccess = 3
	// observeLeast is how long a source is observed at least: only then do its pictures keep to their frames.
	observeLeast = 3 * codecs.TicksPerSecond
	// observeMost is how long at most.
	observeMost = 10 * time.Second
)

// take looks at a picture. at is its time since the first.
func (o *observation) take(c codecs.Codec, u *Unit, at codecs.Ticks) {
	if o.units == 0 {
		o.since = u.Arrival
	}
	o.codec, o.elapsed, o.watched = c, at, u.Arrival.Sub(o.since)
	o.units, o.bytes = o.units+1, o.bytes+int64(len(u.Data))
	if c != codecs.H264 {
		o.fail(fmt.Errorf("it sends %v, want h264", c))
		return
	}
	nalus := h264.NALUs(u.Data)
	if u.RandomAccess && h264.IsRandomAccess(nalus) {
		o.access = append(o.access, at)
		before := o.sets
		if o.sets.Update(nalus) && before.Complete() {
			o.fail(errors.New("its parameter sets change"))
		}
		o.fail(o.sets.CheckPlayable())
	}
	if o.sets.Complete() {
		o.fail(o.sets.CheckUnit(u.Data))
	}
}

func (o *observation) fail(err error) {
	if o.unfit == nil {
		o.unfit = err
	}
}

// done reports whether nothing more is to be seen.
func (o *observation) done() bool {
	return o.unfit != nil || o.watched >= observeMost || len(o.access) >= observedAccess && o.elapsed >= observeLeast
}

// interval returns the distance of random access pictures in pictures.
func (o *observation) interval(rate codecs.Rational) (int64, error) {
	if o.unfit != nil {
		return 0, o.unfit
	}
	if len(o.access) < observedAccess {
		return 0, fmt.Errorf("it sent %d I-frames (IDR) in %v, too few to know their interval",
			len(o.access), o.watched.Round(time.Second))
	}
	var interval int64
	for i := range o.access[1:] {
		d := codecs.MulDivRound(int64(o.access[i+1]-o.access[i]), rate.Num, codecs.TicksPerSecond*rate.Den)
		if i > 0 && d != interval {
			return 0, fmt.Errorf("its I-frame interval changes, %d and %d pictures", interval, d)
		}
		interval = d
	}
	return interval, nil
}

// bitrate returns what the source sends, in bit/s.
func (o *observation) bitrate(rate codecs.Rational) int64 {
	return codecs.MulDiv(8*o.bytes, rate.Num, rate.Den*o.units)
}

// passthrough makes a feed one that passes the source's pictures on as its largest rendition: on a grid whose segments begin
// with the source's random access pictures. The error says why that is not possible.
func (l *learner) passthrough(f pipeline.Feed) (pipeline.Feed, error) {
	interval, err := l.seen.interval(f.Grid.FrameRate)
	if err != nil {
		return f, err
	}
	id, ok := l.seen.sets.UnusedID()
	if !ok {
		return f, errors.New("its parameter sets have all ids")
	}
	if err := l.fitsTop(f); err != nil {
		return f, err
	}
	g, err := grid.ForSource(f.Grid.FrameRate, f.Asked.Segment, f.Asked.Part, interval, codecs.TicksAt(l.o.Now()))
	if err != nil {
		return f, fmt.Errorf("its I-frame interval is %d pictures: %w", interval, err)
	}
	frame, ok := l.place(g)
	if !ok {
		return f, errors.New("its pictures could not be placed")
	}
	f.Grid = g.Shifted(frame - g.PartFrame(g.Segment(frame), 0))
	f.Ladder.Video = slices.Clone(f.Ladder.Video)
	top := &f.Ladder.Video[0]
	top.SetID, top.Encoder = id, ownSets
	f.Passthrough = &pipeline.Passthrough{Rendition: top.Name, ParameterSets: l.seen.sets.AnnexB()}
	return f, nil
}

// ownSets is the encoder whose parameter sets can have another id than the source's.
const ownSets = "libx264"

// fitsTop reports why the source's pictures cannot be the largest rendition.
func (l *learner) fitsTop(f pipeline.Feed) error {
	if len(f.Ladder.Video) == 0 {
		return errors.New("the ladder has no pictures")
	}
	v := f.Ladder.Video[0]
	rate, steady := timeline.EstimateRate(l.times)
	sends := l.seen.bitrate(f.Grid.FrameRate)
	switch {
	case v.Width != l.picture.Width || v.Height != l.picture.Height:
		return fmt.Errorf("its pictures have %d×%d, rendition %s has %d×%d", l.picture.Width, l.picture.Height, v.Name, v.Width, v.Height)
	case f.Ladder.Container == ladder.MPEGTS:
		return errors.New("the ladder's container is ts")
	case v.Codec != l.seen.codec:
		return fmt.Errorf("it sends %v, rendition %s is %v", l.seen.codec, v.Name, v.Codec)
	case v.Divisor > 1 || !steady || rate != f.Grid.FrameRate:
		return fmt.Errorf("its frame rate is not that of rendition %s", v.Name)
	case v.Encoder != "" && v.Encoder != ownSets:
		return fmt.Errorf("rendition %s wants encoder %s: only %s can stand in for the source", v.Name, v.Encoder, ownSets)
	case sends > v.Bitrate+v.Bitrate/10:
		return fmt.Errorf("it sends %d kbit/s, rendition %s may have %d", sends/1000, v.Name, v.Bitrate/1000)
	}
	return nil
}

// place returns the frame at which the newest random access picture will lie on a grid: it does what the publisher does.
func (l *learner) place(g grid.Grid) (frame int64, ok bool) {
	session := timeline.New(timeline.Options{NotBefore: l.o.NotBefore}).Session(clocks(l.tracks))
	snapper := timeline.NewSnapper(g)
	broken := true
	for _, e := range l.held {
		if e.lost != nil && l.video(*e.lost) {
			broken = true
		}
		if e.unit == nil {
			continue
		}
		u := e.unit
		pts, stamped := session.Stamp(u.Track, u.RTP, codecs.TicksAt(u.Arrival), ticksOrZero(u.NTP))
		if !stamped || !l.video(u.Track) {
			continue
		}
		if broken = broken && !u.RandomAccess; broken {
			continue
		}
		k := snapper.Snap(pts)
		if u.RandomAccess {
			frame, ok = k, true
		}
	}
	return frame, ok
}

func (l *learner) video(track int) bool { return l.tracks[track].Format.Codec.Kind() == codecs.Video }
