package transcode

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/opus"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

// fakeEngine makes codecs that keep the name of each picture, and counts what is alive.
type fakeEngine struct {
	mu   sync.Mutex
	live int
}

func (e *fakeEngine) add(n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.live += n
}

type fakePicture struct {
	e    *fakeEngine
	name string
}

func (e *fakeEngine) picture(name string) *fakePicture {
	e.add(1)
	return &fakePicture{e, name}
}

func (p *fakePicture) Size() (int, int) {
	if strings.HasPrefix(p.name, "large") {
		return 1280, 720
	}
	return 640, 360
}
func (p *fakePicture) Retain() codecs.Picture { return p.e.picture(p.name) }
func (p *fakePicture) Release()               { p.e.add(-1) }

func (e *fakeEngine) NewDecoder(codecs.Codec) (Decoder, error) { e.add(1); return &fakeDecoder{e}, nil }

func (e *fakeEngine) NewScaler(ladder.Video) (Scaler, error) { e.add(1); return &fakeScaler{e}, nil }

func (e *fakeEngine) Slate(int, int, string) (codecs.Picture, error) { return e.picture("slate"), nil }

func (e *fakeEngine) NewAudioDecoder(codecs.Format) (AudioDecoder, error) {
	e.add(1)
	return &fakeAudio{e: e}, nil
}

func (e *fakeEngine) NewAudioEncoder(a ladder.Audio) (AudioEncoder, error) {
	e.add(1)
	delay := int64(1024)
	if a.Codec == codecs.Opus {
		delay = 120
	}
	return &fakeAudio{e: e, audio: a, delay: delay}, nil
}

func (e *fakeEngine) NewEncoder(v ladder.Video, _ grid.Grid, _ ladder.Latency) (Encoder, error) {
	e.add(1)
	return &fakeEncoder{e: e, step: v.Divisor}, nil
}

type fakeDecoder struct{ e *fakeEngine }

func (d *fakeDecoder) Decode(u codecs.AccessUnit, emit func(codecs.Picture, codecs.Ticks) error) error {
	name := string(u.Data)
	if name == "bad" {
		return fmt.Errorf("garbage: %w", codecs.ErrBadUnit)
	}
	if i := strings.LastIndex(name, "\x00\x00\x00\x01"); i >= 0 {
		name = name[i+6:] // see cameraUnit
	}
	return emit(d.e.picture(name), u.PTS)
}
func (d *fakeDecoder) Flush(func(codecs.Picture, codecs.Ticks) error) error { return nil }
func (d *fakeDecoder) Close()                                               { d.e.add(-1) }

type fakeScaler struct{ e *fakeEngine }

func (s *fakeScaler) Scale(p codecs.Picture) (codecs.Picture, error) { return p.Retain(), nil }
func (s *fakeScaler) Close()                                         { s.e.add(-1) }

// fakeEncoder works like an encoder with lookahead and B-pictures: it holds two pictures back and puts out the second
// before the first, unless it was told a type. A packet holds the picture's name. It puts packets out as late as it may, unless it
// is to wait for each.
type fakeEncoder struct {
	e     *fakeEngine
	step  int64
	waits bool
	held  []codecs.Packet
	made  []codecs.Packet // and not yet put out
}

const (
	fakeSPS = "6742c01ed900a02ff97011000003000100000300320f162e48"
	fakePPS = "68ef8fcb"
)

func (e *fakeEncoder) ParameterSets() []byte {
	b, _ := hex.DecodeString("00000001" + fakeSPS + "00000001" + fakePPS)
	return b
}

func (e *fakeEncoder) Submit(
	p codecs.Picture, frame int64, t codecs.PictureType, emit func(codecs.Packet) error,
) (pending int, err error) {
	if err := e.Collect(emit); err != nil {
		return 0, err
	}
	e.encode(p, frame, t)
	if e.waits {
		return 0, e.Collect(emit)
	}
	return len(e.made), nil
}

func (e *fakeEncoder) encode(p codecs.Picture, frame int64, t codecs.PictureType) {
	nal := append([]byte{0, 0, 0, 1, 0x65}, p.(*fakePicture).name...)
	pkt := codecs.Packet{PTS: frame, Key: t == codecs.TypeIDR, Data: nal}
	if t == codecs.TypeAuto && len(e.held) < 2 {
		e.held = append(e.held, pkt)
		return
	}
	// Whatever ends a run of B-pictures is decoded before them; an IDR comes after all that is shown before it.
	if pkt.Key {
		e.made = append(slices.Clone(e.held), pkt)
	} else {
		e.made = append([]codecs.Packet{pkt}, e.held...)
	}
	e.held = nil
}

func (e *fakeEncoder) Collect(emit func(codecs.Packet) error) error {
	made := e.made
	e.made = nil
	for _, p := range made {
		if err := emit(p); err != nil {
			return err
		}
	}
	return nil
}

func (e *fakeEncoder) Flush(emit func(codecs.Packet) error) error {
	if err := e.Collect(emit); err != nil {
		return err
	}
	e.made, e.held = e.held, nil
	return e.Collect(emit)
}

func (e *fakeEncoder) Close() { e.e.add(-1) }

// fakeAudio decodes a unit that holds a sample number to 960 samples that count up, and encodes a block to its first sample.
// What it encodes before it had the pre-roll is not right yet.
type fakeAudio struct {
	e     *fakeEngine
	audio ladder.Audio
	delay int64
	seen  int64 // blocks
}

func (a *fakeAudio) Decode(u codecs.AccessUnit, emit func(codecs.PCM) error) error {
	return emit(ramp(int64(binary.BigEndian.Uint64(u.Data)), 960))
}

func (a *fakeAudio) Encode(b codecs.PCM, sample int64, emit func(codecs.Packet) error) error {
	if int64(b.Len()) != a.audio.FrameSamples() {
		return fmt.Errorf("a block of %d samples", b.Len())
	}
	at, cold := sample-a.delay, ""
	if a.seen < a.audio.PreRoll() {
		cold = "cold "
	}
	a.seen++
	return emit(codecs.Packet{PTS: at, Key: true, Data: fmt.Appendf(nil, "%s%d:%v", cold, at, b[0][0])})
}

func (a *fakeAudio) Delay() int64 { return a.delay }

func (a *fakeAudio) Config() []byte {
	if a.audio.Codec == codecs.Opus {
		return opus.Config{Channels: 2}.Marshal()
	}
	return []byte{0x11, 0x90}
}
func (a *fakeAudio) Close() { a.e.add(-1) }

// fakeOrigin keeps parts and refuses what a real one would.
type fakeOrigin struct {
	mu    sync.Mutex
	inits map[string][]byte
	parts map[string][]pipeline.Part
	gaps  map[string][]pipeline.Part
	limit int             // parts of each rendition that it takes; then the worker is cut off
	over  map[string]bool // renditions that have come to the limit
	cut   func()          // called when all have
}

// run runs a worker to its end, or until all its renditions have come to the limit.
func (o *fakeOrigin) run(t *testing.T, w *Worker) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o.over, o.cut = map[string]bool{}, func() {
		if len(o.over) == len(w.pushers) {
			cancel()
		}
	}
	if err := w.Run(ctx); !errors.Is(err, context.Canceled) {
		require.NoError(t, err)
	}
}

func newOrigin(limit int) *fakeOrigin {
	return &fakeOrigin{
		inits: map[string][]byte{}, parts: map[string][]pipeline.Part{}, gaps: map[string][]pipeline.Part{}, limit: limit,
	}
}

func (o *fakeOrigin) PutInit(_ context.Context, i pipeline.Init) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if old, ok := o.inits[i.Rendition]; ok && !bytes.Equal(old, i.Data) {
		return fmt.Errorf("init of %s changed", i.Rendition)
	}
	o.inits[i.Rendition] = i.Data
	return nil
}

func (o *fakeOrigin) PutPart(ctx context.Context, p pipeline.Part) error {
	o.mu.Lock()
	if o.limit > 0 && len(o.parts[p.Rendition]) >= o.limit {
		o.over[p.Rendition] = true
		o.cut()
		o.mu.Unlock()
		<-ctx.Done()
		return context.Cause(ctx)
	}
	defer o.mu.Unlock()
	if p.Gap {
		o.gaps[p.Rendition] = append(o.gaps[p.Rendition], p)
		return nil
	}
	o.parts[p.Rendition] = append(o.parts[p.Rendition], p)
	return nil
}

func (o *fakeOrigin) state(g grid.Grid) pipeline.State {
	s := pipeline.State{}
	for name, parts := range o.parts {
		next := parts[len(parts)-1].Position()
		next.Part++
		if next.Part == g.Parts() {
			next = pipeline.Position{MSN: next.MSN + 1}
		}
		s[name] = next
	}
	return s
}

// fakeReader gives out records and then says that none will come.
type fakeReader struct{ records []pipeline.Record }

func (r *fakeReader) Next(ctx context.Context) (pipeline.Record, error) {
	if ctx.Err() != nil {
		return pipeline.Record{}, context.Cause(ctx)
	}
	if len(r.records) == 0 {
		return pipeline.Record{}, pipeline.ErrClosed
	}
	rec := r.records[0]
	r.records = r.records[1:]
	return rec, nil
}

type noMeter struct{}

func (noMeter) Pictures(string, int64)           {}
func (noMeter) Samples(string, int64)            {}
func (noMeter) Segment(string, string)           {}
func (noMeter) Put(pipeline.Part, time.Duration) {}
