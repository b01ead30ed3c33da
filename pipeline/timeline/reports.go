package timeline

import (
	"slices"

	"github.com/venuecast/venuecast/codecs"
)

const (
	// maxSkew is the most by which one track may come later than another from the same moment of capture.
	maxSkew = codecs.TicksPerSecond
	// maxStep is how much two tracks may move against each other from one report to the next. More is a camera
	// that has set its clock, and has said so on one track only.
	maxStep = codecs.TicksPerSecond / 20
	// patience is how long reports must insist on such a step before it is believed.
	patience = 30 * codecs.TicksPerSecond
	// maxNTP bounds the capture times that are taken for times at all.
	maxNTP = codecs.Ticks(1) << 56
)

// reports aligns the tracks of a session by their sender reports. A report is a hint: what it says of the date is
// ignored. The first difference between tracks that it tells is followed at once, by the sound: a moment of silence, or
// one left out, is less than lips that are off for minutes. Later ones are followed by slewing only.
type reports struct {
	heard   map[int]codecs.Ticks // by track: the capture time of media time 0
	trusted map[int]codecs.Ticks // the same, when all tracks last agreed; nil before
	doubted codecs.Ticks         // the arrival since which heard disagrees with trusted; 0 if it does not
	aligned bool                 // the tracks have been aligned in this session
}

// hear takes in the capture time of the unit that the track has stamped last.
func (r *reports) hear(tracks []*track, i int, ntp, arrival codecs.Ticks) {
	if ntp == 0 || ntp < -maxNTP || ntp > maxNTP {
		return
	}
	if r.heard == nil {
		r.heard = make(map[int]codecs.Ticks, len(tracks))
	}
	r.heard[i] = ntp - tracks[i].previous
	if len(r.heard) < len(tracks) || len(tracks) == 1 {
		return
	}
	if r.believe(arrival) {
		if r.trusted == nil {
			r.trusted = make(map[int]codecs.Ticks, len(tracks))
		}
		for j, t := range r.heard {
			r.trusted[j] = t
		}
		r.doubted = 0
	}
	r.align(tracks)
}

// believe reports whether the tracks stand to each other as before, or have insisted for long that they do not.
func (r *reports) believe(arrival codecs.Ticks) bool {
	if r.trusted == nil || !r.stepped() {
		return true
	}
	if r.doubted == 0 {
		r.doubted = arrival
	}
	return arrival-r.doubted > patience
}

func (r *reports) stepped() bool {
	for i := range r.heard {
		moved := r.heard[i] - r.heard[0] - (r.trusted[i] - r.trusted[0])
		if moved > maxStep || moved < -maxStep {
			return true
		}
	}
	return false
}

// align sets the skew of each track: how much longer its units take, at least, from capture to arrival than the
// pictures do. Skews that no delay explains are not used; the tracks then stay as they are.
func (r *reports) align(tracks []*track) {
	skews := make([]codecs.Ticks, len(tracks))
	for i, t := range tracks {
		skews[i] = t.delay.least() - r.trusted[i]
	}
	if slices.Max(skews)-slices.Min(skews) > maxSkew {
		return
	}
	reference := skews[max(slices.IndexFunc(tracks, isVideo), 0)]
	for i, t := range tracks {
		t.skew = skews[i] - reference
		t.step = t.step || t.kind == codecs.Audio && !r.aligned
	}
	r.aligned = true
}

func isVideo(t *track) bool { return t.kind == codecs.Video }
