package packager

import (
	"fmt"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

// Audio packs one audio rendition: part n begins with the first audio frame at or after the start of video part n.
type Audio struct {
	grid  grid.Grid
	audio ladder.Audio
	init  pipeline.Init
	frame int64 // samples of a coded frame

	start   int64 // the first frame of the part that is being filled
	samples []cmaf.Sample
}

// NewAudio returns a packager of a rendition with this configuration: see cmaf.AudioTrack.
func NewAudio(g grid.Grid, a ladder.Audio, config []byte) (*Audio, error) {
	data, name, err := cmaf.AudioInit(cmaf.AudioTrack{
		Codec: a.Coded(), Timescale: grid.SampleRate, Config: config, Bitrate: a.Bitrate,
	})
	if err != nil {
		return nil, fmt.Errorf("writing the init section of %s: %w", a.Name, err)
	}
	return &Audio{grid: g, audio: a, frame: a.FrameSamples(), init: pipeline.Init{Rendition: a.Name, Codecs: name, Data: data}}, nil
}

// Init returns the initialization section.
func (p *Audio) Init() *pipeline.Init { return &p.init }

// Add takes audio frame j, which follows on from the one before, and emits the part that it completes.
func (p *Audio) Add(j int64, data []byte, emit func(*pipeline.Part) error) error {
	if len(p.samples) == 0 {
		p.start = j
	}
	if j != p.start+int64(len(p.samples)) {
		return fmt.Errorf("audio frame %d came after frame %d", j, p.start+int64(len(p.samples))-1)
	}
	p.samples = append(p.samples, cmaf.Sample{Key: true, Duration: uint32(p.frame), Data: data})
	msn, part := p.grid.AudioPlace(p.frame, p.start)
	if j+1 < p.grid.AudioFrame(p.frame, msn, part+1) {
		return nil
	}
	return emit(p.close(msn, part))
}

func (p *Audio) close(msn int64, part int) *pipeline.Part {
	f := cmaf.Fragment{
		Sequence: sequence(p.grid, msn, part), BaseTime: uint64(p.start * p.frame), Samples: p.samples,
		Roll: p.audio.Coded() == codecs.Opus,
	}
	out := &pipeline.Part{
		Rendition: p.audio.Name, Kind: codecs.Audio, MSN: msn, Index: part, Independent: true,
		Duration: int64(len(p.samples)) * p.frame, Timescale: grid.SampleRate, Data: f.Marshal(),
	}
	p.samples = p.samples[:0]
	return out
}
