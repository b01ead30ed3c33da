package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/venuecast/venuecast/codecs/testcard"
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
	s := &screen{}
	r.loading()
	return program{name: "ffmpeg", dir: p.dir, args: []string{
		p.ffmpeg, "-nostdin", "-hide_banner", "-loglevel", "error", "-re", "-i", url,
		"-map", "0:v:0", "-fps_mode", "passthrough", "-vf", fmt.Sprintf("scale=%d:%d", cardWidth, cardHeight),
		"-pix_fmt", "gray", "-f", "rawvideo", "pipe:1",
		"-map", "0:a:0", "-f", "null", "-",
	}}.read(ctx, s.takeGrey, pipeline.Func("sampling", func(ctx context.Context) error { return s.sample(ctx, r) }))
}

func (p *pipes) vlcVersion(ctx context.Context) (string, error) {
	out, err := program{args: []string{"cvlc", "--version"}, nobody: true}.output(ctx)
	return word(out), err
}

// playVLC plays as a user that is not root, for VLC refuses to. Its video output writes the pictures at their time.
func (p *pipes) playVLC(ctx context.Context, url string, r *recorder) error {
	home, err := os.MkdirTemp("", "players-vlc-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(home) // a folder for temporary files
	out := filepath.Join(home, "pictures")
	if err := errors.Join(os.Chmod(home, 0o755), syscall.Mkfifo(out, 0o666), os.Chmod(out, 0o666)); err != nil { //nolint:gosec // for nobody
		return err
	}
	// Opened for both, so that opening waits for nobody, and reading does not end when VLC opens it again.
	pictures, err := os.OpenFile(out, os.O_RDWR, 0) //nolint:gosec // it was made above
	if err != nil {
		return err
	}
	s := &screen{}
	r.loading()
	return pipeline.Run(ctx,
		pipeline.Func("pictures", func(context.Context) error { return s.takeY4M(pictures) }),
		pipeline.Func("process", func(ctx context.Context) error {
			defer pictures.Close() // that is how reading ends
			return program{name: "vlc", dir: p.dir, nobody: true, env: []string{"HOME=" + home, "XDG_RUNTIME_DIR=" + home}, args: []string{
				"cvlc", "--no-video-title-show", "--no-osd", "--no-spu", "--avcodec-hw=none", "--aout=adummy",
				"--vout=yuv", "--yuv-file=" + out, "--yuv-chroma=I420", "--yuv-yuv4mpeg2", url,
			}}.run(ctx)
		}),
		pipeline.Func("sampling", func(ctx context.Context) error { return s.sample(ctx, r) }))
}

// screen is what a player shows.
type screen struct {
	pictures atomic.Int64
	last     atomic.Pointer[sample]
}

// takeGrey reads pictures of the size of a test card, of a byte a pixel. It ends when they do.
func (s *screen) takeGrey(out io.Reader) error {
	for {
		img := testcard.NewYUV(cardWidth, cardHeight)
		if _, err := io.ReadFull(out, img.Y); err != nil {
			return ended(err)
		}
		s.show(img)
	}
}

// takeY4M reads pictures in 4:2:0 as YUV4MPEG2. Each time its output is opened anew, VLC writes a header.
func (s *screen) takeY4M(out io.Reader) error {
	in := bufio.NewReaderSize(out, 1<<16)
	var width, height int
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return ended(err)
		}
		if !bytes.HasPrefix(line, []byte("FRAME")) {
			if width, height, err = y4mSize(string(line)); err != nil {
				return err
			}
			continue
		}
		img := testcard.NewYUV(width, height)
		for _, plane := range [][]byte{img.Y, img.U, img.V} {
			if _, err := io.ReadFull(in, plane); err != nil {
				return ended(err)
			}
		}
		s.show(img)
	}
}

// y4mSize reads the picture's size in a stream header, such as YUV4MPEG2 W320 H180 F25:1.
func y4mSize(header string) (width, height int, err error) {
	const largest = 8192
	for _, field := range strings.Fields(header) {
		switch field[0] {
		case 'W':
			width, err = strconv.Atoi(field[1:])
		case 'H':
			height, err = strconv.Atoi(field[1:])
		}
	}
	if err != nil || width < 1 || height < 1 || width > largest || height > largest {
		return 0, 0, fmt.Errorf("not a header of YUV4MPEG2: %q", header)
	}
	return width, height, nil
}

// ended returns nil for what is no error of reading but its end.
func ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

// show takes a picture as it is shown.
func (s *screen) show(img *testcard.YUV) {
	n := s.pictures.Add(1)
	shown := sample{position: float64(n) / pictureRate, height: img.Height, decoded: int(n)}
	if _, at, err := testcard.Read(*img); err == nil {
		shown.captured = at
	}
	s.last.Store(&shown)
}

// sample records where the player is.
func (s *screen) sample(ctx context.Context, r *recorder) error {
	tick := time.NewTicker(sampleTime)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		if last := s.last.Load(); last != nil {
			now := *last
			now.at = time.Now()
			r.add(now)
		}
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
			defer r.Close() // it was only read
			return read(r)
		}),
		pipeline.Func("process", func(ctx context.Context) error {
			defer w.Close() // that is how reading ends
			return p.run(ctx)
		}),
	}, besides...)
	return pipeline.Run(ctx, stages...)
}
