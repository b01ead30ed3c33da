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

// group is one audio group: the same languages as in the others, in one quality (RFC 8216bis §4.4.6.1.1).
type group struct {
	id      string
	members []sound
	names   []string // of the members; a language is called the same in all groups
}

// groups returns the audio groups, best first: as many as a language has qualities.
func (m multivariant) groups() []group {
	var languages [][]sound
	qualities := 0
	for _, s := range m.sounds() {
		i := slices.IndexFunc(languages, func(l []sound) bool { return l[0].Language == s.Language })
		if i < 0 {
			i, languages = len(languages), append(languages, nil)
		}
		languages[i] = append(languages[i], s)
		qualities = max(qualities, len(languages[i]))
	}
	groups := make([]group, qualities)
	for i := range groups {
		groups[i].id = "audio"
		if i > 0 {
			groups[i].id += "-" + strconv.Itoa(i+1)
		}
		for _, l := range languages {
			name := l[0].Name
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
