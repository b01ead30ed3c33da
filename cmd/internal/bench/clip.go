// Package bench measures what a ladder costs: the real way, and ffmpeg's.
package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os/exec"
	"path/filepath"

	"github.com/venuecast/venuecast/pipeline"
)

// The generated clip: a landscape under a camera that pans slowly and is not quite still, players that run to and fro on it,
// and grain. Detail falls off as a lens's does; nothing moves faster than a tenth of the picture's width in a second, for
// encoders are judged by it and cameras show little else. It ends as it begins, so that a loop has no cut.
const (
	clipWidth, clipHeight = 1920, 1080
	clipRate              = 25
	clipFrames            = 8 * clipRate
	clipPlayers           = 14
	grainSigma            = 0.8 // in steps of 8 bit, from picture to picture
)

// Generate makes the clip, the same on every machine with the same ffmpeg.
func (f FFmpeg) Generate(ctx context.Context, file string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(string(f), "ffmpeg"), "-hide_banner", "-v", "error", "-y",
		"-f", "rawvideo", "-s", fmt.Sprintf("%dx%d", clipWidth, clipHeight), "-r", fmt.Sprint(clipRate), "-i", "-",
		"-f", "lavfi", "-i", fmt.Sprintf("sine=f=440:r=48000:d=%d", clipFrames/clipRate),
		"-c:v", "libx264", "-preset", "superfast", "-crf", "20", "-g", "50", "-c:a", "aac", "-ac", "2", file)
	var log bytes.Buffer
	cmd.Stderr = &log
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting ffmpeg: %w", err)
	}
	err = pipeline.Run(ctx,
		pipeline.Func("drawing", func(context.Context) error {
			defer in.Close() // its status is ffmpeg's affair
			return drawClip(in)
		}),
		pipeline.Func("ffmpeg", func(context.Context) error { return cmd.Wait() }),
	)
	if err != nil {
		return fmt.Errorf("generating a clip: %w: %s", err, lastLines(log.String()))
	}
	return nil
}

func drawClip(w io.Writer) error {
	s := newScene(clipWidth, clipHeight)
	out := bufio.NewWriterSize(w, 1<<20)
	for k := range clipFrames {
		if _, err := out.Write(s.draw(k)); err != nil {
			return err
		}
	}
	return out.Flush()
}

// scene draws pictures, 8 bit 4:2:0.
type scene struct {
	width, height        int
	land, blue, red, man texture
	grain                []int8
	picture              []byte
}

func newScene(width, height int) *scene {
	r := rand.New(rand.NewPCG(1, 2))
	s := &scene{width: width, height: height, picture: make([]byte, width*height*3/2), grain: make([]int8, 1<<16)}
	s.land = newTexture(r, width*5/4+2, height*5/4+2, 128, 40, 235)
	s.blue = newTexture(r, width*5/8+2, height*5/8+2, 128, 96, 144)
	s.red = newTexture(r, width*5/8+2, height*5/8+2, 128, 112, 160)
	s.man = newTexture(r, width/16, height/6, 32, 16, 235)
	for i := range s.grain {
		s.grain[i] = int8(math.Round(r.NormFloat64() * grainSigma))
	}
	return s
}

// draw returns picture k; it is valid until the next call.
func (s *scene) draw(k int) []byte {
	phase := 2 * math.Pi * float64(k) / clipFrames
	x, y := (1+math.Sin(phase))/10*float64(s.width), (1+0.05*math.Sin(5*phase))/8*float64(s.height)
	luma, chroma := s.width*s.height, s.width*s.height/4
	planes := [3][]byte{s.picture[:luma], s.picture[luma : luma+chroma], s.picture[luma+chroma:]}
	s.land.pan(planes[0], s.width, x, y)
	s.blue.pan(planes[1], s.width/2, x/2, y/2)
	s.red.pan(planes[2], s.width/2, x/2, y/2)
	for i := range clipPlayers {
		// Each has a place of its own, and runs about it.
		at := phase*float64(1+i%2) + float64(i)*2.4
		column, row := float64(i)/clipPlayers, float64(i*5%clipPlayers)/clipPlayers
		x, y := (column+math.Sin(at)/25+0.05)*0.95, (row+math.Cos(at)/40+0.03)*0.95
		s.man.put(planes[0], s.width, int(x*float64(s.width-s.man.width)), int(y*float64(s.height-s.man.height)))
	}
	offset := k * 7919
	for i := range planes[0] {
		planes[0][i] += byte(s.grain[(i+i>>11*131+offset)&(len(s.grain)-1)])
	}
	return s.picture
}

// texture is noise at several scales, like grass, stone and crowds behind a lens: each finer scale is half as strong.
type texture struct {
	width, height int
	sample        []byte
}

// finest is the smallest detail, in samples.
const finest = 4

func newTexture(r *rand.Rand, width, height, largest int, least, most float64) texture {
	sum := make([]float64, width*height)
	for cell, weight := largest, 1.0; cell >= finest; cell, weight = cell/2, weight*0.5 {
		addNoise(r, sum, width, cell, weight)
	}
	t := texture{width, height, make([]byte, len(sum))}
	for i, v := range sum {
		t.sample[i] = byte(math.Round(least + (most-least)*(0.5+0.5*math.Tanh(v))))
	}
	return t
}

// addNoise adds random values on a lattice of cells, smoothly joined.
func addNoise(r *rand.Rand, sum []float64, width, cell int, weight float64) {
	height, columns := len(sum)/width, width/cell+2
	lattice := make([]float64, columns*(height/cell+2))
	for i := range lattice {
		lattice[i] = weight * (2*r.Float64() - 1)
	}
	smooth := func(n int) float64 { f := float64(n%cell) / float64(cell); return f * f * (3 - 2*f) }
	for y := range height {
		fy, row := smooth(y), lattice[y/cell*columns:]
		for x := range width {
			fx, i := smooth(x), x/cell
			top := row[i] + (row[i+1]-row[i])*fx
			bottom := row[columns+i] + (row[columns+i+1]-row[columns+i])*fx
			sum[y*width+x] += top + (bottom-top)*fy
		}
	}
}

// pan fills a plane from the texture at x, y, between samples where that lies between them.
func (t texture) pan(plane []byte, width int, x, y float64) {
	x0, y0 := int(x), int(y)
	fx, fy := int((x-float64(x0))*16), int((y-float64(y0))*16)
	for row := range len(plane) / width {
		a := t.sample[(y0+row)*t.width+x0:]
		b := t.sample[(y0+row+1)*t.width+x0:]
		for i := range width {
			top := int(a[i])*(16-fx) + int(a[i+1])*fx
			bottom := int(b[i])*(16-fx) + int(b[i+1])*fx
			plane[row*width+i] = byte((top*(16-fy) + bottom*fy) >> 8)
		}
	}
}

// put draws the texture as an ellipse.
func (t texture) put(plane []byte, width, x, y int) {
	for row := range t.height {
		v := 2*float64(row)/float64(t.height) - 1
		half := int(math.Sqrt(max(1-v*v, 0)) * float64(t.width) / 2)
		from := t.width/2 - half
		copy(plane[(y+row)*width+x+from:], t.sample[row*t.width+from:row*t.width+from+2*half])
	}
}
