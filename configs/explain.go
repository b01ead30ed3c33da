package configs

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

// someDay is an instant after the first possible epoch of every grid. Lengths do not depend on it.
var someDay = codecs.TicksAt(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))

// previewRates are shown for a ladder that takes its frame rate from the source.
var previewRates = []codecs.Rational{
	codecs.NewRational(25, 1), codecs.NewRational(30, 1), codecs.NewRational(30000, 1001), codecs.NewRational(50, 1),
}

// Explain says in plain text what a configuration makes: each ladder that a feed uses, and the grid that comes of its
// targets at the usual frame rates. Players keep these constants for the life of a feed.
func Explain(c *Config) string {
	if len(c.Feeds) == 0 {
		return "no feeds: enough for an origin or a worker, not for ingest or serve\n"
	}
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(c.Ladders)) {
		var feeds []string
		for _, f := range c.Feeds {
			if f.Ladder == name {
				feeds = append(feeds, f.ID)
			}
		}
		if len(feeds) > 0 {
			c.Ladders[name].explain(&out, feeds)
		}
	}
	return out.String()
}

func (l Ladder) explain(out *strings.Builder, feeds []string) {
	p := l.Pipeline()
	fmt.Fprintf(out, "ladder %s for %s: segment %v, part %v, dvr %s\n", l.Name, strings.Join(feeds, ", "), p.Segment, p.Part, short(p.DVR))
	if p.Passthrough {
		fmt.Fprintln(out, "  the camera's own pictures where they fit; then the segment is a whole number of its I-frame intervals")
	}
	for _, v := range p.Video {
		rate := ""
		if v.Divisor > 1 {
			rate = ", half the frame rate"
		}
		fmt.Fprintf(out, "  video %s: %d lines, %v, %s bit/s%s\n", v.Name, v.Height, v.Codec, quantityText(v.Bitrate), rate)
	}
	for _, a := range p.Audio {
		fmt.Fprintf(out, "  audio %s: %v, %s bit/s\n", a.Name, a.Coded(), quantityText(a.Bitrate))
	}
	rates := previewRates
	if p.FrameRate.Valid() {
		rates = []codecs.Rational{p.FrameRate}
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "  FPS\tSEGMENT\tPARTS\tPART-TARGET\tPART-HOLD-BACK\tTARGETDURATION\tHOLD-BACK")
	for _, rate := range rates {
		_, _ = fmt.Fprintln(table, gridRow(rate, p))
	}
	_ = table.Flush() // to memory
}

func gridRow(rate codecs.Rational, l ladder.Ladder) string {
	fps := fmt.Sprintf("  %.4g", rate.Float())
	g, err := grid.New(rate, l.Segment, l.Part, someDay)
	if err != nil {
		return fmt.Sprintf("%s\tnone: %v", fps, err)
	}
	f := pipeline.Feed{Grid: g, Ladder: l}
	partLength := g.Step() / time.Duration(g.Parts())
	return fmt.Sprintf("%s\t%s\t%d × %s\t%s\t%s\t%d s\t%d s", fps, seconds(g.Step()), g.Parts(), seconds(partLength),
		seconds(f.PartTarget()), seconds(3*f.PartTarget()), f.TargetDuration(), 3*f.TargetDuration())
}

func seconds(v time.Duration) string { return fmt.Sprintf("%.4g s", v.Seconds()) }
