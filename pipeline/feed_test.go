package pipeline_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

func newFeed(t *testing.T) pipeline.Feed {
	t.Helper()
	now := codecs.TicksAt(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	g, err := grid.New(codecs.Rational{Num: 25, Den: 1}, 2*time.Second, 320*time.Millisecond, now)
	require.NoError(t, err)
	video := []ladder.Video{{Name: "720p", Width: 1280, Height: 720, Bitrate: 3_000_000, Codec: codecs.H264, Divisor: 1}}
	return pipeline.Feed{
		ID:     "stage-left",
		Grid:   g,
		Ladder: ladder.Ladder{Segment: 2 * time.Second, Part: 320 * time.Millisecond, Latency: ladder.LatencyNormal, Video: video},
	}
}

func TestFeedTravelsAsJSONUnchanged(t *testing.T) {
	f := newFeed(t)
	data, err := json.Marshal(f)
	require.NoError(t, err)
	var got pipeline.Feed
	require.NoError(t, json.Unmarshal(data, &got))
	require.Equal(t, f, got)
	require.NoError(t, got.Validate())
}

func TestFeedsFromOutsideAreChecked(t *testing.T) {
	for name, change := range map[string]func(*pipeline.Feed){
		"no name":       func(f *pipeline.Feed) { f.ID = "" },
		"a subject":     func(f *pipeline.Feed) { f.ID = "feed.*" },
		"a path":        func(f *pipeline.Feed) { f.ID = "../etc" },
		"no renditions": func(f *pipeline.Feed) { f.Ladder.Video = nil },
		"no grid":       func(f *pipeline.Feed) { f.Grid = grid.Grid{} },
		"a passthrough of nothing": func(f *pipeline.Feed) {
			f.Passthrough = &pipeline.Passthrough{Rendition: "1080p", ParameterSets: []byte{1}}
		},
		"a passthrough without sets": func(f *pipeline.Feed) { f.Passthrough = &pipeline.Passthrough{Rendition: "720p"} },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFeed(t)
			change(&f)
			require.Error(t, f.Validate())
		})
	}
}

func TestSoundAloneIsAFeed(t *testing.T) {
	f := newFeed(t)
	f.Ladder.Video, f.Ladder.Audio = nil, []ladder.Audio{{Name: "stereo", Bitrate: 128_000}}
	require.NoError(t, f.Validate())
}

func TestIDsAreSafeInSubjectsPathsAndLabels(t *testing.T) {
	for _, id := range []string{"a", "stage-left", "Cam_01", strings.Repeat("x", 64)} {
		require.True(t, pipeline.ValidID(id), id)
	}
	for _, id := range []string{"", ".", "..", "a.b", "a/b", `a\b`, "a b", "a*", "a>", "é", "a\x00", "a\n", strings.Repeat("x", 65)} {
		require.False(t, pipeline.ValidID(id), "%q", id)
	}
}

func TestPositionsAreOrderedBySegmentThenPart(t *testing.T) {
	ordered := []pipeline.Position{{MSN: 1, Part: 0}, {MSN: 1, Part: 5}, {MSN: 2, Part: 0}, {MSN: 2, Part: 1}}
	for i, p := range ordered {
		for j, q := range ordered {
			require.Equal(t, i < j, p.Less(q), "%v, %v", p, q)
		}
	}
}
