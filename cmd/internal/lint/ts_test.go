package lint

import (
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
