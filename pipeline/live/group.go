package live

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/venuecast/venuecast/codecs/m3u8"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

// sound is an audio rendition as it is there.
type sound struct {
	ladder.Audio
	variant  m3u8.Variant
	channels int
}

// sounds returns the audio renditions that are there, in the ladder's order.
func (m multivariant) sounds() []sound {
	var all []sound
	for i, a := range m.view.feed.Ladder.Audio {
		r := m.view.renditions[len(m.view.feed.Ladder.Video)+i] // video renditions come first, each in the ladder's order
		if x := m.describe(r); x.Bandwidth > 0 {
			snap := r.Snapshot()
			all = append(all, sound{a, x, cmp.Or(snap.inits[snap.openInit].says.Channels, 2)})
		}
	}
	return all
}

// group is one audio group: the same languages as in the others, in one codec and quality (RFC 8216bis §4.4.6.1.1).
type group struct {
	id      string
	members []sound
	names   []string // of the members; a language is called the same in all groups
}

// groups returns the audio groups of each codec, in the ladder's order. As each variant is listed with each codec, a player
// that does not know one has all pictures with another.
func (m multivariant) groups() (all [][]group) {
	sounds, names, n := m.sounds(), map[string]string{}, 0
	for _, s := range sounds {
		if _, ok := names[s.Language]; !ok {
			names[s.Language] = s.Name
		}
	}
	for len(sounds) > 0 {
		codec := sounds[0].Coded()
		others := func(s sound) bool { return s.Coded() != codec }
		groups := qualities(slices.DeleteFunc(slices.Clone(sounds), others), names)
		for i := range groups {
			groups[i].id = "audio"
			n++
			if n > 1 {
				groups[i].id += "-" + strconv.Itoa(n)
			}
		}
		all = append(all, groups)
		sounds = slices.DeleteFunc(sounds, func(s sound) bool { return s.Coded() == codec })
	}
	return all
}

// qualities returns groups of sounds, best first: as many as a language has qualities.
func qualities(sounds []sound, names map[string]string) []group {
	var languages [][]sound
	most := 0
	for _, s := range sounds {
		i := slices.IndexFunc(languages, func(l []sound) bool { return l[0].Language == s.Language })
		if i < 0 {
			i, languages = len(languages), append(languages, nil)
		}
		languages[i] = append(languages[i], s)
		most = max(most, len(languages[i]))
	}
	groups := make([]group, most)
	for i := range groups {
		for _, l := range languages {
			name := names[l[0].Language]
			l = slices.SortedStableFunc(slices.Values(l), func(a, b sound) int { return cmp.Compare(b.Bitrate, a.Bitrate) })
			groups[i].members = append(groups[i].members, l[min(i, len(l)-1)])
			groups[i].names = append(groups[i].names, name)
		}
	}
	return groups
}

func (g group) renditions(query string) []m3u8.Rendition {
	var all []m3u8.Rendition
	for i, s := range g.members {
		all = append(all, m3u8.Rendition{
			Type: m3u8.TypeAudio, GroupID: g.id, Name: g.names[i], Language: s.Language,
			Default: i == 0, Autoselect: true, Channels: strconv.Itoa(s.channels), URI: s.Name + "/index.m3u8" + query,
		})
	}
	return all
}

// join adds to a video variant what the group needs: all its formats, and the most of any member (§4.1).
func (g group) join(x *m3u8.Variant) {
	var peak, average int64
	formats := []string{x.Codecs}
	for _, s := range g.members {
		peak, average = max(peak, s.variant.Bandwidth), max(average, s.variant.AverageBandwidth)
		if !slices.Contains(formats, s.variant.Codecs) {
			formats = append(formats, s.variant.Codecs)
		}
	}
	x.Audio = g.id
	x.Codecs = strings.Join(formats, ",")
	x.Bandwidth += peak
	x.AverageBandwidth += average
}
