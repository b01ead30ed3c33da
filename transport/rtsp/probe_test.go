package rtsp

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline/ingest"
)

func TestProbeReportsWhatTheCameraSends(t *testing.T) {
	cam := camera(t, ServerOptions{User: "venue", Password: "s3cret"})
	r, err := Probe(t.Context(), SourceOptions{URL: cam.URL()}, 200*time.Millisecond)
	require.NoError(t, err)
	require.Len(t, r.Tracks, 2)
	video, audio := r.Tracks[0], r.Tracks[1]
	require.Equal(t, "h264", video.Codec)
	require.Equal(t, "Baseline, level 3.0", video.Profile)
	require.Equal(t, [2]int{640, 360}, [2]int{video.Width, video.Height})
	require.Equal(t, "25", video.DeclaredRate)
	require.InDelta(t, 25, video.MeasuredRate, 0.01)
	require.Equal(t, 5, video.GOP)
	require.True(t, video.SetsInDescription && video.SetsSeen && video.SenderReports)
	require.InDelta(t, -3600, video.ClockOffset, 60)
	require.Positive(t, video.Kbps)
	require.Equal(t, [2]int{48000, 2}, [2]int{audio.SampleRate, audio.Channels})

	require.NotContains(t, r.String(), "s3cret")
	require.Contains(t, r.String(), "640×360")
	require.Contains(t, r.String(), "! video: the camera's clock is off by -3")
	text, err := json.Marshal(r)
	require.NoError(t, err)
	require.NotContains(t, string(text), "s3cret")
	var back Report
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, r, back)
}

func TestProbeReturnsTheErrorOfASessionThatFails(t *testing.T) {
	cam := camera(t, ServerOptions{User: "venue", Password: "s3cret"})
	_, err := Probe(t.Context(), SourceOptions{Name: "court-1", URL: "rtsp://" + cam.Addr().String() + "/camera"}, time.Minute)
	require.EqualError(t, err, "camera court-1: 401 Unauthorized: check user and password")
}

func TestProblemsSayWhatToMend(t *testing.T) {
	good := TrackReport{Kind: "video", Units: 100, SetsSeen: true, SenderReports: true, GOP: 50, MeasuredRate: 25, DeclaredRate: "25"}
	sound := TrackReport{Kind: "audio", Units: 100, SenderReports: true}
	require.Empty(t, problems([]TrackReport{good, sound}))
	for want, change := range map[string]func(v, a *TrackReport){
		"video: nothing came": func(v, _ *TrackReport) { v.Units = 0 },
		"audio: 3 packets were lost: use tcp, or look for the bottleneck":                          func(_, a *TrackReport) { a.LostPackets = 3 },
		"video: no RTCP sender reports: picture and sound are aligned by their arrival":            func(v, _ *TrackReport) { v.SenderReports = false },
		"no random access picture came: shorten the key frame interval to 1 or 2 s":                func(v, _ *TrackReport) { v.SetsSeen = false },
		"a key frame each 10.0 s: after a loss the picture is away that long; 1 or 2 s are better": func(v, _ *TrackReport) { v.GOP = 250 },
		"the stream says 25 pictures a second, 12.50 come":                                         func(v, _ *TrackReport) { v.MeasuredRate = 12.5 },
		"interlaced: set the camera to progressive":                                                func(v, _ *TrackReport) { v.Interlaced = true },
	} {
		v, a := good, sound
		change(&v, &a)
		require.Contains(t, problems([]TrackReport{v, a}), want)
	}
	require.Contains(t, problems([]TrackReport{good}), "no supported audio: the output will be silent")
}

func TestObservationTakesAnyTimes(t *testing.T) {
	o := observation{track: ingest.Track{Format: codecs.Format{Codec: codecs.H264}, ClockRate: 90000}}
	for _, at := range []uint32{1<<32 - 3600, 0, 7200, 3600, 10800} {
		o.unit(ingest.Unit{RTP: at, Data: []byte{1}})
	}
	r := o.report()
	require.True(t, r.Reordered)
	require.InDelta(t, 25, r.MeasuredRate, 0.001)
	require.NotPanics(t, func() { _ = (&observation{}).report() })
}
