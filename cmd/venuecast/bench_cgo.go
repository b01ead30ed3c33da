//go:build cgo

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuecast/venuecast/cmd/internal/bench"
	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/configs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

func newBench() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure what a ladder and cameras cost, and what this machine can carry",
		Example: "  venuecast bench ladder --against ffmpeg\n  venuecast bench demand\n  venuecast bench host\n" +
			"  venuecast bench ingest --cameras 100",
	}
	cmd.AddCommand(newBenchLadder(), newBenchHost(), newBenchDemand(), newBenchIngest())
	return cmd
}

// ladderBench is the command bench ladder.
type ladderBench struct {
	file, config, ladder, against, ffmpeg, keep string
	profile                                     string
	seconds                                     float64
	pairs                                       int
	json, passthrough, quality, software        bool

	tool  bench.FFmpeg
	feed  pipeline.Feed
	first int64
	dir   string
}

// mediaFlags are those that say what is made, and of what.
func (b *ladderBench) mediaFlags(cmd *cobra.Command, seconds float64) {
	f := cmd.Flags()
	f.StringVar(&b.file, "file", "", "media file to transcode (default: a generated one, 1080p at 25 pictures per second)")
	f.StringVarP(&b.config, "config", "c", "", "configuration file with the ladder (default: the built-in ladders)")
	f.StringVar(&b.ladder, "ladder", "hd", "name of the ladder")
	f.Float64Var(&b.seconds, "seconds", seconds, "length of media per run; rounded up to whole segments")
	f.StringVar(&b.ffmpeg, "ffmpeg", os.Getenv("VENUECAST_FFMPEG"), "folder of ffmpeg (default: $VENUECAST_FFMPEG, or that in PATH)")
	f.BoolVar(&b.json, "json", false, "print JSON")
}

func newBenchLadder() *cobra.Command {
	b := &ladderBench{}
	cmd := &cobra.Command{
		Use:   "ladder",
		Short: "Make a ladder as fast as this machine can, and measure cost and quality",
		Long: "Ladder puts a file on an embedded bus, in a loop, and has it transcoded and served in the way serve does, as fast as it\n" +
			"can: bus, one child process, packager, HTTP, origin, DVR. It prints the processor time of the whole process tree per\n" +
			"second of media, and the quality of each rendition against its source. With --against ffmpeg it makes the same ladder\n" +
			"with the ffmpeg command line and the same settings, in turn, and compares each pair of runs.",
		Example: "  venuecast bench ladder --file match.mp4 --against ffmpeg\n  venuecast bench ladder -c venue.yaml --ladder small --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if b.against != "" && b.against != "ffmpeg" {
				return fmt.Errorf("--against %s: want ffmpeg", b.against)
			}
			return b.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	b.mediaFlags(cmd, 24)
	f.StringVar(&b.against, "against", "", "ffmpeg: compare with the ffmpeg command line")
	f.IntVar(&b.pairs, "runs", 3, "counted runs of each side")
	f.StringVar(&b.keep, "keep", "", "folder to leave the media in (default: they are removed)")
	f.BoolVar(&b.passthrough, "passthrough", false, "pass the file's own pictures on as the largest rendition; ffmpeg still encodes all")
	f.StringVar(&b.profile, "profile", "", "folder for profiles of the first run (go tool pprof); without libav's threads")
	f.BoolVar(&b.quality, "quality", true, "compare the first run of each side with its source")
	return cmd
}

func (b *ladderBench) run(ctx context.Context) (err error) {
	if err := b.prepare(ctx); err != nil {
		return err
	}
	if b.keep == "" {
		defer func() { err = joinRemove(err, b.dir) }()
	}
	report := bench.Report{File: b.file, Ladder: b.ladder, Media: b.media().Seconds(), Processors: runtime.NumCPU()}
	var ours, reference []bench.Run
	for i := range b.pairs {
		run, err := b.ours(ctx, i)
		if err != nil {
			return err
		}
		ours = append(ours, run)
		if b.against == "" {
			continue
		}
		if run, err = b.reference(ctx, i); err != nil {
			return err
		}
		reference = append(reference, run)
	}
	report.Fill(ours, reference)
	if b.json {
		return printJSON(os.Stdout, report)
	}
	return report.Print(os.Stdout)
}

// prepare finds the tool, the file and the ladder, and resolves the feed.
func (b *ladderBench) prepare(ctx context.Context) (err error) {
	if b.seconds <= 0 || b.seconds > 600 || b.pairs < 1 || b.pairs > 100 {
		return fmt.Errorf("--seconds %v --runs %d: want up to 600 s and 1 to 100 runs", b.seconds, b.pairs)
	}
	if b.tool, err = findFFmpeg(b.ffmpeg); err != nil {
		return err
	}
	if b.profile != "" {
		if b.profile, err = filepath.Abs(b.profile); err == nil {
			err = os.MkdirAll(b.profile, 0o750)
		}
		if err != nil {
			return fmt.Errorf("--profile: %w", err)
		}
	}
	if b.dir = b.keep; b.dir == "" {
		if b.dir, err = os.MkdirTemp("", "venuecast-bench-"); err != nil {
			return err
		}
	} else if err := os.MkdirAll(b.dir, 0o750); err != nil {
		return err
	}
	if b.file == "" {
		b.file = filepath.Join(b.dir, "generated.mp4")
		if err := b.tool.Generate(ctx, b.file); err != nil {
			return err
		}
	}
	return b.resolve()
}

// findFFmpeg returns the folder of ffmpeg: quality is measured by it, independently of this program.
func findFFmpeg(dir string) (bench.FFmpeg, error) {
	if dir == "" {
		path, err := exec.LookPath("ffmpeg")
		if err != nil {
			return "", fmt.Errorf("ffmpeg is not in PATH; set VENUECAST_FFMPEG to $(make -s ffmpeg-path)")
		}
		dir = filepath.Dir(path)
	}
	if _, err := os.Stat(filepath.Join(dir, "ffmpeg")); err != nil {
		return "", fmt.Errorf("no ffmpeg in %s; set VENUECAST_FFMPEG to $(make -s ffmpeg-path)", dir)
	}
	return bench.FFmpeg(dir), nil
}

// resolve describes the feed as an ingest would.
func (b *ladderBench) resolve() error {
	text := []byte("venue: bench\n")
	if b.config != "" {
		var err error
		if text, err = os.ReadFile(b.config); err != nil {
			return err
		}
	}
	c, err := configs.Parse(b.config, text, os.LookupEnv)
	if err != nil {
		return err
	}
	named, ok := c.Ladders[b.ladder]
	if !ok {
		return fmt.Errorf("--ladder %s: there is none of that name", b.ladder)
	}
	b.software = c.Worker.Hardware == "never"
	asked := named.Pipeline()
	media, err := bench.Probe(b.file)
	if err != nil {
		return err
	}
	resolved, _ := asked.For(ladder.Source{Width: media.Width, Height: media.Height})
	if !media.Sound {
		resolved.Audio = nil
	}
	now := codecs.TicksAt(time.Now())
	g, err := grid.New(media.FrameRate, asked.Segment, asked.Part, now)
	if err != nil {
		return err
	}
	b.feed = pipeline.Feed{ID: "bench", Grid: g, Ladder: resolved, Asked: asked}
	if b.passthrough {
		if b.feed, err = bench.Passthrough(b.feed, b.file); err != nil {
			return err
		}
		g = b.feed.Grid
	}
	b.first = g.PartFrame(g.Segment(g.FrameAt(now))+1, 0)
	return nil
}

// segments returns how many are made per run.
func (b *ladderBench) segments() int64 {
	step := b.feed.Grid.Step().Seconds()
	n := int64(b.seconds / step)
	if float64(n)*step < b.seconds-1e-6 {
		n++
	}
	return n
}

func (b *ladderBench) media() time.Duration {
	g := b.feed.Grid
	return (g.FrameTime(b.segments()*g.StepFrames) - g.Epoch).Duration()
}

// ours makes the ladder with this program. Quality is measured in the first run only: it is the same in each.
func (b *ladderBench) ours(ctx context.Context, i int) (bench.Run, error) {
	j := benchJob{
		Feed: b.feed, File: b.file, First: b.first, End: b.first + b.segments()*b.feed.Grid.StepFrames,
		Dir: filepath.Join(b.dir, fmt.Sprintf("venuecast-%d", i)), Software: b.software,
	}
	if i == 0 {
		j.Profile = b.profile
	}
	if err := os.MkdirAll(j.Dir, 0o750); err != nil {
		return bench.Run{}, err
	}
	in, err := json.Marshal(j)
	if err != nil {
		return bench.Run{}, err
	}
	self, err := os.Executable()
	if err != nil {
		return bench.Run{}, err
	}
	cmd := exec.CommandContext(ctx, self, benchCommand)
	cmd.Stdin = strings.NewReader(string(in))
	run, err := b.measure(ctx, cmd, "venuecast")
	if err != nil {
		return run, err
	}
	var report childReport
	if err := readJSON(j.report(), &report); err != nil {
		return run, err
	}
	var camera cameraReport
	if err := readJSON(j.camera(), &camera); err != nil {
		return run, err
	}
	run.Libav, run.RunsOn = report.total()+time.Duration(camera.Demux), report.RunsOn
	folder := func(name string) string { return filepath.Join(j.Dir, "dvr", b.feed.ID, "*", name) }
	return run, b.judge(&run, j.Dir, folder, b.quality && i == 0)
}

// reference makes the ladder with the ffmpeg command line.
func (b *ladderBench) reference(ctx context.Context, i int) (bench.Run, error) {
	dir := filepath.Join(b.dir, fmt.Sprintf("ffmpeg-%d", i))
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return bench.Run{}, err
	}
	run, err := b.measure(ctx, b.tool.Ladder(b.feed, b.file, b.media().Seconds(), dir), "ffmpeg")
	if err != nil {
		return run, err
	}
	folder := func(name string) string { return filepath.Join(dir, name) }
	return run, b.judge(&run, dir, folder, b.quality && i == 0)
}

func (b *ladderBench) measure(ctx context.Context, cmd *exec.Cmd, name string) (bench.Run, error) {
	used, err := bench.Measure(ctx, cmd)
	run := bench.Run{Usage: used, Media: b.media()}
	fmt.Fprintf(os.Stderr, "%-9s  %.2f s CPU, %.2f s\n", name, used.CPU.Seconds(), used.Wall.Seconds())
	return run, err
}

// judge joins each rendition's segments, and compares them with the source if asked.
func (b *ladderBench) judge(run *bench.Run, dir string, folder func(name string) string, compare bool) error {
	for _, v := range b.feed.Ladder.Video {
		found, err := filepath.Glob(folder(v.Name))
		if err != nil || len(found) != 1 {
			return fmt.Errorf("%s: want one folder, there are %d", folder(v.Name), len(found))
		}
		r := bench.Rendition{Name: v.Name}
		joined := filepath.Join(dir, v.Name+".mp4")
		if r.Bytes, err = bench.Join(found[0], joined); err != nil {
			return err
		}
		if compare {
			if err := b.tool.Quality(&r, joined, b.file, v.Width, v.Height); err != nil {
				return err
			}
			if want := b.segments() * b.feed.Grid.StepFrames; r.Frames != want {
				return fmt.Errorf("%s has %d pictures, want %d", joined, r.Frames, want)
			}
		}
		run.Renditions = append(run.Renditions, r)
	}
	if b.keep == "" {
		return os.RemoveAll(dir)
	}
	return nil
}

func readJSON(file string, into any) error {
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", file, err)
	}
	return nil
}

func writeJSON(file string, value any) error {
	data, err := json.Marshal(value)
	if err == nil {
		err = os.WriteFile(file, data, 0o600)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	return nil
}

func joinRemove(err error, dir string) error {
	if removed := os.RemoveAll(dir); err == nil {
		return removed
	}
	return err
}
