package ladder_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline/ladder"
)

func ladderOf(heights ...int) ladder.Ladder {
	names := map[int]string{1080: "1080p", 720: "720p", 480: "480p", 360: "360p"}
	var l ladder.Ladder
	for _, h := range heights {
		l.Video = append(l.Video, ladder.Video{Name: names[h], Height: h})
	}
	return l
}

func TestLadderFitsItsSource(t *testing.T) {
	type size struct {
		name          string
		width, height int
	}
	for _, c := range []struct {
		name          string
		width, height int
		ladder        ladder.Ladder
		expected      []size
		leftOut       []string
	}{
		{
			"as large as the largest", 1920, 1080, ladderOf(1080, 720, 480),
			[]size{{"1080p", 1920, 1080}, {"720p", 1280, 720}, {"480p", 854, 480}},
			nil,
		},
		{
			"nothing is made larger", 1280, 720, ladderOf(1080, 720, 480),
			[]size{{"720p", 1280, 720}, {"480p", 854, 480}},
			[]string{"1080p"},
		},
		{
			"largest first", 1920, 1080, ladderOf(480, 1080, 720),
			[]size{{"1080p", 1920, 1080}, {"720p", 1280, 720}, {"480p", 854, 480}},
			nil,
		},
		{"smaller than all", 320, 180, ladderOf(720, 480, 360), []size{{"360p", 320, 180}}, []string{"720p", "480p"}},
		{"smaller than all, in any order", 320, 180, ladderOf(360, 720, 480), []size{{"360p", 320, 180}}, []string{"720p", "480p"}},
		{"odd and smaller than all", 351, 239, ladderOf(360), []size{{"360p", 352, 240}}, []string{}},
		{"portrait", 1080, 1920, ladderOf(720), []size{{"720p", 406, 720}}, nil},
		{"4:3", 704, 576, ladderOf(480), []size{{"480p", 586, 480}}, nil},
		{"a sliver", 1, 4000, ladderOf(360), []size{{"360p", 2, 360}}, nil},
		{"sound only", 1920, 1080, ladderOf(), nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := append([]ladder.Video(nil), c.ladder.Video...)
			resolved, leftOut := c.ladder.For(c.width, c.height)
			var got []size
			for _, v := range resolved.Video {
				got = append(got, size{v.Name, v.Width, v.Height})
			}
			require.Equal(t, c.expected, got)
			require.Equal(t, c.leftOut, leftOut)
			require.Equal(t, asked, c.ladder.Video, "the ladder that was asked for stays as it is")
		})
	}
}

func TestRenditionsKeepTheShapeOfTheSource(t *testing.T) {
	for height := 360; height <= 2160; height += 7 {
		width := height * 16 / 9
		resolved, _ := ladderOf(1080, 720, 480, 360).For(width, height)
		require.NotEmpty(t, resolved.Video)
		for _, v := range resolved.Video {
			require.Zero(t, v.Width%2)
			require.InDelta(t, float64(width)/float64(height), float64(v.Width)/float64(v.Height), 2/float64(v.Height))
		}
	}
}
