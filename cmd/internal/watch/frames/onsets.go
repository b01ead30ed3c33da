package frames

import (
	"time"

	"github.com/venuecast/venuecast/codecs/testcard"
)

const (
	// loud is above what coding adds to silence, and well below the tone.
	loud = 0.1
	// quiet is how much silence comes before a beep.
	quiet = testcard.SampleRate / 5
)

// onsets finds where beeps begin.
type onsets struct {
	silent int // samples since the last loud one, up to quiet
	times  []time.Time
}

// listen takes the samples that follow, of which the first is heard at a time. Sound that is loud from the start is
// not taken for the beginning of a beep.
func (o *onsets) listen(samples []float32, at time.Time) {
	for i, v := range samples {
		if v < loud && v > -loud {
			o.silent = min(o.silent+1, quiet)
			continue
		}
		if o.silent == quiet {
			o.times = append(o.times, at.Add(time.Duration(i)*time.Second/testcard.SampleRate))
		}
		o.silent = 0
	}
}
