package frames

import (
	"slices"
	"time"

	"github.com/venuecast/venuecast/cmd/internal/watch"
	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
)

// timed is a sample and the date its presentation begins.
type timed struct {
	sample cmaf.Sample
	shown  time.Time
}

// readTimed returns the samples of a segment in decoding order. EXT-X-PROGRAM-DATE-TIME is that of the sample which is
// presented first (RFC 8216bis §4.4.4.6).
func readTimed(p *watch.Piece, timescale uint32) ([]timed, error) {
	fragments, err := cmaf.ParseFragments(p.Data)
	if err != nil {
		return nil, err
	}
	var list []timed
	var times []int64
	for i := range fragments {
		t := int64(fragments[i].BaseTime)
		for _, s := range fragments[i].Samples {
			list = append(list, timed{sample: s})
			times = append(times, t+int64(s.CompositionOffset))
			t += int64(s.Duration)
		}
	}
	for i := range list {
		offset := codecs.MulDivRound(times[i]-slices.Min(times), int64(time.Second), int64(timescale))
		list[i].shown = p.DateTime.Add(time.Duration(offset))
	}
	return list, nil
}
