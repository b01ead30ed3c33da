package rtsp

import (
	"errors"
	"fmt"

	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/format/rtpac3"
	"github.com/bluenviron/gortsplib/v5/pkg/format/rtpfragmented"
	"github.com/bluenviron/gortsplib/v5/pkg/format/rtpmpeg1audio"
	"github.com/bluenviron/gortsplib/v5/pkg/format/rtpmpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/ac3"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg1audio"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/pion/rtp"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/ingest"
)

// audioCodec takes packets apart.
type audioCodec interface {
	// frames returns the frames that p completes; errMore when it completes none.
	frames(p *rtp.Packet) ([][]byte, error)
	// duration of a frame, in units of the RTP clock.
	duration(frame []byte) uint32
}

// newAudio returns what is needed for a format; nil when it is not supported.
func newAudio(f format.Format) (audioCodec, ingest.Track) {
	switch f := f.(type) {
	case *format.MPEG4Audio:
		return newAAC(f)
	case *format.MPEG4AudioLATM:
		return newLATM(f)
	case *format.MPEG1Audio:
		return mpegAudio{decoder: &rtpmpeg1audio.Decoder{}}, audioTrack(codecs.MPEG2, 0, 0, f.ClockRate())
	case *format.AC3:
		return ac3Audio{decoder: &rtpac3.Decoder{}}, audioTrack(codecs.AC3, f.SampleRate, f.ChannelCount, f.SampleRate)
	case *format.Opus:
		return wholePacket(1), audioTrack(codecs.Opus, 48000, f.ChannelCount, f.ClockRate())
	case *format.G722:
		// The RTP clock of G.722 is 8000 Hz by an old mistake; it samples at 16000 Hz (RFC 3551 §4.5.2).
		return wholePacket(1), audioTrack(codecs.G722, 16000, 1, f.ClockRate())
	case *format.G711:
		codec := codecs.PCMA
		if f.MULaw {
			codec = codecs.PCMU
		}
		return wholePacket(f.ChannelCount), audioTrack(codec, f.SampleRate, f.ChannelCount, f.SampleRate)
	case *format.LPCM:
		if f.BitDepth == 16 {
			return wholePacket(2 * f.ChannelCount), audioTrack(codecs.L16, f.SampleRate, f.ChannelCount, f.SampleRate)
		}
	}
	return nil, ingest.Track{}
}

func audioTrack(codec codecs.Codec, sampleRate, channels, clock int) ingest.Track {
	return ingest.Track{
		Format:    codecs.Format{Codec: codec, SampleRate: sampleRate, Channels: channels},
		ClockRate: clock,
	}
}

// wholePacket takes a packet as one frame, cut to a multiple of its size: some cameras send half a sample at the end.
type wholePacket int

func (w wholePacket) frames(p *rtp.Packet) ([][]byte, error) {
	n := len(p.Payload) - len(p.Payload)%int(w)
	if n == 0 {
		return nil, errors.New("no samples")
	}
	return [][]byte{p.Payload[:n]}, nil
}

func (w wholePacket) duration([]byte) uint32 { return 0 } // there is no second frame

type aacAudio struct {
	decoder *rtpmpeg4audio.Decoder
	samples uint32
}

func newAAC(f *format.MPEG4Audio) (audioCodec, ingest.Track) {
	decoder, err := f.CreateDecoder()
	if err != nil || f.Config == nil {
		return nil, ingest.Track{}
	}
	track, err := aacTrack(f.Config)
	if err != nil {
		return nil, ingest.Track{}
	}
	return aacAudio{decoder: decoder, samples: aacSamples(f.Config)}, track
}

func (a aacAudio) frames(p *rtp.Packet) ([][]byte, error) {
	frames, err := a.decoder.Decode(p)
	if errors.Is(err, rtpmpeg4audio.ErrMorePacketsNeeded) {
		return nil, errMore
	}
	return frames, err
}

func (a aacAudio) duration([]byte) uint32 { return a.samples }

// latmAudio unpacks the multiplex of RFC 6416 with its configuration in the session description.
type latmAudio struct {
	decoder *rtpfragmented.Decoder
	config  *mpeg4audio.StreamMuxConfig
	samples uint32
}

func newLATM(f *format.MPEG4AudioLATM) (audioCodec, ingest.Track) {
	decoder, err := f.CreateDecoder()
	if err != nil || f.CPresent || f.StreamMuxConfig == nil {
		return nil, ingest.Track{}
	}
	config := f.StreamMuxConfig.Programs[0].Layers[0].AudioSpecificConfig
	track, err := aacTrack(config)
	if err != nil {
		return nil, ingest.Track{}
	}
	return latmAudio{decoder: decoder, config: f.StreamMuxConfig, samples: aacSamples(config)}, track
}

func (l latmAudio) frames(p *rtp.Packet) ([][]byte, error) {
	packed, err := l.decoder.Decode(p)
	if errors.Is(err, rtpfragmented.ErrMorePacketsNeeded) {
		return nil, errMore
	}
	if err != nil {
		return nil, err
	}
	element := mpeg4audio.AudioMuxElement{StreamMuxConfig: l.config}
	if err := element.Unmarshal(packed); err != nil {
		return nil, fmt.Errorf("LATM: %w", err)
	}
	var frames [][]byte
	for _, sub := range element.Payloads {
		frames = append(frames, sub[0][0]) // the first layer of the first program
	}
	return frames, nil
}

func (l latmAudio) duration([]byte) uint32 { return l.samples }

// aacTrack describes AAC. With band replication, clock and output run at the extension's rate.
func aacTrack(c *mpeg4audio.AudioSpecificConfig) (ingest.Track, error) {
	config, err := c.Marshal()
	if err != nil {
		return ingest.Track{}, err
	}
	rate := max(c.SampleRate, c.ExtensionSampleRate)
	channels := int(c.ChannelConfig)
	switch {
	case c.ExtensionType == mpeg4audio.ObjectTypePS:
		channels = 2
	case channels == 7: // ISO/IEC 14496-3 Table 1.19
		channels = 8
	}
	track := audioTrack(codecs.AAC, rate, channels, rate)
	track.Format.Config = config
	return track, nil
}

// aacSamples returns the samples of one frame at the rate of the RTP clock.
func aacSamples(c *mpeg4audio.AudioSpecificConfig) uint32 {
	samples := 1024
	if c.FrameLengthFlag { // ISO/IEC 14496-3 §4.5.1.1
		samples = 960
	}
	if c.ExtensionSampleRate > c.SampleRate {
		samples = samples * c.ExtensionSampleRate / c.SampleRate
	}
	return uint32(samples)
}

type mpegAudio struct{ decoder *rtpmpeg1audio.Decoder }

func (m mpegAudio) frames(p *rtp.Packet) ([][]byte, error) {
	frames, err := m.decoder.Decode(p)
	if errors.Is(err, rtpmpeg1audio.ErrMorePacketsNeeded) || errors.Is(err, rtpmpeg1audio.ErrNonStartingPacketAndNoPrevious) {
		return nil, errMore
	}
	return frames, err
}

// duration reads the header: MPEG audio has a 90 kHz clock whatever its sample rate (RFC 3551 §4.5.13).
func (m mpegAudio) duration(frame []byte) uint32 {
	var h mpeg1audio.FrameHeader
	if err := h.Unmarshal(frame); err != nil || h.SampleRate == 0 {
		return 0
	}
	return uint32(h.SampleCount() * codecs.TicksPerSecond / h.SampleRate)
}

type ac3Audio struct{ decoder *rtpac3.Decoder }

func (a ac3Audio) frames(p *rtp.Packet) ([][]byte, error) {
	frames, err := a.decoder.Decode(p)
	if errors.Is(err, rtpac3.ErrMorePacketsNeeded) || errors.Is(err, rtpac3.ErrNonStartingPacketAndNoPrevious) {
		return nil, errMore
	}
	return frames, err
}

func (a ac3Audio) duration([]byte) uint32 { return ac3.SamplesPerFrame }
