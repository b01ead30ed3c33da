package rtsp

import (
	"errors"
	"fmt"
	"slices"

	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/format/rtph264"
	"github.com/pion/rtp"

	"github.com/venuecast/venuecast/codecs/h264"
	"github.com/venuecast/venuecast/pipeline/ingest"
)

// NAL unit types of H.264 that can begin an access unit (ITU-T H.264 §7.4.1.2.3).
const (
	h264Slice = 1
	h264IDR   = 5
	h264SEI   = 6
	h264SPS   = 7
	h264AUD   = 9
)

type h264Codec struct {
	format  *format.H264
	decoder *rtph264.Decoder
	sets    h264.ParameterSets
	now     ingest.Picture
}

func newH264(f *format.H264) (*h264Codec, error) {
	decoder, err := f.CreateDecoder()
	if err != nil {
		return nil, fmt.Errorf("H.264: %w", err)
	}
	c := &h264Codec{format: f, decoder: decoder}
	c.update([][]byte{f.SPS, f.PPS})
	return c, nil
}

func (c *h264Codec) nalus(p *rtp.Packet) ([][]byte, error) {
	nalus, err := c.decoder.Decode(complete(p))
	if errors.Is(err, rtph264.ErrMorePacketsNeeded) || errors.Is(err, rtph264.ErrNonStartingPacketAndNoPrevious) {
		return nil, errMore
	}
	return nalus, err
}

func (c *h264Codec) reset() {
	c.decoder = &rtph264.Decoder{PacketizationMode: c.format.PacketizationMode}
}

func (c *h264Codec) update(nalus [][]byte) {
	c.sets.Update(slices.Values(nalus))
	sps := lastOfType(nalus, func(n []byte) bool { return h264Type(n) == h264SPS })
	if info, err := h264.ParseSPS(sps); err == nil {
		c.now = pictureOf(info)
	}
}

func (c *h264Codec) ready() bool                  { return c.sets.Complete() }
func (c *h264Codec) prepend(annexb []byte) []byte { return c.sets.Prepend(annexb) }
func (c *h264Codec) picture() ingest.Picture      { return c.now }
func (c *h264Codec) hasSlice(nalus [][]byte) bool { return h264.HasSlice(slices.Values(nalus)) }
func (c *h264Codec) isRandomAccess(nalus [][]byte) bool {
	return h264.IsRandomAccess(slices.Values(nalus))
}

// begins takes a slice only when its first_mb_in_slice is 0: one bit, set, of ue(v) (ITU-T H.264 §7.3.3).
func (c *h264Codec) begins(nalu []byte) bool {
	switch t := h264Type(nalu); t {
	case h264Slice, h264IDR:
		return len(nalu) > 1 && nalu[1]&0x80 != 0
	default:
		return t >= h264SEI && t <= h264AUD
	}
}

func h264Type(nalu []byte) byte {
	if len(nalu) == 0 {
		return 0
	}
	return nalu[0] & 0x1f
}
