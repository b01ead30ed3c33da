package rtsp

import (
	"fmt"
	"slices"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/ntp"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/h264"
	"github.com/venuecast/venuecast/codecs/h265"
	"github.com/venuecast/venuecast/codecs/nal"
)

// The payload types of the test camera (RFC 3551 §6: 96 to 127 are dynamic).
const (
	videoPayload = 96
	audioPayload = 97
)

// reportPeriod is short, so that a probe of a few seconds sees a report (RFC 3550 §6.2 suggests 5 s).
const reportPeriod = time.Second

// packetizer makes packets of an access unit. Their times are relative to the unit's.
type packetizer func(data []byte) ([]*rtp.Packet, error)

type serverTrack struct {
	media     *description.Media
	packetize packetizer

	packets, octets uint32 // sent so far, for sender reports
	lastReport      time.Time
}

func newServerTrack(t ServerTrack) (*serverTrack, error) {
	var f format.Format
	var p packetizer
	var err error
	if t.Format.Codec.Kind() == codecs.Video {
		f, p, err = videoPacketizer(t)
	} else {
		f, p, err = audioPacketizer(t.Format)
	}
	if err != nil {
		return nil, err
	}
	media := &description.Media{Type: description.MediaType(t.Format.Codec.Kind().String()), Formats: []format.Format{f}}
	return &serverTrack{media: media, packetize: p}, nil
}

func videoPacketizer(t ServerTrack) (format.Format, packetizer, error) {
	switch t.Format.Codec {
	case codecs.H264:
		var sets h264.ParameterSets
		sets.Update(slices.Values(t.ParameterSets))
		f := &format.H264{PayloadTyp: videoPayload, PacketizationMode: 1, SPS: first(sets.SPS), PPS: first(sets.PPS)}
		e, err := f.CreateEncoder()
		return f, func(data []byte) ([]*rtp.Packet, error) { return e.Encode(slices.Collect(nal.Units(data))) }, err
	case codecs.H265:
		var sets h265.ParameterSets
		sets.Update(slices.Values(t.ParameterSets))
		f := &format.H265{PayloadTyp: videoPayload, VPS: first(sets.VPS), SPS: first(sets.SPS), PPS: first(sets.PPS)}
		e, err := f.CreateEncoder()
		return f, func(data []byte) ([]*rtp.Packet, error) { return e.Encode(slices.Collect(nal.Units(data))) }, err
	}
	return nil, nil, fmt.Errorf("codec %v is not supported", t.Format.Codec)
}

func first(sets [][]byte) []byte {
	if len(sets) == 0 {
		return nil
	}
	return sets[0]
}

func audioPacketizer(t codecs.Format) (format.Format, packetizer, error) {
	switch t.Codec {
	case codecs.AAC:
		return aacPacketizer(t)
	case codecs.PCMA, codecs.PCMU:
		f := &format.G711{PayloadTyp: audioPayload, MULaw: t.Codec == codecs.PCMU, SampleRate: t.SampleRate, ChannelCount: t.Channels}
		e, err := f.CreateEncoder()
		return f, func(data []byte) ([]*rtp.Packet, error) { return e.Encode(data) }, err
	case codecs.L16:
		f := &format.LPCM{PayloadTyp: audioPayload, BitDepth: 16, SampleRate: t.SampleRate, ChannelCount: t.Channels}
		e, err := f.CreateEncoder()
		return f, func(data []byte) ([]*rtp.Packet, error) { return e.Encode(data) }, err
	case codecs.Opus:
		f := &format.Opus{PayloadTyp: audioPayload, ChannelCount: t.Channels}
		e, err := f.CreateEncoder()
		return f, func(data []byte) ([]*rtp.Packet, error) { return one(e.Encode(data)) }, err
	case codecs.G722:
		f := &format.G722{}
		e, err := f.CreateEncoder()
		return f, func(data []byte) ([]*rtp.Packet, error) { return one(e.Encode(data)) }, err
	case codecs.MPEG2:
		f := &format.MPEG1Audio{}
		e, err := f.CreateEncoder()
		return f, func(data []byte) ([]*rtp.Packet, error) { return e.Encode([][]byte{data}) }, err
	case codecs.AC3:
		f := &format.AC3{PayloadTyp: audioPayload, SampleRate: t.SampleRate, ChannelCount: t.Channels}
		e, err := f.CreateEncoder()
		return f, func(data []byte) ([]*rtp.Packet, error) { return e.Encode([][]byte{data}) }, err
	}
	return nil, nil, fmt.Errorf("codec %v is not supported", t.Codec)
}

// aacPacketizer uses the high bit-rate mode (RFC 3640 §3.3.6).
func aacPacketizer(t codecs.Format) (format.Format, packetizer, error) {
	var config mpeg4audio.AudioSpecificConfig
	if err := config.Unmarshal(t.Config); err != nil {
		return nil, nil, fmt.Errorf("AudioSpecificConfig: %w", err)
	}
	f := &format.MPEG4Audio{PayloadTyp: audioPayload, Config: &config, SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3}
	e, err := f.CreateEncoder()
	return f, func(data []byte) ([]*rtp.Packet, error) { return e.Encode([][]byte{data}) }, err
}

func one(p *rtp.Packet, err error) ([]*rtp.Packet, error) { return []*rtp.Packet{p}, err }

func (t *serverTrack) write(stream *gortsplib.ServerStream, data []byte, at uint32, wall time.Time) error {
	packets, err := t.packetize(data)
	if err != nil {
		return fmt.Errorf("making RTP packets: %w", err)
	}
	for _, p := range packets {
		p.Timestamp += at
		if err := stream.WritePacketRTPWithNTP(t.media, p, wall); err != nil {
			return fmt.Errorf("sending RTP: %w", err)
		}
		t.packets++
		t.octets += uint32(len(p.Payload))
	}
	if since := wall.Sub(t.lastReport); len(packets) == 0 || since >= 0 && since < reportPeriod {
		return nil
	}
	t.lastReport = wall
	report := &rtcp.SenderReport{
		SSRC:    packets[0].SSRC, // which the library has filled in
		NTPTime: ntp.Encode(wall), RTPTime: at, PacketCount: t.packets, OctetCount: t.octets,
	}
	if err := stream.WritePacketRTCP(t.media, report); err != nil {
		return fmt.Errorf("sending a sender report: %w", err)
	}
	return nil
}
