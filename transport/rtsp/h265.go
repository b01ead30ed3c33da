package rtsp

import (
	"errors"
	"fmt"
	"slices"

	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/format/rtph265"
	"github.com/pion/rtp"

	"github.com/venuecast/venuecast/codecs/h265"
	"github.com/venuecast/venuecast/pipeline/ingest"
)

// NAL unit types of H.265 that can begin an access unit (ITU-T H.265 §7.4.2.4.4).
const (
	h265LastSlice = 31
	h265VPS       = 32
	h265SPS       = 33
	h265AUD       = 35
	h265PrefixSEI = 39
)

type h265Codec struct {
	format  *format.H265
	decoder *rtph265.Decoder
	sets    h265.ParameterSets
	now     ingest.Picture
}

func newH265(f *format.H265) (*h265Codec, error) {
	decoder, err := f.CreateDecoder()
	if err != nil {
		return nil, fmt.Errorf("H.265: %w", err)
	}
	c := &h265Codec{format: f, decoder: decoder}
	c.update([][]byte{f.VPS, f.SPS, f.PPS})
	return c, nil
}

func (c *h265Codec) nalus(p *rtp.Packet) ([][]byte, error) {
	nalus, err := c.decoder.Decode(complete(p))
	if errors.Is(err, rtph265.ErrMorePacketsNeeded) || errors.Is(err, rtph265.ErrNonStartingPacketAndNoPrevious) {
		return nil, errMore
	}
	return nalus, err
}

func (c *h265Codec) reset() { c.decoder = &rtph265.Decoder{MaxDONDiff: c.format.MaxDONDiff} }

func (c *h265Codec) update(nalus [][]byte) {
	c.sets.Update(slices.Values(nalus))
	sps := lastOfType(nalus, func(n []byte) bool { return h265Type(n) == h265SPS })
	if info, err := h265.ParseSPS(sps); err == nil {
		c.now = pictureOf(info)
	}
}

func (c *h265Codec) ready() bool                  { return c.sets.Complete() }
func (c *h265Codec) prepend(annexb []byte) []byte { return c.sets.Prepend(annexb) }
func (c *h265Codec) picture() ingest.Picture      { return c.now }
func (c *h265Codec) hasSlice(nalus [][]byte) bool { return h265.HasSlice(slices.Values(nalus)) }
func (c *h265Codec) isRandomAccess(nalus [][]byte) bool {
	return h265.IsRandomAccess(slices.Values(nalus))
}

// begins takes a slice only when its first_slice_segment_in_pic_flag is set (ITU-T H.265 §7.3.6.1).
func (c *h265Codec) begins(nalu []byte) bool {
	t := h265Type(nalu)
	if t <= h265LastSlice {
		return len(nalu) > 2 && nalu[2]&0x80 != 0
	}
	return t >= h265VPS && t <= h265AUD || t == h265PrefixSEI
}

// h265Type returns nal_unit_type; a unit without its two-byte header counts as unspecified.
func h265Type(nalu []byte) byte {
	if len(nalu) < 2 {
		return 63
	}
	return nalu[0] >> 1 & 0x3f
}
