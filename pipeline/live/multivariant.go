package live

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/codecs/m3u8"
)

// startBandwidth is where a player should begin (Apple authoring spec 1.32: about 2 Mbit/s).
const startBandwidth = 2_400_000

// Multivariant returns the multivariant playlist, with or without low latency.
//
// Clients read it once, so it is shown only when it is complete: ErrNotReady until every rendition of the ladder has
// its init section and one finished segment, and ErrStale when no rendition gets parts any more.
func (f *Feed) Multivariant(now time.Time, plain bool) (Text, error) {
	v := f.view.Load()
	if err := v.shown(now); err != nil {
		return Text{}, err
	}
	query := ""
	if plain {
		query = "?ll=0" // what a client does not want of one playlist it does not want of the others
	}
	list := multivariant{view: v, query: query, describe: (*Rendition).measured, pictures: (*Rendition).pictures}
	return compressible(list.append(nil)), nil
}

// shown reports why no multivariant playlist may be shown at the given time.
func (v *view) shown(now time.Time) error {
	stopped := true
	for _, r := range v.renditions {
		err := r.Snapshot().Err(now)
		if err != nil && !errors.Is(err, ErrStale) {
			return fmt.Errorf("rendition %s of feed %s: %w", r.name, v.feed.ID, err)
		}
		stopped = stopped && err != nil
	}
	if stopped {
		return fmt.Errorf("feed %s: %w", v.feed.ID, ErrStale)
	}
	return nil
}

// multivariant makes a multivariant playlist.
type multivariant struct {
	view     *view
	query    string                        // of the media playlists' addresses
	file     string                        // what they are called; index.m3u8 unless it says
	describe func(*Rendition) m3u8.Variant // what a rendition is by itself; without a bandwidth it is left out
	pictures func(*Rendition) m3u8.Variant // and likewise its I-frames
}

func (m multivariant) append(dst []byte) []byte {
	groups := m.groups()
	p := m3u8.Multivariant{IndependentSegments: true, Variants: m.variants(groups)}
	if len(m.view.feed.Ladder.Video) > 0 {
		for _, g := range slices.Concat(groups...) {
			p.Renditions = append(p.Renditions, g.renditions(m.query)...)
		}
	}
	p.Renditions = append(p.Renditions, m.view.captions()...)
	p.IFrames = m.iframes()
	return p.Append(dst)
}

func (m multivariant) iframes() []m3u8.Variant {
	var all []m3u8.Variant
	for i, video := range m.view.feed.Ladder.Video {
		x := m.pictures(m.view.renditions[i])
		if x.Bandwidth == 0 {
			continue
		}
		x.Width, x.Height = video.Width, video.Height
		x.URI += "/iframes.m3u8" + m.query
		all = append(all, x)
	}
	return all
}

// variants returns the variants in the order of the playlist: the one to begin with, then the others, best first.
func (m multivariant) variants(groups [][]group) []m3u8.Variant {
	var all []m3u8.Variant
	for _, ofCodec := range groups {
		all = append(all, m.video(ofCodec)...)
	}
	if len(groups) == 0 {
		all = m.video(nil)
	}
	if len(m.view.feed.Ladder.Video) == 0 {
		for _, s := range m.sounds() {
			all = append(all, s.variant)
		}
	}
	if len(all) == 0 {
		return nil
	}
	captions := m3u8.NoCaptions
	if len(m.view.captions()) > 0 {
		captions = captionGroup
	}
	for i := range all {
		all[i].URI += "/" + cmp.Or(m.file, "index.m3u8") + m.query
		all[i].ClosedCaptions = captions
	}
	slices.SortStableFunc(all, func(a, b m3u8.Variant) int { return cmp.Compare(b.Bandwidth, a.Bandwidth) })
	start := slices.IndexFunc(all, func(x m3u8.Variant) bool { return x.AverageBandwidth <= startBandwidth })
	if start < 0 {
		start = len(all) - 1
	}
	first := all[start]
	return slices.Insert(slices.Delete(all, start, start+1), 0, first)
}

// video returns the video variants, largest first, each with a group of sound of one codec: the better half of them with the
// better sound.
func (m multivariant) video(groups []group) []m3u8.Variant {
	var all []m3u8.Variant
	rate := m.view.feed.Grid.FrameRate
	ladder := m.view.feed.Ladder.Video
	for i, video := range ladder {
		x := m.describe(m.view.renditions[i])
		if x.Bandwidth == 0 {
			continue
		}
		x.Width, x.Height = video.Width, video.Height
		x.FrameRate = codecs.NewRational(rate.Num, rate.Den*max(1, video.Divisor))
		if len(groups) > 0 {
			groups[i*len(groups)/len(ladder)].join(&x)
		}
		all = append(all, x)
	}
	return all
}

// measured returns what a rendition is as far as it is known now.
func (r *Rendition) measured() m3u8.Variant {
	snap := r.Snapshot()
	return m3u8.Variant{
		Bandwidth:        snap.rates.peak(r.bitrate),
		AverageBandwidth: snap.rates.average(r.bitrate),
		Codecs:           snap.codecs,
		VideoRange:       videoRange(snap.inits[snap.openInit].says),
		URI:              r.name,
	}
}

// pictures returns what a rendition's I-frames are as far as it is known now.
func (r *Rendition) pictures() m3u8.Variant {
	snap := r.Snapshot()
	// What is not there when it is listed is a gap among I-frames for good: those of renditions on demand would be little else.
	if snap.iframes.segments == 0 || r.onDemand {
		return m3u8.Variant{}
	}
	share := r.bitrate / 3 // of a segment's bits, until it is measured
	return m3u8.Variant{
		Bandwidth: snap.iframes.peak(share), AverageBandwidth: snap.iframes.average(share), Codecs: snap.codecs,
		VideoRange: videoRange(snap.inits[snap.openInit].says), URI: r.name,
	}
}

// videoRange returns VIDEO-RANGE (RFC 8216bis §4.4.6.2) as the parameter sets have it; nothing where there are none to read.
// SUPPLEMENTAL-CODECS, beside it, is for enhancement layers such as Dolby Vision's: our encoders make none.
func videoRange(says cmaf.InitInfo) m3u8.VideoRange {
	if says.Codec.Kind() != codecs.Video || says.Codecs == "" {
		return ""
	}
	return m3u8.RangeOf(says.Colour)
}
