package transcode

import "github.com/venuecast/venuecast/codecs"

// placer puts decoded sound at its sample numbers on the feed's timeline and gives out a line without holes.
//
// A decoder's output is a stream of samples while PTS are points in time with jitter: samples follow on from the last as
// long as they are within tolerance of where their PTS says; the small rest is slewed by dropping or repeating single
// samples, beyond it the hole is silence, or what overlaps is dropped.
type placer struct {
	count func(reason string, samples int64)

	at     int64 // number of the first sample in line
	line   [2][]float32
	placed bool
	drift  float64 // smoothed distance of PTS from the line's end, in samples
}

const (
	// tolerance is how far PTS and line may differ before the line is cut, in samples at 48 kHz: 40 ms, one picture at 25 fps.
	tolerance = 1920
	// slack is the smoothed difference from which single samples are dropped or repeated.
	slack = 96
	// slewSpan is the number of samples per dropped or repeated one: 500 ppm, which no ear notices.
	slewSpan = 2000
)

// Reasons that placer counts.
const (
	reasonSilent  = "silence" // no sound came for these samples
	reasonOverlap = "overlap" // these samples' time had been put out
	reasonSlewed  = "slew"    // dropped or repeated against clock drift
)

func newPlacer(count func(string, int64)) *placer { return &placer{count: count} }

// end returns the number of the sample after the last.
func (p *placer) end() int64 { return p.at + int64(len(p.line[0])) }

// start returns the number of the first sample, false while there is none.
func (p *placer) start() (int64, bool) { return p.at, p.placed }

// add puts pcm where its first sample is number at. pcm is copied.
func (p *placer) add(at int64, pcm codecs.PCM) {
	if !p.placed {
		p.at, p.placed = at, true
	}
	off := at - p.end()
	switch {
	case off > tolerance:
		p.fill(off)
		p.drift = 0
	case off < -tolerance:
		p.drift = 0
		drop := min(-off, int64(pcm.Len()))
		p.count(reasonOverlap, drop)
		p.append(pcm, int(drop))
		return
	default:
		p.drift += (float64(off) - p.drift) / 64
	}
	p.append(pcm, 0)
	p.slew(int64(pcm.Len()))
}

// slew corrects the line's end by up to 500 ppm of n samples.
func (p *placer) slew(n int64) {
	most := max(n/slewSpan, 1)
	switch {
	case p.drift > slack:
		last := len(p.line[0]) - 1
		for c := range p.line {
			for range most {
				p.line[c] = append(p.line[c], p.line[c][last])
			}
		}
		p.drift -= float64(most)
		p.count(reasonSlewed, most)
	case p.drift < -slack && int64(len(p.line[0])) > most:
		for c := range p.line {
			p.line[c] = p.line[c][:len(p.line[c])-int(most)]
		}
		p.drift += float64(most)
		p.count(reasonSlewed, most)
	}
}

// silence extends the line up to, not including, sample to.
func (p *placer) silence(to int64) {
	if !p.placed {
		p.at, p.placed = to, true
	}
	if n := to - p.end(); n > 0 {
		p.fill(n)
	}
}

func (p *placer) fill(n int64) {
	p.count(reasonSilent, n)
	for c := range p.line {
		p.line[c] = append(p.line[c], make([]float32, n)...)
	}
}

func (p *placer) append(pcm codecs.PCM, from int) {
	for c := range p.line {
		p.line[c] = append(p.line[c], pcm[min(c, len(pcm)-1)][from:]...)
	}
}

// take gives out the n samples from number from on, and forgets what is before them. What was never there is silence.
// It returns false while they are not all there.
func (p *placer) take(from int64, n int) (codecs.PCM, bool) {
	if p.end() < from+int64(n) {
		return nil, false
	}
	out := codecs.PCM{make([]float32, n), make([]float32, n)}
	skip := from - p.at
	for c := range p.line {
		if skip < 0 {
			copy(out[c][min(-skip, int64(n)):], p.line[c])
		} else {
			copy(out[c], p.line[c][skip:])
		}
	}
	p.forget(from + int64(n))
	return out, true
}

func (p *placer) forget(before int64) {
	n := before - p.at
	if n <= 0 {
		return
	}
	for c := range p.line {
		p.line[c] = p.line[c][:copy(p.line[c], p.line[c][n:])]
	}
	p.at = before
}
