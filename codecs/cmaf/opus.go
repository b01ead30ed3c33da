package cmaf

import (
	"fmt"

	"github.com/Eyevinn/mp4ff/mp4"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/opus"
)

// The numbers of "Encapsulation of Opus in ISO Base Media File Format" 1.0.0.
const (
	opusEntry = "Opus"
	rollGroup = "roll"
)

// opusInit returns the init section of an Opus track. Its roll group says how many samples before the first that is heard a
// decoder needs (§4.3.6.2); each fragment refers to it.
func opusInit(t AudioTrack) (data []byte, codec string, err error) {
	c, err := opus.Parse(t.Config)
	if err != nil {
		return nil, "", fmt.Errorf("describing the audio track: %w", err)
	}
	init, trak := newInit(t.Timescale, "audio")
	entry := mp4.CreateAudioSampleEntryBox(opusEntry, uint16(c.Channels), 16, opusRate, dops(c))
	if t.Bitrate > 0 {
		entry.AddChild(btrt(t.Bitrate))
	}
	stbl := trak.Mdia.Minf.Stbl
	stbl.Stsd.AddChild(entry)
	stbl.AddChild(&mp4.SgpdBox{
		Version: 1, GroupingType: rollGroup, DefaultLength: 2,
		SampleGroupEntries: []mp4.SampleGroupEntry{&mp4.RollSampleGroupEntry{RollDistance: -opus.PreRollFrames}},
	})
	stbl.AddChild(&mp4.SbgpBox{GroupingType: rollGroup})
	if data, err = encode(init); err != nil {
		return nil, "", err
	}
	return data, opus.Name, nil
}

// opusRate is what samplerate always says (§4.3.1).
const opusRate = 48000

// dops returns the OpusSpecificBox (§4.3.2).
func dops(c opus.Config) *mp4.DopsBox {
	return &mp4.DopsBox{
		OutputChannelCount: byte(c.Channels), PreSkip: c.PreSkip, InputSampleRate: c.InputRate, OutputGain: c.Gain,
	}
}

// rollGroupOf says that n samples are of the roll group of the init section.
func rollGroupOf(n int) *mp4.SbgpBox {
	return &mp4.SbgpBox{GroupingType: rollGroup, SampleCounts: []uint32{uint32(n)}, GroupDescriptionIndices: []uint32{1}}
}

// readOpus reads an OpusSpecificBox of mapping family 0.
func readOpus(info *InitInfo, entry []byte) error {
	boxes, err := audioBoxes(info, entry)
	if err != nil {
		return err
	}
	body, err := find(boxes, "dOps")
	if err != nil {
		return err
	}
	d := reader{data: body}
	version, channels := d.u8(), d.u8()
	c := opus.Config{Channels: channels, PreSkip: uint16(d.u16()), InputRate: d.u32(), Gain: int16(d.u16())} //nolint:gosec // 16 bits each
	if family := d.u8(); d.err != nil || version != 0 || family != 0 {
		return fmt.Errorf("dOps: version %d, mapping family %d: want 0 and 0", version, family)
	}
	if err := c.Check(); err != nil {
		return fmt.Errorf("dOps: %w", err)
	}
	info.Codec, info.Codecs, info.Config = codecs.Opus, opus.Name, c.Marshal()
	info.SampleRate, info.Channels = opusRate, c.Channels
	return nil
}
