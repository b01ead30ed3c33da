package bench

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Rendition is what one version of a ladder came to.
type Rendition struct {
	Name   string  `json:"name"`
	Bytes  int64   `json:"bytes"` // of its segments
	Frames int64   `json:"frames"`
	PSNR   float64 `json:"psnr_db"`        // of all three planes, over all pictures
	SSIM   float64 `json:"ssim"`           // likewise
	VMAF   float64 `json:"vmaf,omitempty"` // the mean over all pictures; 0: this ffmpeg has no libvmaf
}

// Join writes the init section and the segments of a folder as one file and returns the bytes of the segments.
// Names of segments sort by time.
func Join(dir, file string) (size int64, err error) {
	inits, err := filepath.Glob(filepath.Join(dir, "init*.mp4"))
	if err != nil || len(inits) != 1 {
		return 0, fmt.Errorf("%s: want one init section, there are %d", dir, len(inits))
	}
	segments, err := filepath.Glob(filepath.Join(dir, "*.m4s"))
	if err != nil || len(segments) == 0 {
		return 0, fmt.Errorf("%s: no segments", dir)
	}
	slices.Sort(segments)
	out, err := os.Create(file)
	if err != nil {
		return 0, err
	}
	defer out.Close()
	for i, name := range append(inits, segments...) {
		n, err := appendFile(out, name)
		if err != nil {
			return 0, fmt.Errorf("joining %s: %w", dir, err)
		}
		if i > 0 {
			size += n
		}
	}
	return size, nil
}

func appendFile(out io.Writer, name string) (int64, error) {
	in, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	return io.Copy(out, in)
}

// meter is a filter that compares two streams, and says how alike they are in a line of the log.
type meter struct {
	filter string
	line   *regexp.Regexp
	figure func(*Rendition) *float64
}

var (
	psnr = meter{"psnr=shortest=1", regexp.MustCompile(`PSNR .*average:([0-9.]+|inf)`), func(r *Rendition) *float64 { return &r.PSNR }}
	ssim = meter{"ssim=shortest=1", regexp.MustCompile(`SSIM .*All:([0-9.]+)`), func(r *Rendition) *float64 { return &r.SSIM }}
	vmaf = meter{
		"libvmaf=shortest=1:n_threads=2", regexp.MustCompile(`VMAF score: ([0-9.]+)`),
		func(r *Rendition) *float64 { return &r.VMAF },
	}

	frameLine = regexp.MustCompile(`frame= *(\d+)`)
)

// Quality compares a rendition with its source, picture by picture: the source in a loop, scaled by libswscale's bicubic
// from full size. It fills in PSNR, SSIM and Frames, and VMAF if this ffmpeg has it.
func (f FFmpeg) Quality(r *Rendition, media, source string, width, height int) error {
	meters := f.meters()
	graph, maps := comparison(meters, width, height)
	args := append([]string{"-v", "info", "-i", media, "-stream_loop", "-1", "-i", source, "-filter_complex", graph}, maps...)
	cmd := f.command(args...)
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("comparing %s with its source: %w: %s", r.Name, err, lastLines(log.String()))
	}
	return r.read(meters, log.String())
}

// meters returns those that this ffmpeg has.
func (f FFmpeg) meters() []meter {
	all := []meter{psnr, ssim}
	if filters, err := f.command("-v", "error", "-filters").Output(); err == nil && bytes.Contains(filters, []byte(" libvmaf ")) {
		all = append(all, vmaf)
	}
	return all
}

// comparison returns the graph in which each meter compares the first input with the second, scaled, and the outputs to map.
func comparison(meters []meter, width, height int) (graph string, maps []string) {
	var b, made, source strings.Builder
	for i, m := range meters {
		fmt.Fprintf(&made, "[a%d]", i)
		fmt.Fprintf(&source, "[b%d]", i)
		fmt.Fprintf(&b, ";[a%d][b%d]%s[o%d]", i, i, m.filter, i)
		maps = append(maps, "-map", fmt.Sprintf("[o%d]", i), "-f", "null", "-")
	}
	return fmt.Sprintf("[0:v]settb=1/1000,setpts=N,split=%d%s;[1:v]scale=%d:%d:flags=bicubic,settb=1/1000,setpts=N,split=%d%s",
		len(meters), made.String(), width, height, len(meters), source.String()) + b.String(), maps
}

// read takes the figures out of what ffmpeg logged.
func (r *Rendition) read(meters []meter, log string) error {
	for _, m := range meters {
		found := m.line.FindStringSubmatch(log)
		if found == nil {
			return fmt.Errorf("comparing %s with its source: no figure of %s in: %s", r.Name, m.filter, lastLines(log))
		}
		value, err := strconv.ParseFloat(found[1], 64) // understands inf
		if err != nil {
			return fmt.Errorf("comparing %s with its source: %w", r.Name, err)
		}
		*m.figure(r) = min(value, identical)
	}
	if all := frameLine.FindAllStringSubmatch(log, -1); all != nil {
		r.Frames, _ = strconv.ParseInt(all[len(all)-1][1], 10, 64) // digits only, and no file has 2^63 pictures
	}
	return nil
}

// identical is the PSNR, in dB, that is told of pictures which are the same bit by bit: JSON has no infinity.
const identical = 100

func lastLines(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(len(lines)-4, 0):], " | ")
}
