package lint

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
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
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				c.seed(h)
				for id, list := range watched(t, h, twoWindows) {
					if !slices.Contains(c.but, id) {
						require.Empty(t, list[:1], "%s, %d times", id, len(list))
					}
				}
			})
		})
	}
}
