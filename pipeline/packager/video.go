// Package packager cuts coded pictures and sound into parts on the grid, and writes them as CMAF.
package packager

import (
	"fmt"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/av1"
	"github.com/venuecast/venuecast/codecs/captions"
	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/codecs/h264"
	"github.com/venuecast/venuecast/codecs/h265"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

// Video packs one video rendition. The encoder closes part edges, so a part is complete when it has as many pictures as
// its time has frames.
type Video struct {
	grid   grid.Grid
	video  ladder.Video
	init   pipeline.Init
	scale  int64 // fMP4 timescale
	frame  int64 // duration of one frame in it
	append func(dst, coded []byte) []byte

	steps   []step // in the order of their segments: the packets that come may still be of the one before
	msn     int64
	part    int
	samples []cmaf.Sample
	frames  []int64 // the frame number of each sample
	held    []int64 // frames after that of each sample which have no picture of their own
	covered int64   // frames of the part that the samples show so far
	spoken  captions.Channels
}

// NewVideo returns a packager of a rendition that is coded with these parameter sets (Annex B).
func NewVideo(g grid.Grid, v ladder.Video, parameterSets []byte) (*Video, error) {
	timescale, duration := g.Timescale()
	data, name, err := cmaf.VideoInit(cmaf.VideoTrack{
		Codec: v.Codec, Timescale: timescale, Width: v.Width, Height: v.Height, ParameterSets: parameterSets, Bitrate: v.Bitrate,
	})
	if err != nil {
		return nil, fmt.Errorf("writing the init section of %s: %w", v.Name, err)
	}
	p := &Video{
		grid: g, video: v, scale: int64(timescale), frame: int64(duration), append: h264.AppendAVC,
		init: pipeline.Init{Rendition: v.Name, Codecs: name, Data: data},
	}
	switch v.Codec {
	case codecs.H265:
		p.append = h265.AppendHVC
	case codecs.AV1:
		p.append = av1.AppendSample
	}
	return p, nil
}

// step is for how many frames each picture is shown from a segment on.
type step struct{ msn, frames int64 }

// Step says that from segment msn on each picture is shown for so many frames; until then as the rendition's divisor says.
// It is called before the first packet of that segment comes. frames must divide the frames of a part.
func (p *Video) Step(msn, frames int64) {
	if n := len(p.steps); n == 0 && frames == p.video.Divisor || n > 0 && p.steps[n-1].frames == frames {
		return
	}
	p.steps = append(p.steps, step{msn, frames})
}

// stepOf returns for how many frames the pictures of a segment are shown. What is over is forgotten.
func (p *Video) stepOf(msn int64) int64 {
	for len(p.steps) > 0 && p.steps[0].msn <= msn {
		p.video.Divisor, p.steps = p.steps[0].frames, p.steps[1:]
	}
	return p.video.Divisor
}

// Init returns the initialization section.
func (p *Video) Init() *pipeline.Init { return &p.init }

// Add takes the next packet in decoding order, its PTS a frame number, and emits the part that it completes.
// It copies the packet's data.
func (p *Video) Add(pkt codecs.Packet, emit func(*pipeline.Part) error) error {
	msn, part := p.grid.Segment(pkt.PTS), p.grid.Part(pkt.PTS)
	if len(p.samples) == 0 {
		p.msn, p.part = msn, part
	}
	if msn != p.msn || part != p.part {
		return fmt.Errorf("frame %d came before part %d.%d had all its pictures", pkt.PTS, p.msn, p.part)
	}
	sample := cmaf.Sample{Key: pkt.Key, Data: p.append(p.room(), pkt.Data)}
	p.spoken |= captions.InSample(p.video.Codec, sample.Data)
	p.samples = append(p.samples, sample)
	p.frames, p.held = append(p.frames, pkt.PTS), append(p.held, 0)
	return p.cover(emit)
}

// room returns memory of a part that has been written: close has copied what was in it.
func (p *Video) room() []byte {
	n := len(p.samples)
	if n == cap(p.samples) {
		return nil
	}
	return p.samples[:n+1][n].Data[:0]
}

// Hold says that the frame after those that were added has no picture of its own: the last sample lasts longer. Its picture must
// be the last in order of presentation, and of the same part. It emits the part if that is complete.
func (p *Video) Hold(emit func(*pipeline.Part) error) error {
	if len(p.samples) == 0 {
		return fmt.Errorf("part %d.%d begins without a picture", p.msn, p.part)
	}
	p.held[len(p.held)-1]++
	return p.cover(emit)
}

// Missing returns how many packets the part in progress, or the next, wants at least until it is complete.
func (p *Video) Missing() int64 {
	longest := p.video.Divisor
	for _, s := range p.steps {
		longest = max(longest, s.frames)
	}
	return p.grid.PartFrames/longest - p.covered
}

func (p *Video) cover(emit func(*pipeline.Part) error) error {
	p.covered++
	step := p.stepOf(p.msn)
	if p.covered < p.grid.PartFrames/step {
		return nil
	}
	return emit(p.close(step))
}

// Gap returns the part that ends with a frame as one that is not made.
func (p *Video) Gap(frame int64) *pipeline.Part {
	return &pipeline.Part{
		Rendition: p.video.Name, Kind: codecs.Video, MSN: p.grid.Segment(frame), Index: p.grid.Part(frame), Gap: true,
		Duration: p.frame * p.grid.PartFrames, Timescale: p.scale,
	}
}

// close writes the part. Decode times follow on from its start, one frame each or as many as the sample is held; composition
// offsets are signed (trun version 1, ISO/IEC 14496-12 §8.8.8), so that tfdt is exactly the part's start and no edit list is
// needed.
func (p *Video) close(step int64) *pipeline.Part {
	start := p.grid.PartFrame(p.msn, p.part)
	decode := start
	for i := range p.samples {
		lasts := (1 + p.held[i]) * step
		p.samples[i].Duration = uint32(p.frame * lasts)
		p.samples[i].CompositionOffset = int32((p.frames[i] - decode) * p.frame)
		decode += lasts
	}
	f := cmaf.Fragment{
		Sequence: sequence(p.grid, p.msn, p.part), BaseTime: uint64(start * p.frame), Samples: p.samples,
	}
	part := &pipeline.Part{
		Rendition: p.video.Name, Kind: codecs.Video, MSN: p.msn, Index: p.part, Independent: p.samples[0].Key,
		Duration: p.frame * p.grid.PartFrames, Timescale: p.scale, Data: f.Marshal(), Captions: p.spoken,
	}
	p.samples, p.frames, p.held, p.covered = p.samples[:0], p.frames[:0], p.held[:0], 0
	p.spoken = 0
	return part
}

// sequence returns mfhd's sequence_number: a function of the place, so that any worker writes the same bytes.
func sequence(g grid.Grid, msn int64, part int) uint32 {
	return uint32(msn*int64(g.Parts()) + int64(part))
}
