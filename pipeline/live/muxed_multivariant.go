package live

import (
	"fmt"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/m3u8"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

// MuxedMultivariant returns the multivariant playlist of a feed in MPEG-TS: video variants with their sound in them, and
// sound alone where there is no video, or it is thin enough for a bad connection (Apple authoring specification 1.26 wants
// up to 64 kbit/s). file is what the media playlists are called. It fails as Multivariant does, and with ErrGone when the
// ladder asks for no MPEG-TS.
func (f *Feed) MuxedMultivariant(now time.Time, file string) (Text, error) {
	v := f.view.Load()
	if v.feed.Ladder.Container != ladder.MPEGTS {
		return Text{}, fmt.Errorf("feed %s in MPEG-TS: %w", f.id, ErrGone)
	}
	if err := v.shown(now); err != nil {
		return Text{}, err
	}
	list := multivariant{view: v, file: file, describe: v.muxedVariant}
	p := m3u8.Multivariant{IndependentSegments: true, Renditions: v.captions(), Variants: list.variants(nil)}
	for _, s := range list.sounds() {
		if len(v.feed.Ladder.Video) > 0 && s.Bitrate <= thinSound {
			s.variant.URI += "/" + file
			if len(p.Renditions) == 0 {
				s.variant.ClosedCaptions = m3u8.NoCaptions // all variants say so, or none
			}
			p.Variants = append(p.Variants, s.variant)
		}
	}
	return compressible(p.Append(nil)), nil
}

// thinSound is the highest bit rate, in bit/s, of sound that is offered alone besides video.
const thinSound = 64_000

// muxedVariant describes a rendition with its sound, in MPEG-TS.
func (v *view) muxedVariant(r *Rendition) m3u8.Variant {
	if r.onDemand {
		return m3u8.Variant{} // these players wait for nothing
	}
	x := r.measured()
	if sound := v.soundOf(r); sound != nil {
		y := sound.measured()
		x.Bandwidth += y.Bandwidth
		x.AverageBandwidth += y.AverageBandwidth
		x.Codecs += "," + y.Codecs
	}
	most := muxedOverhead(v.feed.Grid, r.kind)
	x.Bandwidth = x.Bandwidth*packetBytes/packetMedia + most
	x.AverageBandwidth = x.AverageBandwidth*packetBytes/packetMedia + most/2
	return x
}

// The length of a packet of MPEG-TS, and of the media in it.
const packetBytes, packetMedia = 188, 184

// muxedOverhead returns what tables, headers and stuffing need at most besides packet headers, in bit/s.
func muxedOverhead(g grid.Grid, kind codecs.Kind) int64 {
	const (
		perSegment = (2*16 + 2*15) * packetBytes // tables; packets that fill up the counters
		perUnit    = 240                         // a PES header, a clock reference, a delimiter, and a packet's stuffing
		sounds     = 10                          // units of sound in a second
		perSecond  = 13*packetBytes + 47*7 + 200 // clock references between units, ADTS headers, parameter sets
	)
	units := int64(sounds)
	if kind == codecs.Video {
		units += codecs.CeilDiv(g.FrameRate.Num, g.FrameRate.Den)
	}
	return 8 * (perUnit*units + perSecond + codecs.MulDivCeil(perSegment, int64(time.Second), int64(g.Step())))
}
