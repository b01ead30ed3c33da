package live

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/venuecast/venuecast/codecs/m3u8"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

// Muxed is a rendition as players without fMP4 see it: video with its sound, or sound alone, in segments of MPEG-TS.
// It is one state of the window. It never changes.
//
// Its segments are those of the rendition, with the same numbers, times, gaps and discontinuities. A segment is made of
// what is stored and nothing else: the same bytes at any time, by any origin that has the same media.
type Muxed struct {
	main, sound *Snapshot // sound is nil when main is sound, or there is none
	texts       *muxedTexts
}

// Muxed returns the rendition of that name in MPEG-TS: nil when there is none, the ladder does not ask for it, or it is on demand.
func (f *Feed) Muxed(name string) *Muxed {
	v := f.view.Load()
	r := v.rendition(name)
	if r == nil || r.onDemand || v.feed.Ladder.Container != ladder.MPEGTS {
		return nil
	}
	m := &Muxed{main: r.Snapshot()}
	if sound := v.soundOf(r); sound != nil {
		m.sound = sound.Snapshot()
	}
	m.texts = r.muxed.texts(m)
	return m
}

// soundOf returns the sound that is muxed with a video rendition: of the group that it has in the multivariant playlist,
// the first language. Nil for sound, and when there is none.
func (v *view) soundOf(r *Rendition) *Rendition {
	groups := slices.Concat(multivariant{view: v, describe: (*Rendition).measured}.groups()...) // of AAC only
	for i, video := range v.feed.Ladder.Video {
		if video.Name == r.name && len(groups) > 0 {
			return v.rendition(groups[i*len(groups)/len(v.feed.Ladder.Video)].members[0].Name)
		}
	}
	return nil
}

// Err reports why there is nothing to show at the given time, as Snapshot.Err does.
func (m *Muxed) Err(now time.Time) error {
	if err := m.main.Err(now); err != nil {
		return err
	}
	if m.sound != nil {
		return m.sound.Err(now)
	}
	return nil
}

// TargetDuration returns EXT-X-TARGETDURATION.
func (m *Muxed) TargetDuration() time.Duration { return m.main.rendition.TargetDuration() }

// maxMuxed bounds the segments of a playlist, which has no delta updates: about four hours of them.
const maxMuxed = 7200

// window returns the segments that are finished, sound included: those of the live window or as far back as there are.
func (m *Muxed) window(dvr bool) []*segment {
	segments := m.main.window(dvr)
	if m.sound == nil || len(segments) == 0 {
		return last(segments, maxMuxed)
	}
	sound := m.sound.window(true)
	if len(sound) == 0 {
		return nil
	}
	first := segments[0].msn
	from := min(max(0, sound[0].msn-first), int64(len(segments)))
	to := min(max(from, m.sound.next.MSN-first), int64(len(segments)))
	return last(segments[from:to], maxMuxed)
}

func last(segments []*segment, n int) []*segment { return segments[max(0, len(segments)-n):] }

// muxedTexts are the playlists of one state of the segments, live and DVR.
type muxedTexts struct {
	main, sound int64 // editions
	texts       [2]rendering
}

// muxedNow keeps the newest state's playlists, so that each is rendered once however many ask.
type muxedNow struct{ now atomic.Pointer[muxedTexts] }

func (n *muxedNow) texts(m *Muxed) *muxedTexts {
	t := &muxedTexts{main: m.main.edition}
	if m.sound != nil {
		t.sound = m.sound.edition
	}
	old := n.now.Load()
	if old != nil && old.main == t.main && old.sound == t.sound {
		return old
	}
	n.now.Store(t)
	return t
}

// Playlist returns the media playlist: plain HLS that players of protocol version 3 read.
// It fails with ErrNotReady while no segment is finished.
func (m *Muxed) Playlist(dvr bool) (Text, error) {
	form := 0
	if dvr {
		form = 1
	}
	text := m.texts.texts[form].get(func() Text { return m.render(dvr) })
	if text.Plain == nil {
		return Text{}, fmt.Errorf("rendition %s in MPEG-TS: %w", m.main.rendition.name, ErrNotReady)
	}
	return text, nil
}

func (m *Muxed) render(dvr bool) Text {
	segments := m.window(dvr)
	if len(segments) == 0 {
		return Text{}
	}
	p := m.main.head(segments)
	p.Version = 3
	for _, s := range segments {
		p.Segments = append(p.Segments, m3u8.Segment{
			Discontinuity: s.start.here, ProgramDateTime: m.main.timeOf(s.msn), Gap: s.gap, Duration: s.seconds(),
			URI: fmt.Sprintf("%d.ts", s.msn),
		})
	}
	return compressible(p.Append(nil))
}
