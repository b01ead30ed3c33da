package transcode

import "github.com/venuecast/venuecast/codecs"

// captioned is a picture that may carry captions, as triplets of cc_data (ANSI/CTA-708 §4.4).
type captioned interface {
	Captions() []byte
	// SetCaptions gives this reference others. Those of other references stay.
	SetCaptions(triplets []byte)
}

const (
	tripletBytes = 3
	// maxTriplets is how many one picture can carry: cc_count has five bits.
	maxTriplets = 31
	// maxWaiting bounds what waits for a picture: what a second holds at most (9600 bit/s, and CEA-608's 960).
	maxWaiting = 600 * tripletBytes
)

// subtitles hands a source's captions to one rendition, each once: a picture that is shown again has none, and those of
// pictures that the rendition leaves out wait for its next one. Decoders would print letters twice, or leave some out.
type subtitles struct{ waiting []byte }

// captions returns what the picture carries when it is shown for the first time, and nothing after.
func (s *shot) captions() []byte {
	p, ok := s.sizes[0].(captioned)
	if !ok || s.shown {
		return nil
	}
	s.shown = true
	triplets := p.Captions()
	s.captioned = len(triplets) > 0
	return triplets
}

// leaveOut takes the captions of a picture that rendition i does not show.
func (s *source) leaveOut(i int, frame int64, triplets []byte) {
	if !s.rates[i].made() || frame < s.w.renditions[i].first { // nobody misses them, or another worker has sent them
		s.spoken[i].waiting = nil
		return
	}
	s.spoken[i].leaveOut(triplets)
}

// rescue takes the captions of a picture that came too late to be shown.
func (s *source) rescue(p *shot) {
	triplets := p.captions()
	for i := range s.spoken {
		s.leaveOut(i, s.conform.next, triplets)
	}
}

func (t *subtitles) leaveOut(triplets []byte) {
	for ; len(triplets) >= tripletBytes; triplets = triplets[tripletBytes:] {
		if one := triplets[:tripletBytes]; speaks(one) {
			t.waiting = append(t.waiting, one...)
		}
	}
	t.waiting = t.waiting[max(0, len(t.waiting)-maxWaiting):]
}

// speaks reports whether a triplet is more than padding.
func speaks(t []byte) bool {
	valid, null := t[0]&4 != 0, t[0]&2 == 0 && t[1]&0x7f == 0 && t[2]&0x7f == 0
	return valid && !null
}

// give gives the rendition's reference of a picture its captions: those that wait, and triplets, the picture's own.
func (t *subtitles) give(ref codecs.Picture, of *shot, triplets []byte) {
	p, ok := ref.(captioned)
	switch {
	case !ok, len(t.waiting) == 0 && !of.captioned:
		return
	case len(t.waiting) == 0 && len(triplets) > 0:
		return // it carries them already
	}
	t.leaveOut(triplets)
	n := min(len(t.waiting), maxTriplets*tripletBytes)
	p.SetCaptions(t.waiting[:n])
	t.waiting = t.waiting[n:]
}
