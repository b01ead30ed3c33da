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

// Work is the processor time that was spent in the objects of an Engine on Go's threads, by what they do. That on libav's own
// threads is libav.Spent's.
type Work struct {
	Encode, Sound, Thumbnails, Demux atomic.Int64 // in nanoseconds
}

// Engine measures another engine: the processor time of the calling thread inside of each call that opens, flushes or
// closes an encoder, or codes sound or a thumbnail, without that of the callbacks.
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

// NewDecoder makes a decoder.
func (e Engine) NewDecoder(c codecs.Codec) (transcode.Decoder, error) { return e.Video.NewDecoder(c) }

// NewScaler makes a scaler.
func (e Engine) NewScaler(v ladder.Video) (transcode.Scaler, error) { return e.Video.NewScaler(v) }

// Cascade makes several sizes at once, where the engine can.
func (e Engine) Cascade(p codecs.Picture, scalers []transcode.Scaler, from []int) ([]codecs.Picture, error) {
	if c, ok := e.Video.(transcode.Cascader); ok {
		return c.Cascade(p, scalers, from)
	}
	return nil, nil
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

// Measured returns t with coders whose work is measured.
func (e Engine) Measured(t *transcode.Thumbnails) *transcode.Thumbnails {
	if t == nil {
		return nil
	}
	with := *t
	with.New = func(width, height int) (transcode.JPEGCoder, error) {
		c := begin(&e.Work.Thumbnails)
		defer c.end()
		coder, err := t.New(width, height)
		if err != nil {
			return nil, err
		}
		return &jpegCoder{coder, &e.Work.Thumbnails}, nil
	}
	return &with
}

type jpegCoder struct {
	transcode.JPEGCoder
	sum *atomic.Int64
}

func (j *jpegCoder) JPEG(p codecs.Picture) ([]byte, error) {
	c := begin(j.sum)
	defer c.end()
	return j.JPEGCoder.JPEG(p)
}

type encoder struct {
	transcode.Encoder
	sum *atomic.Int64
}

func (e *encoder) Flush(emit func(codecs.Packet) error) error {
	c := begin(e.sum)
	defer c.end()
	return e.Encoder.Flush(c.outside(emit))
}

func (e *encoder) Close() {
	c := begin(e.sum)
	defer c.end()
	e.Encoder.Close()
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
