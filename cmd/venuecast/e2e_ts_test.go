//go:build cgo

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
)

// TestMPEGTSIsTheSameMediaToOtherReaders runs the whole way from a camera of 29.97 pictures a second, on which sound and pictures
// never begin together, through an encoder with B-pictures, and holds what ffmpeg reads of it against the CMAF media.
func TestMPEGTSIsTheSameMediaToOtherReaders(t *testing.T) {
	camera := freeAddress(t)
	startVenuecast(t, "camera", "--listen", camera, "--size", "320x180", "--fps", "29.97", "--bitrate", "300000").
		await(t, regexp.QuoteMeta(camera), 20*time.Second)
	config := filepath.Join(t.TempDir(), "venue.yaml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `venue: test
data: %s
origin: {listen: "127.0.0.1:0"}
metrics: {listen: "127.0.0.1:0"}
feeds:
  - {id: cam, source: "rtsp://%s/camera", ladder: old}
ladders:
  old:
    container: ts
    video: [{name: 180p, height: 180, bitrate: 200k, preset: superfast}]
`, t.TempDir(), camera), 0o600))
	origin := startVenuecast(t, "serve", "-c", config).await(t, `venuecast is ready.* url=(\S+)`, 30*time.Second)
	awaitFeed(t, origin+"ts/cam/180p/index.m3u8", 40*time.Second)

	var numbers []string
	require.Eventually(t, func() bool {
		playlist := string(fetch(t, origin+"ts/cam/180p/index.m3u8"))
		numbers = regexp.MustCompile(`(?m)^\d+`).FindAllString(playlist, -1)
		return len(numbers) >= 4
	}, time.Minute, 500*time.Millisecond)
	numbers = numbers[1:4] // what comes first may be the slate
	var muxed, pictures, sound []byte
	for _, n := range numbers {
		muxed = append(muxed, fetch(t, origin+"ts/cam/180p/"+n+".ts")...)
		pictures = append(pictures, fetch(t, origin+"live/cam/180p/"+n+".m4s")...)
		sound = append(sound, fetch(t, origin+"live/cam/stereo/"+n+".m4s")...)
	}
	file := filepath.Join(t.TempDir(), "muxed.ts")
	require.NoError(t, os.WriteFile(file, muxed, 0o600))

	require.Empty(t, complaints(t, ffTool(t, "ffmpeg"), "-v", "warning", "-xerror", "-i", file, "-map", "0", "-f", "null", "-"))
	requireShown(t, shown(t, file, "v"), pictures, 90000)
	requireShown(t, shown(t, file, "a"), sound, 48000)
}

func fetch(t *testing.T, url string) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode, "%s: %s", url, body)
	return body
}

// complaints returns what a program says on standard error.
func complaints(t *testing.T, name string, args ...string) string {
	t.Helper()
	var complained bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stderr = &complained
	require.NoError(t, cmd.Run(), complained.String())
	return complained.String()
}

// shown returns when ffprobe says that the packets of a stream are shown, in units of 1/90000 s.
func shown(t *testing.T, file, stream string) []int64 {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), ffTool(t, "ffprobe"), "-v", "error", "-select_streams", stream, "-show_entries", "packet=pts", "-of", "json", file)
	out, err := cmd.Output()
	require.NoError(t, err)
	var read struct {
		Packets []struct {
			PTS int64 `json:"pts"`
		} `json:"packets"`
	}
	require.NoError(t, json.Unmarshal(out, &read), string(out))
	times := make([]int64, len(read.Packets))
	for i, p := range read.Packets {
		times[i] = p.PTS
	}
	return times
}

// requireShown requires that samples are shown when their media say, modulo 33 bits, to a tenth of a millisecond.
func requireShown(t *testing.T, have []int64, media []byte, timescale int64) {
	t.Helper()
	fragments, err := cmaf.ParseFragments(media)
	require.NoError(t, err)
	var want []int64
	for _, f := range fragments {
		at := int64(f.BaseTime)
		for _, s := range f.Samples {
			want = append(want, codecs.MulDivRound(at+int64(s.CompositionOffset), codecs.TicksPerSecond, timescale))
			at += int64(s.Duration)
		}
	}
	require.Len(t, have, len(want))
	require.Greater(t, len(want), 100)
	for i := range want {
		const turn = 1 << 33
		off := ((have[i]-want[i])%turn + turn + turn/2) % turn
		require.InDelta(t, turn/2, off, 9, "sample %d", i)
	}
}
