//go:build cgo

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/venuecast/venuecast/cmd/internal/bench"
	"github.com/venuecast/venuecast/pipeline/transcode"
)

// demandBench is the command bench demand.
type demandBench struct {
	ladderBench
	cameras int
	watched string
}

func newBenchDemand() *cobra.Command {
	b := &demandBench{}
	cmd := &cobra.Command{
		Use:   "demand",
		Short: "Measure what renditions on demand save",
		Long: "Demand makes a file's ladder as fast as this machine can, in the way bench ladder does, three times in turn: all of it, the\n" +
			"lowest rendition only, and the lowest and a watched one. From that it says what a number of cameras costs of which\n" +
			"one is watched: those that nobody watches cost the lowest rendition each.",
		Example: "  venuecast bench demand --file match.mp4 --cameras 8 --watched 720p",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return b.run(cmd.Context()) },
	}
	f := cmd.Flags()
	b.mediaFlags(cmd, 12)
	f.IntVar(&b.pairs, "runs", 3, "runs of each kind")
	f.IntVar(&b.cameras, "cameras", 8, "how many cameras there are")
	f.StringVar(&b.watched, "watched", "", "the rendition of one camera that is watched (default: the largest)")
	return cmd
}

// demandReport is what bench demand prints. Costs are processor seconds of the whole process tree per second of media.
type demandReport struct {
	Ladder  string    `json:"ladder"`
	Watched string    `json:"watched"`
	Cameras int       `json:"cameras"`
	All     []float64 `json:"all"`
	Lowest  []float64 `json:"lowest"`
	Both    []float64 `json:"watched_and_lowest"`
	Ratio   []float64 `json:"ratio"` // of all cameras on demand to all always, run by run
}

func (b *demandBench) run(ctx context.Context) (err error) {
	if b.cameras < 1 || b.cameras > 1000 {
		return fmt.Errorf("--cameras %d: want 1 to 1000", b.cameras)
	}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	defer func() { err = joinRemove(err, b.dir) }()
	video := b.feed.Ladder.Video
	if b.watched == "" {
		b.watched = video[0].Name
	}
	report := demandReport{Ladder: b.ladder, Watched: b.watched, Cameras: b.cameras}
	lowest := video[len(video)-1].Name
	for range b.pairs {
		all, err := b.cost(ctx, "all")
		if err != nil {
			return err
		}
		one, err := b.cost(ctx, "lowest", lowest)
		if err != nil {
			return err
		}
		two, err := b.cost(ctx, "both", lowest, b.watched)
		if err != nil {
			return err
		}
		n := float64(b.cameras)
		report.All, report.Lowest, report.Both = append(report.All, all), append(report.Lowest, one), append(report.Both, two)
		report.Ratio = append(report.Ratio, ((n-1)*one+two)/(n*all))
	}
	return report.print(b.json)
}

// cost makes the ladder with these renditions only, or all when none are named, and returns processor seconds per second of media.
func (b *demandBench) cost(ctx context.Context, name string, only ...string) (float64, error) {
	j := benchJob{
		Feed: b.feed, File: b.file, First: b.first, End: b.first + b.segments()*b.feed.Grid.StepFrames,
		Dir: filepath.Join(b.dir, "run"), Plan: transcode.Plan{},
	}
	for _, v := range b.feed.Ladder.Video {
		if len(only) > 0 && !slices.Contains(only, v.Name) {
			j.Plan[v.Name] = transcode.RateIdle
		}
	}
	defer func() { _ = os.RemoveAll(j.Dir) }() // the folder around it goes at the end
	if err := os.MkdirAll(j.Dir, 0o750); err != nil {
		return 0, err
	}
	in, err := json.Marshal(j)
	if err != nil {
		return 0, err
	}
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, self, benchCommand)
	cmd.Stdin = strings.NewReader(string(in))
	run, err := b.measure(ctx, cmd, name)
	return run.CPU.Seconds() / b.media().Seconds(), err
}

func (r demandReport) print(asJSON bool) error {
	if asJSON {
		return printJSON(os.Stdout, r)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	line := func(name string, values []float64) {
		_, _ = fmt.Fprintf(w, "%s\t%v\n", name, bench.SpreadOf(values))
	}
	line("all renditions, CPU s/s", r.All)
	line("the lowest only", r.Lowest)
	line("the lowest and "+r.Watched, r.Both)
	line(fmt.Sprintf("%d cameras, 1 watched at %s, of all always", r.Cameras, r.Watched), r.Ratio)
	return w.Flush()
}
