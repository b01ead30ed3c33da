package ladder_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
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
			resolved, leftOut := c.ladder.For(ladder.Source{Width: c.width, Height: c.height})
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
		resolved, _ := ladderOf(1080, 720, 480, 360).For(ladder.Source{Width: width, Height: height})
		require.NotEmpty(t, resolved.Video)
		for _, v := range resolved.Video {
			require.Zero(t, v.Width%2)
			require.InDelta(t, float64(width)/float64(height), float64(v.Width)/float64(v.Height), 2/float64(v.Height))
		}
	}
}

func TestColourAndDepthFollowFromTheSource(t *testing.T) {
	hlg := codecs.Colour{Primaries: 9, Transfer: 18, Matrix: 9}
	sd := codecs.Colour{Primaries: 5, Transfer: 6, Matrix: 5, FullRange: true}
	for _, c := range []struct {
		name   string
		source ladder.Source
		codec  codecs.Codec
		depth  int
		colour codecs.Colour
	}{
		{"HDR passes through to H.265", ladder.Source{Height: 1080, Depth: 10, Colour: hlg}, codecs.H265, 10, hlg},
		{"HDR is mapped for H.264", ladder.Source{Height: 1080, Depth: 10, Colour: hlg}, codecs.H264, 8, codecs.BT709},
		{"ten bits without HDR", ladder.Source{Height: 1080, Depth: 10, Colour: codecs.BT709}, codecs.H265, 10, codecs.BT709},
		{"HD that says nothing is BT.709", ladder.Source{Height: 720, Depth: 8}, codecs.H264, 8, codecs.BT709},
		{"SD that says nothing stays silent", ladder.Source{Height: 576, Depth: 8}, codecs.H264, 8, codecs.Colour{}},
		{"full range becomes limited", ladder.Source{Height: 576, Depth: 8, Colour: sd}, codecs.H264, 8, codecs.Colour{Primaries: 5, Transfer: 6, Matrix: 5}},
		{"a source of unknown depth", ladder.Source{Height: 1080}, codecs.H265, 8, codecs.BT709},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.source.Width = c.source.Height * 16 / 9
			resolved, _ := ladder.Ladder{Video: []ladder.Video{{Name: "v", Height: 360, Codec: c.codec}}}.For(c.source)
			require.Equal(t, c.depth, resolved.Video[0].Depth)
			require.Equal(t, c.colour, resolved.Video[0].Colour)
		})
	}
}
