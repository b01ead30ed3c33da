//go:build cgo

// Package camera is an RTSP camera for tests and for the demo: synthetic, or a file in a loop.
package camera

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/h264"
	"github.com/venuecast/venuecast/codecs/libav"
	"github.com/venuecast/venuecast/codecs/testcard"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/transport/rtsp"
)

// Options is what a camera shows and where. The zero value is good.
type Options struct {
	Listen        string          // TCP address. It defaults to 127.0.0.1:8554
	Path          string          // of the stream. It defaults to camera
	User          string          // what viewers must show; empty: nothing
	Password      string          //
	Width, Height int             // They default to 1280×720
	FrameRate     codecs.Rational // It defaults to 25
	Bitrate       int64           // of the synthetic picture, in bit/s. It defaults to 4 Mbit/s
	GOP           time.Duration   // between random access pictures. It defaults to 1 s
	ClockFromZero bool            // RTP times of the synthetic camera count from its start, not from the Unix epoch
	File          string          // plays this file in a loop instead
	Log           *slog.Logger    // It defaults to none
}

func (o Options) withDefaults() Options {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:8554"
	}
	if o.Width == 0 || o.Height == 0 {
		o.Width, o.Height = 1280, 720
	}
	if !o.FrameRate.Valid() {
		o.FrameRate = codecs.Rational{Num: 25, Den: 1}
	}
	if o.Bitrate == 0 {
		o.Bitrate = 4_000_000
	}
	if o.GOP == 0 {
		o.GOP = time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Camera is a running camera's address and its stages.
type Camera struct {
	server *rtsp.Server
	stages []pipeline.Stage
}

// URL returns where to watch it, with user and password.
func (c *Camera) URL() string { return c.server.URL() }

// Name names the stage.
func (c *Camera) Name() string { return "camera" }

// Run plays until the context ends.
func (c *Camera) Run(ctx context.Context) error { return pipeline.Run(ctx, c.stages...) }

// New listens and returns the camera that the options describe. Run must be called, also to close the listener.
func New(o Options) (*Camera, error) {
	o = o.withDefaults()
	if o.File != "" {
		return newFile(o)
	}
	return newSynthetic(o)
}

// synthetic draws, beeps and encodes in real time. Picture k is captured at k frame durations since the Unix epoch,
// sound sample n at n/48000 s, so picture and sound share one clock and any two such cameras agree.
type synthetic struct {
	o       Options
	server  *rtsp.Server
	card    *testcard.Card
	picture *testcard.YUV
	video   *libav.Encoder
	audio   *libav.AudioEncoder
	zero    codecs.Ticks // of RTP times
}

const (
	videoTrack, audioTrack = 0, 1
	// behind is how far the camera may be late before it leaves pictures out.
	behind = time.Second
)

func newSynthetic(o Options) (*Camera, error) {
	video, err := libav.OpenEncoder(libav.EncoderOptions{
		Codec: codecs.H264, Encoder: "libx264", Width: o.Width, Height: o.Height, FrameRate: o.FrameRate, Bitrate: o.Bitrate,
		Preset: "ultrafast", LowLatency: true,
	})
	if err != nil {
		return nil, fmt.Errorf("camera: %w", err)
	}
	audio, err := libav.NewAudioEncoder(libav.AudioEncoderOptions{Bitrate: 96000, Channels: 2})
	if err != nil {
		video.Close()
		return nil, fmt.Errorf("camera: %w", err)
	}
	s := &synthetic{o: o, card: testcard.NewCard(o.Width, o.Height), picture: testcard.NewYUV(o.Width, o.Height), video: video, audio: audio}
	if o.ClockFromZero {
		s.zero = codecs.TicksAt(time.Now())
	}
	s.server, err = rtsp.NewServer(rtsp.ServerOptions{
		Listen: o.Listen, Path: o.Path, User: o.User, Password: o.Password, Logger: o.Log,
		Tracks: []rtsp.ServerTrack{
			{Format: codecs.Format{Codec: codecs.H264}},
			{Format: codecs.Format{Codec: codecs.AAC, SampleRate: testcard.SampleRate, Channels: 2, Config: audio.Config()}},
		},
	})
	if err != nil {
		video.Close()
		audio.Close()
		return nil, err
	}
	return &Camera{s.server, []pipeline.Stage{
		pipeline.Func("rtsp", s.server.Run), pipeline.Func("picture", s.show), pipeline.Func("sound", s.beep),
	}}, nil
}

// show draws a picture at each frame time.
func (s *synthetic) show(ctx context.Context) error {
	defer s.video.Close()
	rate := s.o.FrameRate
	at := func(k int64) time.Time {
		return codecs.Ticks(codecs.MulDivCeil(k, codecs.TicksPerSecond*rate.Den, rate.Num)).Time()
	}
	gop := max(codecs.MulDivRound(int64(s.o.GOP), rate.Num, rate.Den*int64(time.Second)), 1)
	k := codecs.MulDiv(int64(codecs.TicksAt(time.Now())), rate.Num, codecs.TicksPerSecond*rate.Den) + 1
	for number := uint32(1); ; number++ {
		if late := time.Since(at(k)); late > behind {
			k += codecs.MulDiv(int64(late), rate.Num, rate.Den*int64(time.Second))
		}
		if err := until(ctx, at(k)); err != nil {
			return err
		}
		if err := s.frame(k, number, at(k), int64(number-1)%gop == 0); err != nil {
			return err
		}
		k++
	}
}

func (s *synthetic) frame(k int64, number uint32, captured time.Time, key bool) error {
	s.card.Draw(s.picture, number, captured)
	p, err := libav.NewPictureYUV(s.o.Width, s.o.Height, s.picture.Y, s.picture.U, s.picture.V)
	if err != nil {
		return err
	}
	defer p.Release()
	kind := codecs.TypeAuto
	if key {
		kind = codecs.TypeIDR
	}
	return s.video.Encode(p, k, kind, func(pkt codecs.Packet) error {
		data := pkt.Data
		if pkt.Key {
			sets := h264.ParameterSets{}
			sets.Update(h264.NALUs(s.video.ParameterSets()))
			data = sets.Prepend(data)
		}
		t := codecs.TicksAt(captured)
		return s.server.Write(videoTrack, codecs.AccessUnit{PTS: t, RandomAccess: pkt.Key, Data: data}, uint32(t-s.zero), captured)
	})
}

// beep encodes the sound of each AAC frame when its time is over.
func (s *synthetic) beep(ctx context.Context) error {
	defer s.audio.Close()
	const block = 1024
	pcm := codecs.PCM{make([]float32, block), make([]float32, block)}
	at := func(sample int64) time.Time {
		return time.Unix(sample/testcard.SampleRate, sample%testcard.SampleRate*int64(time.Second)/testcard.SampleRate)
	}
	for j := testcard.SampleAt(time.Now())/block + 1; ; j++ {
		if time.Since(at(j*block)) > behind {
			j = testcard.SampleAt(time.Now())/block + 1
		}
		if err := until(ctx, at((j+1)*block)); err != nil {
			return err
		}
		testcard.FillBeep(pcm[0], j*block)
		copy(pcm[1], pcm[0])
		err := s.audio.Encode(pcm, j*block, func(pkt codecs.Packet) error {
			rtp := uint32(pkt.PTS - codecs.MulDiv(int64(s.zero), testcard.SampleRate, codecs.TicksPerSecond))
			return s.server.Write(audioTrack, codecs.AccessUnit{RandomAccess: true, Data: pkt.Data}, rtp, at(pkt.PTS))
		})
		if err != nil {
			return err
		}
	}
}

// until waits for a time.
func until(ctx context.Context, t time.Time) error { return pipeline.Sleep(ctx, time.Until(t)) }
