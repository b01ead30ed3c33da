package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

// pipes are players that write the pictures they show into a pipe. They take no commands.
type pipes struct{ dir, ffmpeg string }

// pictureRate is that of the venue's camera.
const pictureRate = 25

func (p *pipes) ffmpegVersion(ctx context.Context) (string, error) {
	out, err := program{args: []string{p.ffmpeg, "-version"}}.output(ctx)
	return word(out), err
}

// playFFmpeg reads the feed at its own pace. What ffmpeg warns about is what it complains about.
func (p *pipes) playFFmpeg(ctx context.Context, url string, r *recorder) error {
	return p.show(ctx, r, program{name: "ffmpeg", args: []string{
		p.ffmpeg, "-nostdin", "-hide_banner", "-loglevel", "error", "-re", "-i", url,
		"-map", "0:v:0", "-fps_mode", "passthrough", "-vf", fmt.Sprintf("scale=%d:%d", cardWidth, cardHeight), "-pix_fmt", "gray", "-f", "rawvideo", "pipe:1",
		"-map", "0:a:0", "-f", "null", "-",
	}}, cardWidth, cardHeight)
}

func (p *pipes) vlcVersion(ctx context.Context) (string, error) {
	out, err := program{args: []string{"cvlc", "--version"}, nobody: true}.output(ctx)
	return word(out), err
}

// playVLC plays as a user that is not root, for VLC refuses to. Its video output writes the pictures at their time.
// Of the two renditions it is held to the lower, for the pictures in the pipe must be of one size.
func (p *pipes) playVLC(ctx context.Context, url string, r *recorder) error {
	home, err := os.MkdirTemp("", "players-vlc-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(home)                      //nolint:errcheck // a folder for temporary files
	if err := os.Chmod(home, 0o777); err != nil { //nolint:gosec // for the user that is nobody
		return err
	}
	return p.show(ctx, r, program{name: "vlc", nobody: true, env: []string{"HOME=" + home, "XDG_RUNTIME_DIR=" + home}, args: []string{
		"cvlc", "--no-video-title-show", "--no-osd", "--no-spu", "--adaptive-logic=lowest", "--aout=adummy",
		"--vout=yuv", "--yuv-file=/dev/stdout", "--yuv-chroma=GREY", url,
	}}, cardWidth, cardHeight)
}

// show runs a program and takes the pictures it writes, of a byte a pixel.
func (p *pipes) show(ctx context.Context, r *recorder, run program, width, height int) error {
	run.dir = p.dir
	s := &screen{}
	r.loading()
	err := run.read(ctx,
		func(out io.Reader) error { return s.take(out, width, height) },
		pipeline.Func("sampling", func(ctx context.Context) error { return s.sample(ctx, r, height) }))
	return err
}

// screen is what a player shows.
type screen struct {
	pictures atomic.Int64
	captured atomic.Pointer[time.Time]
}

// take reads the pictures.
func (s *screen) take(out io.Reader, width, height int) error {
	picture := make([]byte, width*height)
	for {
		if _, err := io.ReadFull(out, picture); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return nil
			}
			return err
		}
		at := captured(picture[barFrom*width : barTo*width])
		s.captured.Store(&at)
		s.pictures.Add(1)
	}
}

// sample records where the player is.
func (s *screen) sample(ctx context.Context, r *recorder, height int) error {
	tick := time.NewTicker(sampleTime)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		n := int(s.pictures.Load())
		if n == 0 {
			continue
		}
		r.add(sample{at: time.Now(), position: float64(n) / pictureRate, height: height, decoded: n, captured: *s.captured.Load()})
	}
}

// read runs a program until ctx ends, and reads what it writes.
func (p program) read(ctx context.Context, read func(io.Reader) error, besides ...pipeline.Stage) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	p.stdout = w
	stages := append([]pipeline.Stage{
		pipeline.Func("output", func(context.Context) error {
			defer r.Close() //nolint:errcheck // it was only read
			return read(r)
		}),
		pipeline.Func("process", func(ctx context.Context) error {
			defer w.Close() //nolint:errcheck // that is how reading ends
			return p.run(ctx)
		}),
	}, besides...)
	return pipeline.Run(ctx, stages...)
}
