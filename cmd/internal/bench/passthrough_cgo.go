//go:build cgo

package bench

import (
	"errors"
	"fmt"
	"io"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/h264"
	"github.com/venuecast/venuecast/codecs/libav"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
)

// Passthrough makes a feed one that passes the file's own pictures on as its largest rendition, as an ingest would.
// The file must begin with a random access picture, and have one every so many pictures.
func Passthrough(f pipeline.Feed, file string) (pipeline.Feed, error) {
	sets, interval, err := accessInterval(file)
	if err != nil {
		return f, fmt.Errorf("passing %s through: %w", file, err)
	}
	id, ok := sets.UnusedID()
	if err := sets.CheckPlayable(); err != nil || !ok {
		return f, fmt.Errorf("passing %s through: %w", file, err)
	}
	if f.Grid, err = grid.ForSource(f.Grid.FrameRate, f.Asked.Segment, f.Asked.Part, interval, f.Grid.Epoch); err != nil {
		return f, fmt.Errorf("passing %s through: %w", file, err)
	}
	top := &f.Ladder.Video[0]
	top.SetID, top.Encoder = id, "libx264"
	f.Passthrough = &pipeline.Passthrough{Rendition: top.Name, ParameterSets: sets.AnnexB()}
	return f, nil
}

// accessInterval returns the distance of a file's first two random access pictures, and its parameter sets.
func accessInterval(file string) (sets h264.ParameterSets, pictures int64, err error) {
	d, err := libav.OpenFile(file)
	if err != nil {
		return sets, 0, err
	}
	defer d.Close()
	tracks := d.Tracks()
	for {
		track, u, _, err := d.Next()
		if errors.Is(err, io.EOF) {
			return sets, pictures, nil // one interval
		}
		if err != nil {
			return sets, 0, err
		}
		if tracks[track].Format.Codec.Kind() != codecs.Video {
			continue
		}
		if tracks[track].Format.Codec != codecs.H264 {
			return sets, 0, errors.New("its pictures are not H.264")
		}
		sets.Update(h264.NALUs(u.Data))
		if pictures > 0 && h264.IsRandomAccess(h264.NALUs(u.Data)) {
			return sets, pictures, nil
		}
		pictures++
	}
}
