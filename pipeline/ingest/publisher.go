package ingest

import (
	"context"
	"errors"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/timeline"
)

// publisher is the stage that gives units their time and publishes them. It owns the timeline.
type publisher struct {
	o     Options
	queue events
	learn *learner
	feed  *pipeline.Feed // nil until the source's size and frame rate are known

	timeline *timeline.Timeline
	snapper  *timeline.Snapper
	session  *timeline.Session
	tracks   []Track
	broken   string // why pictures are dropped until the next random access unit; empty: they are not

	silence  silence
	sound    sound
	last     int64     // the newest frame published
	lastAt   time.Time // when the newest picture came in
	tickedTo int64     // the frame up to which an absence was declared
	gone     bool      // the last picture's session has ended: no more of its pictures are on their way
}

const (
	// absenceTick is how often an absence is declared while it lasts. What a worker shows meanwhile comes later by that, and
	// players hold back less than a second: with 500 ms they ran out of pictures.
	absenceTick = 100 * time.Millisecond
	// absenceAfter is how long a source may be silent before it counts as away, three pictures at least: a TCP stall shorter
	// than this loses no picture.
	absenceAfter = 500 * time.Millisecond
	// goneAfter is how many pictures a source whose session has ended may be silent. Shaka Player keeps half a second.
	goneAfter = 3
)

// events is where a source's events come from.
type events interface {
	Pop(ctx context.Context) (event, error)
	Discard() // nothing is taken any more
}

func newPublisher(o Options, q events) *publisher {
	return &publisher{
		o: o, queue: q, learn: &learner{o: o}, broken: dropStart, silence: silence{log: o.Log.With("feed", o.ID)},
		timeline: timeline.New(timeline.Options{
			NotBefore: o.NotBefore, Repaired: func(r timeline.Reason) { o.Meter.Repaired(string(r)) },
		}),
	}
}

func (p *publisher) Name() string { return "publisher" }

func (p *publisher) Run(ctx context.Context) error {
	defer p.queue.Discard()
	if err := p.stored(ctx); err != nil {
		return err
	}
	p.lastAt = p.o.Now()
	next := p.lastAt.Add(absenceTick)
	for {
		e, err := p.pop(ctx, next.Sub(p.o.Now()))
		switch {
		case err == nil:
			err = p.take(ctx, e)
		case errors.Is(err, errTick):
			next = p.o.Now().Add(absenceTick)
			err = p.tick()
		}
		if errors.Is(err, pipeline.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

var errTick = errors.New("time for a tick")

func (p *publisher) pop(ctx context.Context, limit time.Duration) (event, error) {
	limited, cancel := context.WithTimeoutCause(ctx, max(limit, 0), errTick)
	defer cancel()
	return p.queue.Pop(limited)
}

// stored takes the feed's description from the registry if it is there and was made for the same ladder.
func (p *publisher) stored(ctx context.Context) error {
	f, ok, err := p.o.Registry.Feed(ctx, p.o.ID)
	if err != nil || !ok || !f.Asked.Equal(p.o.Ladder) {
		return err
	}
	p.begin(f)
	return nil
}

func (p *publisher) begin(f pipeline.Feed) {
	p.feed = &f
	p.snapper = timeline.NewSnapper(f.Grid)
	p.sound = newSound(&f)
	p.last = f.Grid.FrameAt(codecs.TicksAt(p.o.Now())) - 1
}

func (p *publisher) take(ctx context.Context, e event) error {
	if e.begin != nil {
		p.tracks, p.session, p.broken = e.begin, p.timeline.Session(clocks(e.begin)), dropStart
		p.learn = &learner{o: p.o, tracks: e.begin}
	}
	if p.feed != nil {
		return p.event(e)
	}
	if !p.learn.take(e) {
		return nil
	}
	f, err := p.learn.define(ctx)
	if err != nil {
		return err
	}
	p.begin(f)
	held := p.learn.held
	p.learn = &learner{o: p.o}
	for _, e := range held {
		if err := p.event(e); err != nil {
			return err
		}
	}
	return nil
}

func clocks(tracks []Track) []timeline.Track {
	out := make([]timeline.Track, len(tracks))
	for i, t := range tracks {
		out[i] = timeline.Track{Kind: t.Format.Codec.Kind(), ClockRate: t.ClockRate}
	}
	return out
}

func (p *publisher) event(e event) error {
	switch {
	case e.lost != nil:
		if p.tracks[*e.lost].Format.Codec.Kind() == codecs.Video {
			p.broken = dropLoss
		}
	case e.ended:
		p.broken, p.gone = dropStart, true
		return p.publishSound(p.sound.flush())
	case e.unit != nil:
		return p.unit(*e.unit)
	}
	return nil
}

func (p *publisher) unit(u Unit) error {
	track := p.tracks[u.Track]
	pts, ok := p.session.Stamp(u.Track, u.RTP, codecs.TicksAt(u.Arrival), ticksOrZero(u.NTP))
	if !ok {
		p.o.Meter.Dropped(dropTime, 1)
		return nil
	}
	if track.Format.Codec.Kind() == codecs.Audio {
		return p.publishSound(p.sound.add(track.Format, codecs.AccessUnit{PTS: pts, RandomAccess: true, Data: u.Data}))
	}
	if u.RandomAccess {
		p.broken = ""
	}
	if p.broken != "" {
		p.o.Meter.Dropped(p.broken, 1)
		return nil
	}
	return p.picture(track.Format, u, pts)
}

func ticksOrZero(t time.Time) codecs.Ticks {
	if t.IsZero() {
		return 0
	}
	return codecs.TicksAt(t)
}

// picture publishes a picture at its place on the grid: the bus carries PTS = epoch + k × frame duration.
func (p *publisher) picture(f codecs.Format, u Unit, pts codecs.Ticks) error {
	frame := p.snapper.Snap(pts)
	unit := codecs.AccessUnit{PTS: p.feed.Grid.FrameTime(frame), RandomAccess: u.RandomAccess, Data: u.Data}
	p.silence.ends(u.Arrival.Sub(p.lastAt))
	p.last, p.lastAt, p.gone = max(p.last, frame), u.Arrival, false
	if err := p.publish(pipeline.Record{Bundle: &codecs.Bundle{Format: f, Units: []codecs.AccessUnit{unit}}}); err != nil {
		return err
	}
	return p.publishSound(p.sound.until(p.feed.Grid.FrameTime(frame)))
}

// tick declares the absence of a source that has sent no picture for a while.
func (p *publisher) tick() error {
	now := p.o.Now()
	if p.feed == nil {
		return nil
	}
	after := goneAfter * p.feed.Grid.FrameDuration().Duration()
	if !p.gone {
		after = max(after, absenceAfter)
	}
	if now.Sub(p.lastAt) < after {
		return nil
	}
	if p.session != nil && !p.gone {
		p.silence.lasts(now, now.Sub(p.lastAt), p.broken)
	}
	to := p.feed.Grid.FrameAt(codecs.TicksAt(now.Add(-after)))
	if to <= max(p.last+1, p.tickedTo) {
		return nil
	}
	p.tickedTo = to
	p.sound.absent(p.feed.Grid.FrameTime(to))
	return p.publish(pipeline.Record{Absence: &pipeline.Absence{From: p.last + 1, To: to}})
}

func (p *publisher) publishSound(bundles []codecs.Bundle) error {
	for i := range bundles {
		if err := p.publish(pipeline.Record{Bundle: &bundles[i]}); err != nil {
			return err
		}
	}
	return nil
}

// publish hands a record to the bus. Only a later writer ends ingest: whatever else goes wrong costs this record.
func (p *publisher) publish(r pipeline.Record) error {
	err := p.o.Bus.Publish(r)
	if err == nil || errors.Is(err, pipeline.ErrFenced) {
		return err
	}
	p.o.Meter.Dropped(dropBus, 1)
	if r.Bundle != nil && r.Bundle.Format.Codec.Kind() == codecs.Video {
		p.broken = dropBus
	}
	return nil
}
