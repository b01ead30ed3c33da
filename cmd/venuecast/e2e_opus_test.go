//go:build cgo

package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs/cmaf"
)

// TestOpusSoundsAsAACDoesToOtherReaders runs the whole way from a camera that beeps, to a ladder with both codecs, and holds what
// ffmpeg hears of one against what it hears of the other; and a clip with Opus against the pictures beside it.
func TestOpusSoundsAsAACDoesToOtherReaders(t *testing.T) {
	t.Parallel()
	camera := freeAddress(t)
	startVenuecast(t, "camera", "--listen", camera, "--size", "320x180", "--bitrate", "300000").
		await(t, regexp.QuoteMeta(camera), 20*time.Second)
	config := filepath.Join(t.TempDir(), "venue.yaml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `venue: test
data: %s
origin: {listen: "127.0.0.1:0", push_token: for-tests-only}
metrics: {listen: "127.0.0.1:0"}
feeds:
  - {id: cam, source: "rtsp://%s/camera", ladder: both}
ladders:
  both:
    segment: 1s
    video: [{name: 180p, height: 180, bitrate: 200k, preset: superfast}]
    audio: [{name: opus, codec: opus, language: en}, {name: aac, language: en}]
`, t.TempDir(), camera), 0o600))
	origin := startVenuecast(t, "serve", "-c", config).await(t, `venuecast is ready.* url=(\S+)`, 30*time.Second)
	awaitFeed(t, liveURL(origin, "cam"), 40*time.Second)

	var numbers, times [][]byte
	require.Eventually(t, func() bool {
		playlist := fetch(t, origin+"live/cam/opus/index.m3u8")
		numbers = regexp.MustCompile(`(?m)^\d+\.m4s`).FindAll(playlist, -1)
		times = regexp.MustCompile(`PROGRAM-DATE-TIME:(\S+)`).FindAll(playlist, -1)
		return len(numbers) > 4
	}, time.Minute, 500*time.Millisecond)

	opus, aac := heard(t, origin+"live/cam/opus/", numbers[1:4]), heard(t, origin+"live/cam/aac/", numbers[1:4])
	require.Len(t, opus, len(aac), "at 25 pictures, 45 frames of one are 48 of the other")
	require.Greater(t, loudness(aac), 0.02, "the camera beeps")
	// What the decoders put out first has nothing before it.
	require.Equal(t, 0, shift(aac[4800:], opus[4800:]), "samples by which Opus is late")

	got, err := probe(t.Context(), ffTool(t, "ffprobe"), origin+"live/cam/opus/index.m3u8")
	require.NoError(t, err)
	require.Equal(t, probed{Codec: "opus", Rate: "48000"}, got)

	from := string(bytes.TrimPrefix(times[1], []byte("PROGRAM-DATE-TIME:")))
	start, err := time.Parse(time.RFC3339Nano, from)
	require.NoError(t, err)
	clip := clipOf(t, origin, start.Add(400*time.Millisecond), start.Add(2500*time.Millisecond))
	require.Empty(t, complaints(t, ffTool(t, "ffmpeg"), "-v", "warning", "-xerror", "-i", clip, "-map", "0", "-f", "null", "-"))
	cut := pcm(t, clip)
	require.InDelta(t, 2.1*48000, len(cut), 960)
	begin := 48000 * 4 / 10
	require.Equal(t, 0, shift(opus[begin:begin+len(cut)-960], cut), "samples by which the clip is late")
}

// heard returns the samples that ffmpeg hears of segments.
func heard(t *testing.T, rendition string, segments [][]byte) []float64 {
	t.Helper()
	playlist := fetch(t, rendition+"index.m3u8")
	data := fetch(t, rendition+string(regexp.MustCompile(`MAP:URI="([^"]+)`).FindSubmatch(playlist)[1]))
	samples := 0
	for _, s := range segments {
		media := fetch(t, rendition+string(s))
		fragments, err := cmaf.ParseFragments(media)
		require.NoError(t, err)
		for _, f := range fragments {
			samples += int(f.Duration())
		}
		data = append(data, media...)
	}
	file := filepath.Join(t.TempDir(), "sound.mp4")
	require.NoError(t, os.WriteFile(file, data, 0o600))
	out := pcm(t, file)
	require.Len(t, out, samples, "a decoder leaves nothing out")
	return out
}

// pcm returns the samples of a file's sound, as one channel.
func pcm(t *testing.T, file string) []float64 {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), ffTool(t, "ffmpeg"), "-v", "error", "-i", file, "-vn", "-ac", "1", "-f", "s16le", "-").Output()
	require.NoError(t, err)
	samples := make([]float64, len(out)/2)
	for i := range samples {
		samples[i] = float64(int16(binary.LittleEndian.Uint16(out[2*i:]))) / (1 << 15)
	}
	return samples
}

func loudness(samples []float64) float64 {
	sum := 0.0
	for _, s := range samples {
		sum += s * s
	}
	return math.Sqrt(sum / float64(len(samples)))
}

// shift returns by how many samples, up to 100, b is later than a: where they differ least.
func shift(a, b []float64) (best int) {
	const most = 100
	least := math.Inf(1)
	n := min(len(a), len(b)) - most
	for by := -most; by <= most; by++ {
		sum := 0.0
		for i := most; i < n; i++ {
			sum += (a[i] - b[i+by]) * (a[i] - b[i+by])
		}
		if sum < least {
			best, least = by, sum
		}
	}
	return best
}

// clipOf asks for a clip and returns its file.
func clipOf(t *testing.T, origin string, from, to time.Time) string {
	t.Helper()
	asked, err := json.Marshal(map[string]any{"feed": "cam", "from": from, "to": to})
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, origin+"api/v1/clips", bytes.NewReader(asked))
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer for-tests-only")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Less(t, response.StatusCode, 300)
	var clips struct {
		Clips []struct{ State, URL, Error string }
	}
	require.Eventually(t, func() bool {
		require.NoError(t, json.Unmarshal(fetch(t, origin+"api/v1/clips"), &clips))
		require.Len(t, clips.Clips, 1)
		require.Empty(t, clips.Clips[0].Error)
		return clips.Clips[0].State == "ready"
	}, 30*time.Second, 200*time.Millisecond)
	file := filepath.Join(t.TempDir(), "clip.mp4")
	at, err := response.Request.URL.Parse(clips.Clips[0].URL)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, fetch(t, at.String()), 0o600))
	return file
}
