package bench

import (
	"runtime"
	"sync/atomic"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/transcode"
)

// Work is the processor time that was spent in the objects of an Engine, by what they do.
type Work struct {
	Decode, Scale, Encode, Sound atomic.Int64 // in nanoseconds
}

// Total returns the sum.
func (w *Work) Total() time.Duration {
	return time.Duration(w.Decode.Load() + w.Scale.Load() + w.Encode.Load() + w.Sound.Load())
}

// Engine measures another engine: the processor time of the calling thread inside of each call, without that of the
// callbacks. Threads that a codec starts by itself are not seen; the encoders of a ladder have none.
type Engine struct {
	Video transcode.VideoEngine
	Audio transcode.AudioEngine
	Work  *Work
}

// clock measures one call. Time in callbacks belongs to who gave the callback.
type clock struct {
	sum   *atomic.Int64
	since time.Duration
}

func begin(sum *atomic.Int64) *clock {
	runtime.LockOSThread() // or the call and its end could be on two threads
	return &clock{sum, threadTime()}
}

func (c *clock) end() {
	c.pause()
	runtime.UnlockOSThread()
}

func (c *clock) pause()  { c.sum.Add(int64(threadTime() - c.since)) }
func (c *clock) resume() { c.since = threadTime() }

// NewDecoder returns a decoder that is measured; the other methods do likewise.
func (e Engine) NewDecoder(codec codecs.Codec) (transcode.Decoder, error) {
	d, err := e.Video.NewDecoder(codec)
	if err != nil {
		return nil, err
	}
	return &decoder{d, &e.Work.Decode}, nil
}

// NewScaler makes a scaler.
func (e Engine) NewScaler(v ladder.Video) (transcode.Scaler, error) {
	s, err := e.Video.NewScaler(v)
	if err != nil {
		return nil, err
	}
	return &scaler{s, &e.Work.Scale}, nil
}

// NewEncoder makes an encoder; to open it is its work, too.
func (e Engine) NewEncoder(v ladder.Video, g grid.Grid, l ladder.Latency) (transcode.Encoder, error) {
	c := begin(&e.Work.Encode)
	defer c.end()
	enc, err := e.Video.NewEncoder(v, g, l)
	if err != nil {
		return nil, err
	}
	return &encoder{enc, &e.Work.Encode}, nil
}

// Slate draws the slate, which is not libav's work.
func (e Engine) Slate(width, height int, feed string) (codecs.Picture, error) {
	return e.Video.Slate(width, height, feed)
}

// NewAudioDecoder makes an audio decoder.
func (e Engine) NewAudioDecoder(f codecs.Format) (transcode.AudioDecoder, error) {
	d, err := e.Audio.NewAudioDecoder(f)
	if err != nil {
		return nil, err
	}
	return &audioDecoder{d, &e.Work.Sound}, nil
}

// NewAudioEncoder makes an audio encoder.
func (e Engine) NewAudioEncoder(a ladder.Audio) (transcode.AudioEncoder, error) {
	enc, err := e.Audio.NewAudioEncoder(a)
	if err != nil {
		return nil, err
	}
	return &audioEncoder{enc, &e.Work.Sound}, nil
}

type decoder struct {
	transcode.Decoder
	sum *atomic.Int64
}

func (d *decoder) Decode(u codecs.AccessUnit, emit func(codecs.Picture, codecs.Ticks) error) error {
	c := begin(d.sum)
	defer c.end()
	return d.Decoder.Decode(u, func(p codecs.Picture, pts codecs.Ticks) error {
		c.pause()
		defer c.resume()
		return emit(p, pts)
	})
}

type scaler struct {
	transcode.Scaler
	sum *atomic.Int64
}

func (s *scaler) Scale(p codecs.Picture) (codecs.Picture, error) {
	c := begin(s.sum)
	defer c.end()
	return s.Scaler.Scale(p)
}

type encoder struct {
	transcode.Encoder
	sum *atomic.Int64
}

func (e *encoder) Encode(p codecs.Picture, frame int64, t codecs.PictureType, emit func(codecs.Packet) error) error {
	c := begin(e.sum)
	defer c.end()
	return e.Encoder.Encode(p, frame, t, c.outside(emit))
}

func (e *encoder) Flush(emit func(codecs.Packet) error) error {
	c := begin(e.sum)
	defer c.end()
	return e.Encoder.Flush(c.outside(emit))
}

// outside keeps the time of a callback out of the sum.
func (c *clock) outside(emit func(codecs.Packet) error) func(codecs.Packet) error {
	return func(p codecs.Packet) error {
		c.pause()
		defer c.resume()
		return emit(p)
	}
}

type audioDecoder struct {
	transcode.AudioDecoder
	sum *atomic.Int64
}

func (d *audioDecoder) Decode(u codecs.AccessUnit, emit func(codecs.PCM) error) error {
	c := begin(d.sum)
	defer c.end()
	return d.AudioDecoder.Decode(u, func(pcm codecs.PCM) error {
		c.pause()
		defer c.resume()
		return emit(pcm)
	})
}

type audioEncoder struct {
	transcode.AudioEncoder
	sum *atomic.Int64
}

func (e *audioEncoder) Encode(block codecs.PCM, sample int64, emit func(codecs.Packet) error) error {
	c := begin(e.sum)
	defer c.end()
	return e.AudioEncoder.Encode(block, sample, c.outside(emit))
}
