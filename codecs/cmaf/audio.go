package cmaf

import (
	"errors"
	"fmt"

	"github.com/Eyevinn/mp4ff/mp4"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/aac"
)

// AudioTrack describes an AAC or Opus track.
type AudioTrack struct {
	Codec     codecs.Codec // AAC or Opus. It defaults to AAC.
	Timescale uint32       // ticks per second: the sample rate
	Config    []byte       // AudioSpecificConfig, or the identification header of Opus (RFC 7845 §5.1)
	Bitrate   int64        // in bit/s; 0: not said
}

// AudioInit returns the init section of an mp4a or Opus track, and its codecs parameter (RFC 6381).
func AudioInit(t AudioTrack) (data []byte, codec string, err error) {
	if t.Timescale == 0 {
		return nil, "", errors.New("describing the audio track: timescale 0")
	}
	if t.Codec == codecs.Opus {
		return opusInit(t)
	}
	c, err := aac.Parse(t.Config)
	if err != nil {
		return nil, "", fmt.Errorf("describing the audio track: %w", err)
	}
	init, trak := newInit(t.Timescale, "audio")
	trak.Mdia.Minf.Stbl.Stsd.AddChild(audioEntry(t, c))
	if data, err = encode(init); err != nil {
		return nil, "", err
	}
	return data, c.Codecs(), nil
}

func audioEntry(t AudioTrack, c aac.Config) *mp4.AudioSampleEntryBox {
	esds := mp4.CreateEsdsBox(t.Config)
	if t.Bitrate > 0 {
		rate := btrt(t.Bitrate)
		esds.DecConfigDescriptor.MaxBitrate, esds.DecConfigDescriptor.AvgBitrate = rate.MaxBitrate, rate.AvgBitrate
	}
	entry := mp4.CreateAudioSampleEntryBox("mp4a", shownChannels(c), 16, shownRate(c), esds)
	if t.Bitrate > 0 {
		entry.AddChild(btrt(t.Bitrate))
	}
	return entry
}

// shownChannels returns channelcount; 2 is the template value where the stream itself says (ISO/IEC 14496-12 §12.2.3.2).
func shownChannels(c aac.Config) uint16 {
	if c.Channels == 0 || c.Type == aac.HEv2 { // parametric stereo codes one channel
		return 2
	}
	return uint16(c.Channels)
}

// shownRate returns samplerate, which has 16 bits: 0 where the rate does not fit.
func shownRate(c aac.Config) uint16 {
	if c.OutputRate > 1<<16-1 {
		return 0
	}
	return uint16(c.OutputRate)
}
