package lint

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline/rules"
)

// twoWindows is more than two lengths of the playlist: what shows when a tag or segment leaves is seen.
const twoWindows = 5 * window / 2

func TestALadderThatIsRightBreaksNoRule(t *testing.T) {
	for _, c := range []struct {
		name string
		seed func(*house)
		but  []string // rules that it may break
	}{
		{"plain", func(*house) {}, nil},
		// It gets a picture of another size, which RESOLUTION cannot say any more.
		{"with a discontinuity", withDiscontinuity, []string{"resolution-wrong"}},
		// The first part after the gap brings those missing with it.
		{"with a gap", withGap, []string{"part-late", "renditions-apart"}},
		{"with events", withEvents, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				c.seed(h)
				found := watched(t, h, twoWindows)
				parts := int(3 * twoWindows / (320 * time.Millisecond))
				segments := int(2 * twoWindows / h.feed.Grid.Step()) // of video, each with an I-frame
				require.InDelta(t, parts+segments, h.seen[rules.MediaPlaylist], 30)
				require.InDelta(t, segments, h.seen[rules.Picture], 10)
				require.InDelta(t, parts, h.seen[rules.PartialSegment], 40)
				require.Greater(t, h.seen[rules.MediaSegment], 3*15)
				for _, kind := range []rules.Kind{rules.InitSection, rules.Hint, rules.Again, rules.Removed, rules.Probe} {
					require.Greater(t, h.seen[kind], 2, kind)
				}
				for id, list := range found {
					if !slices.Contains(c.but, id) {
						require.Empty(t, list[:1], "%s, %d times", id, len(list))
					}
				}
			})
		})
	}
}
