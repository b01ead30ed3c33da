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
	PSNR   float64 `json:"psnr_db"` // of all three planes, over all pictures
	SSIM   float64 `json:"ssim"`    // likewise
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

var (
	psnrLine  = regexp.MustCompile(`PSNR .*average:([0-9.]+|inf)`)
	ssimLine  = regexp.MustCompile(`SSIM .*All:([0-9.]+)`)
	frameLine = regexp.MustCompile(`frame= *(\d+)`)
)

// Quality compares a rendition with its source, picture by picture: the source in a loop, scaled by libswscale's bicubic
// from full size. It fills in PSNR, SSIM and Frames.
func (f FFmpeg) Quality(r *Rendition, media, source string, width, height int) error {
	compare := fmt.Sprintf("[0:v]settb=1/1000,setpts=N,split[a][b];[1:v]scale=%d:%d:flags=bicubic,settb=1/1000,setpts=N,split[c][d];"+
		"[a][c]psnr=shortest=1[p];[b][d]ssim=shortest=1[s]", width, height)
	cmd := f.command("-v", "info", "-i", media, "-stream_loop", "-1", "-i", source, "-filter_complex", compare,
		"-map", "[p]", "-f", "null", "-", "-map", "[s]", "-f", "null", "-")
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("comparing %s with its source: %w: %s", r.Name, err, lastLines(log.String()))
	}
	for pattern, into := range map[*regexp.Regexp]*float64{psnrLine: &r.PSNR, ssimLine: &r.SSIM} {
		m := pattern.FindStringSubmatch(log.String())
		if m == nil {
			return fmt.Errorf("comparing %s with its source: no figure in: %s", r.Name, lastLines(log.String()))
		}
		*into, _ = strconv.ParseFloat(m[1], 64)
		*into = min(*into, identical)
	}
	if all := frameLine.FindAllStringSubmatch(log.String(), -1); all != nil {
		r.Frames, _ = strconv.ParseInt(all[len(all)-1][1], 10, 64)
	}
	return nil
}

// identical is the PSNR, in dB, that is told of pictures which are the same bit by bit: JSON has no infinity.
const identical = 100

func lastLines(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(len(lines)-4, 0):], " | ")
}
