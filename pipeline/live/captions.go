package live

import (
	"cmp"
	"slices"
	"sync/atomic"

	"github.com/venuecast/venuecast/codecs/captions"
	"github.com/venuecast/venuecast/codecs/m3u8"
)

// captionGroup is the GROUP-ID of captions.
const captionGroup = "cc"

// spoken is the CEA-608 channels that were found in the feed's pictures. It only grows: players read the multivariant playlist once.
type spoken struct{ channels atomic.Uint32 }

func (s *spoken) load() captions.Channels { return captions.Channels(s.channels.Load()) }

// hear notes the captions of a part, and keeps over a restart what is new.
func (f *Feed) hear(v *view, c captions.Channels) { // f.mu is held
	before := v.spoken.load()
	if before|c == before {
		return
	}
	v.spoken.channels.Store(uint32(before | c))
	f.archive.put(f, v.captionsName(f.id), [][]byte{[]byte((before | c).String())}, nil)
}

// captionsName is the place of what was found in the store, under the feed's constants.
func (v *view) captionsName(feed string) string { return feed + "/" + v.key + "/captions.txt" }

// restoreCaptions brings back what was found before the start, and returns the other objects.
func (f *Feed) restoreCaptions(v *view, objects []Object) []Object { // f.mu is held
	name := v.captionsName(f.id)
	others := slices.DeleteFunc(slices.Clone(objects), func(o Object) bool { return o.Name == name })
	if len(others) == len(objects) {
		return objects
	}
	text, err := readAll(f.opts.Store, name)
	if err == nil {
		var c captions.Channels
		c, err = captions.Parse(string(text))
		v.spoken.channels.Store(uint32(c))
	}
	if err != nil {
		f.opts.StoreFailed(f.id, "read") // they are found again
	}
	return others
}

// captions returns what is announced of the captions within the pictures: as the ladder says, else those that were found.
func (v *view) captions() (group []m3u8.Rendition) {
	asked := v.feed.Ladder.Captions
	announce := func(channel, language, name string) {
		group = append(group, m3u8.Rendition{
			Type: m3u8.TypeClosedCaptions, GroupID: captionGroup, Name: cmp.Or(name, channel), Language: language,
			Autoselect: true, InstreamID: channel,
		})
	}
	for _, c := range asked.Channels {
		announce(c.Channel, c.Language, c.Name)
	}
	if asked.Off || len(group) > 0 || len(v.feed.Ladder.Video) == 0 {
		return group
	}
	for _, channel := range v.spoken.load().Names() {
		announce(channel, "", channel)
	}
	return group
}
