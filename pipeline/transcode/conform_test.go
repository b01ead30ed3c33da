package transcode

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

// picture is a codecs.Picture that knows its name and counts its references.
type picture struct {
	name string
	live *int
}

func newPicture(name string, live *int) *picture {
	*live++
	return &picture{name, live}
}

func (p *picture) Size() (int, int)       { return 640, 360 }
func (p *picture) Retain() codecs.Picture { return newPicture(p.name, p.live) }
func (p *picture) Release()               { *p.live-- }

// shown runs steps against a conform and returns what it showed, as "frame:picture".
func shown(t *testing.T, first int64, steps func(c *conform, shot func(name string) *shot)) (out []string, counts map[string]int64) {
	t.Helper()
	live, drawn, counts := 0, 0, map[string]int64{}
	newShotOf := func(name string) *shot { return newShot(newPicture(name, &live), 0) }
	c := &conform{
		slate: func() (*shot, error) { drawn++; return newShotOf("slate"), nil }, slateAfter: 3, next: first,
		count: func(reason string, n int64) { counts[reason] += n },
		show: func(frame int64, s *shot) error {
			out = append(out, fmt.Sprintf("%d:%s", frame, s.sizes[0].(*picture).name))
			return nil
		},
	}
	steps(c, newShotOf)
	counts["drawn"] = int64(drawn)
	c.close()
	require.Zero(t, live, "every picture is released")
	return out, counts
}

func TestEveryFrameNumberHasExactlyOnePicture(t *testing.T) {
	for _, c := range []struct {
		name  string
		first int64
		steps func(c *conform, shot func(string) *shot)
		want  []string
	}{
		{"plain", -1, func(c *conform, shot func(string) *shot) {
			require.NoError(t, c.picture(7, shot("a")))
			require.NoError(t, c.picture(8, shot("b")))
		}, []string{"7:a", "8:b"}},
		{"a hole is a repeat", -1, func(c *conform, shot func(string) *shot) {
			require.NoError(t, c.picture(7, shot("a")))
			require.NoError(t, c.picture(9, shot("c")))
		}, []string{"7:a", "8:a", "9:c"}},
		{"a doubled frame shows the first", -1, func(c *conform, shot func(string) *shot) {
			require.NoError(t, c.picture(7, shot("a")))
			require.NoError(t, c.picture(7, shot("b")))
		}, []string{"7:a"}},
		{"absence is repeats, then the slate", -1, func(c *conform, shot func(string) *shot) {
			require.NoError(t, c.picture(7, shot("a")))
			require.NoError(t, c.absent(8, 9))
			require.NoError(t, c.absent(8, 13))
			require.NoError(t, c.picture(13, shot("b")))
		}, []string{"7:a", "8:a", "9:a", "10:a", "11:slate", "12:slate", "13:b"}},
		{"a resumed worker shows the slate where the first did", 11, func(c *conform, shot func(string) *shot) {
			require.NoError(t, c.picture(7, shot("a")))
			require.NoError(t, c.absent(8, 12))
		}, []string{"11:slate"}},
		{"a resumed worker repeats what came before its first frame", 9, func(c *conform, shot func(string) *shot) {
			require.NoError(t, c.picture(7, shot("a")))
			require.NoError(t, c.picture(10, shot("b")))
		}, []string{"9:a", "10:b"}},
		{"a cold start in an absence begins with what is due", -1, func(c *conform, _ func(string) *shot) {
			require.NoError(t, c.absent(8, 100))
			require.NoError(t, c.absent(8, 102))
		}, []string{"100:slate", "101:slate"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _ := shown(t, c.first, c.steps)
			require.Equal(t, c.want, got)
		})
	}
}

func TestTheSlateIsThereOnlyWhileTheSourceIsAway(t *testing.T) {
	_, counts := shown(t, -1, func(c *conform, shot func(name string) *shot) {
		require.NoError(t, c.picture(7, shot("a")))
		require.NoError(t, c.absent(8, 10))
		require.Nil(t, c.drawn, "repeats need none")
		require.NoError(t, c.absent(8, 13))
		require.NoError(t, c.absent(8, 15))
		require.NotNil(t, c.drawn)
		require.NoError(t, c.picture(15, shot("b")))
		require.Nil(t, c.drawn)
		require.NoError(t, c.absent(16, 20))
	})
	require.EqualValues(t, 2, counts["drawn"], "once per absence")
}

func TestASlateThatCanNotBeDrawnIsAnError(t *testing.T) {
	failed := errors.New("no memory")
	c := &conform{next: 3, count: func(string, int64) {}, slate: func() (*shot, error) { return nil, failed }}
	require.ErrorIs(t, c.absent(3, 4), failed)
	c.close()
}

func TestLatePicturesAreCounted(t *testing.T) {
	_, counts := shown(t, -1, func(c *conform, shot func(string) *shot) {
		require.NoError(t, c.picture(7, shot("a")))
		require.NoError(t, c.absent(8, 10))
		require.NoError(t, c.picture(9, shot("late")))
	})
	require.EqualValues(t, 1, counts[reasonLate])
	require.EqualValues(t, 2, counts[reasonRepeat])
}

func TestRenditionsAreScaledFromOneTwiceAsLarge(t *testing.T) {
	var video []ladder.Video
	for _, size := range [][2]int{{1920, 1080}, {1280, 720}, {854, 480}, {640, 360}, {426, 240}, {320, 180}} {
		video = append(video, ladder.Video{Width: size[0], Height: size[1]})
	}
	require.Equal(t, []int{-1, 0, 0, 1, 2, 3}, cascade(video, func(int) bool { return false }))
	require.Equal(t, []int{-1, 0, 0, 0, 0, 3}, cascade(video, func(i int) bool { return i == 1 || i == 2 }), "those that are off are left out")
	require.Equal(t, -1, cascade(video, func(i int) bool { return i < 3 })[3], "the largest that is on comes from the source")
}

func TestTenBitsAreNeverScaledFromEight(t *testing.T) {
	video := []ladder.Video{
		{Width: 1920, Height: 1080, Depth: 8}, {Width: 1280, Height: 720, Depth: 10}, {Width: 640, Height: 360, Depth: 8}, {Width: 320, Height: 180, Depth: 10},
	}
	require.Equal(t, []int{-1, -1, 1, 1}, cascade(video, func(int) bool { return false }))
}
