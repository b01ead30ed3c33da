package live

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/venuecast/venuecast/codecs"
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
	stale := error(ErrStale)
	for _, r := range v.renditions {
		switch err := r.Snapshot().Err(now); err {
		case nil:
			stale = nil
		case ErrStale:
		default:
			return Text{}, fmt.Errorf("rendition %s of feed %s: %w", r.name, f.id, err)
		}
	}
	if stale != nil {
		return Text{}, fmt.Errorf("feed %s: %w", f.id, stale)
	}
	return compressed(v.multivariant(plain)), nil
}

// audioGroup names the group of all audio renditions of a feed with video.
const audioGroup = "audio"

func (v *view) multivariant(plain bool) []byte {
	query := ""
	if plain {
		query = "?ll=0" // what a client does not want of one playlist it does not want of the others
	}
	p := m3u8.Multivariant{IndependentSegments: true, Variants: v.variants(query)}
	if len(v.feed.Ladder.Video) > 0 {
		for i, a := range v.feed.Ladder.Audio {
			p.Renditions = append(p.Renditions, m3u8.Rendition{
				Type: m3u8.TypeAudio, GroupID: audioGroup, Name: a.Name, Language: a.Language,
				Default: i == 0, Autoselect: true, Channels: "2", URI: a.Name + "/index.m3u8" + query,
			})
		}
	}
	return p.Append(nil)
}

// variants returns the variants in the order of the playlist: the one to begin with, then the others, best first.
func (v *view) variants(query string) []m3u8.Variant {
	all := v.videoVariants()
	if len(all) == 0 {
		for _, r := range v.renditions {
			all = append(all, r.variant())
		}
	}
	for i := range all {
		all[i].URI += "/index.m3u8" + query
		all[i].ClosedCaptions = m3u8.NoCaptions
	}
	slices.SortStableFunc(all, func(a, b m3u8.Variant) int { return cmp.Compare(b.Bandwidth, a.Bandwidth) })
	start := slices.IndexFunc(all, func(x m3u8.Variant) bool { return x.AverageBandwidth <= startBandwidth })
	if start < 0 {
		start = len(all) - 1
	}
	first := all[start]
	return slices.Insert(slices.Delete(all, start, start+1), 0, first)
}

func (v *view) videoVariants() []m3u8.Variant {
	var all []m3u8.Variant
	sound := v.sound()
	for i, video := range v.feed.Ladder.Video {
		x := v.renditions[i].variant() // video renditions come first, in the ladder's order
		x.Width, x.Height = video.Width, video.Height
		x.FrameRate = codecs.NewRational(v.feed.Grid.FrameRate.Num, v.feed.Grid.FrameRate.Den*max(1, video.Divisor))
		if sound.Codecs != "" {
			x.Audio = audioGroup
			x.Codecs += "," + sound.Codecs
			x.Bandwidth += sound.Bandwidth
			x.AverageBandwidth += sound.AverageBandwidth
		}
		all = append(all, x)
	}
	return all
}

// variant returns what the rendition is by itself.
func (r *Rendition) variant() m3u8.Variant {
	snap := r.Snapshot()
	return m3u8.Variant{
		Bandwidth:        snap.rates.peak(r.bitrate),
		AverageBandwidth: snap.rates.average(r.bitrate),
		Codecs:           snap.codecs,
		URI:              r.name,
	}
}

// sound is what the audio group adds to each video variant: all its formats, and the most any member needs (§4.1).
func (v *view) sound() m3u8.Variant {
	var all m3u8.Variant
	var formats []string
	for _, r := range v.renditions[len(v.feed.Ladder.Video):] {
		x := r.variant()
		all.Bandwidth = max(all.Bandwidth, x.Bandwidth)
		all.AverageBandwidth = max(all.AverageBandwidth, x.AverageBandwidth)
		if !slices.Contains(formats, x.Codecs) {
			formats = append(formats, x.Codecs)
		}
	}
	all.Codecs = strings.Join(formats, ",")
	return all
}
