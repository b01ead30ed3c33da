package lint

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/rules"
)

// newMuxedHouse returns a house that is watched in MPEG-TS.
func newMuxedHouse(t *testing.T) *house {
	h := newHouse(t)
	h.under, h.feed.Ladder.Container = "ts", ladder.MPEGTS
	return h
}

func TestALadderOfMPEGTSBreaksNoRule(t *testing.T) {
	for name, seed := range map[string]func(*house){"plain": func(*house) {}, "with a discontinuity": withDiscontinuity, "with a gap": withGap} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newMuxedHouse(t)
				seed(h)
				found := watched(t, h, twoWindows)
				require.Greater(t, h.seen[rules.MediaSegment], 2*15)
				require.Zero(t, h.seen[rules.PartialSegment])
				// Old players know no I-frame playlists; where they would point to can not be said before a segment is made.
				delete(found, "i-frame-playlist-missing")
				for id, list := range found {
					require.Empty(t, list[:1], "%s, %d times", id, len(list))
				}
			})
		})
	}
}

// inPacket changes packet n of the small rendition's faulty segment.
func inPacket(n int, change func(p []byte)) func(*house) {
	return onMedia(faulty(`\.ts`), func(a *answer) {
		data := []byte(a.body)
		change(data[n*188:][:188])
		a.body = string(data)
	})
}

func TestEveryFaultOfMPEGTSIsFoundByItsRule(t *testing.T) {
	for _, c := range []fault{
		{"a segment is cut off", onMedia(faulty(`\.ts`), func(a *answer) { a.body = a.body[:len(a.body)-10] }), []string{"ts-unreadable"}},
		{"a packet is no packet", inPacket(7, func(p []byte) { p[0] = 0 }), []string{"ts-unreadable"}},
		{"there is no PAT", onMedia(faulty(`\.ts`), func(a *answer) {
			a.body = strings.ReplaceAll(a.body, "\x47\x40\x00", "\x47\x5f\xff")
		}), []string{"ts-unreadable"}},
		{"the PAT comes late", inPacket(0, func(p []byte) { p[1], p[2] = 0x1f, 0xff }), []string{"ts-tables-late"}},
		{"a packet is missing", onMedia(faulty(`\.ts`), func(a *answer) { a.body = a.body[:188*9] + a.body[188*10:] }), []string{"ts-counter"}},
		{"a segment begins its counters anew", onMedia(faulty(`\.ts`), func(a *answer) {
			data := []byte(a.body)
			for i := 3; i < len(data); i += 188 {
				data[i] = data[i]&0xf0 | (data[i]+3)&0xf
			}
			a.body = string(data)
		}), []string{"ts-counter"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newMuxedHouse(t)
				c.seed(h)
				found := watched(t, h, c.during())
				for _, id := range c.want {
					require.NotEmpty(t, found[id], "found instead: %v", slices.Sorted(maps.Keys(found)))
				}
			})
		})
	}
}
