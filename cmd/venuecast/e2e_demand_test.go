//go:build cgo

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/transport/bus"
)

// patience is what an origin has with media that are still to be made, see transport/origin.
const patience = 4 * time.Second

// TestDemandCrossesNATS runs ingest, transcode and origin as processes of their own, and asks the origin for renditions on demand.
func TestDemandCrossesNATS(t *testing.T) {
	modules := installPlayers(t)
	needTool(t, "chromium")
	origin, roles := startRoles(t)
	live := origin + "live/cam/"
	awaitFeed(t, liveURL(origin, "cam"), 40*time.Second)
	t.Run("a cold segment is there in time", func(t *testing.T) {
		requireCold(t, live, "270p")
		requireFilled(t, live+"270p/")
		roles["origin"].await(t, "rendition on demand is there.* rendition=270p", patience)
	})
	t.Run("hls.js switches to a cold rendition and back", func(t *testing.T) {
		requireCold(t, live, "360p")
		result, err := play(t.Context(), modules, liveURL(origin, "cam"), 10500*time.Millisecond, "180", "360", "180")
		require.NoError(t, err)
		t.Logf("%+v; load average of the machine: %s", result, loadAverage())
		require.Contains(t, result.switches(), "180 360", "up")
		require.Contains(t, result.switches(), "360 180", "down")
		require.Greater(t, result.Advanced, 5.0, "half of the time at least, on a busy machine")
		for _, e := range result.Errors {
			require.False(t, e.Fatal, e.Details)
		}
		roles["origin"].await(t, "rendition on demand is there.* rendition=360p", patience)
	})
	for name, p := range roles {
		require.NotContains(t, p.text(), "slow consumer", name)
	}
}

// requireCold requires that a rendition's newest segment, which is listed, is not made. HEAD is no demand.
func requireCold(t *testing.T, live, rendition string) {
	t.Helper()
	newest := lastOf(t, fetch(t, live+"180p/index.m3u8?ll=0"))
	require.Equal(t, http.StatusServiceUnavailable, head(t, live+rendition+"/"+newest))
}

// requireFilled requires that the newest segment comes in time, and that what is filled fits what is made from then on.
func requireFilled(t *testing.T, base string) {
	t.Helper()
	began := time.Now()
	list := fetch(t, base+"index.m3u8?ll=0")
	first := lastOf(t, list)
	media := fetch(t, base+first)
	took := time.Since(began)
	t.Logf("%s was there after %v; load average of the machine: %s", first, took, loadAverage())
	require.Less(t, took, patience)

	var number int64
	_, err := fmt.Sscanf(first, "%d.m4s", &number)
	require.NoError(t, err)
	next := fmt.Sprintf("%d.m4s", number+1)
	require.Eventually(t, func() bool { return bytes.Contains(fetch(t, base+"index.m3u8?ll=0"), []byte(next)) }, 20*time.Second, 100*time.Millisecond)
	all := append(fetch(t, base+string(initSection.Find(list))), media...)
	file := filepath.Join(t.TempDir(), "joined.mp4")
	require.NoError(t, os.WriteFile(file, append(all, fetch(t, base+next)...), 0o600))
	require.Empty(t, complaints(t, ffTool(t, "ffmpeg"), "-v", "warning", "-xerror", "-i", file, "-f", "null", "-"))
	require.Len(t, shown(t, file, "v"), 2*48)
}

var (
	initSection = regexp.MustCompile(`init\.\w+\.mp4`)
	segmentName = regexp.MustCompile(`(?m)^\d+\.m4s$`)
)

// lastOf returns the name of the newest segment of a playlist.
func lastOf(t *testing.T, playlist []byte) string {
	t.Helper()
	names := segmentName.FindAll(playlist, -1)
	require.NotEmpty(t, names, "%s", playlist)
	return string(names[len(names)-1])
}

// head returns the status of an answer to HEAD.
func head(t *testing.T, url string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodHead, url, http.NoBody)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

// startRoles runs a camera of 640×360 and each role as a process of its own, on a NATS server of the test's.
func startRoles(t *testing.T) (origin string, roles map[string]*process) {
	t.Helper()
	server, err := bus.StartEmbedded(bus.EmbeddedOptions{Dir: filepath.Join(t.TempDir(), "nats"), MaxStoreBytes: 1 << 30})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	camera, address := freeAddress(t), freeAddress(t)
	startVenuecast(t, "camera", "--listen", camera, "--size", "640x360", "--bitrate", "600000").await(t, regexp.QuoteMeta(camera), 20*time.Second)
	file := filepath.Join(t.TempDir(), "venue.yaml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, `venue: test
data: %s
nats: {url: %q}
origin: {listen: %q, url: "http://%s", push_token: secret-of-the-test}
metrics: {listen: "127.0.0.1:0"}
feeds:
  - {id: cam, source: "rtsp://%s/camera", ladder: two}
ladders:
  two:
    video:
      - {name: 360p, height: 360, bitrate: 500k, preset: ultrafast, encode: on_demand}
      - {name: 270p, height: 270, bitrate: 350k, preset: ultrafast, encode: on_demand}
      - {name: 180p, height: 180, bitrate: 200k, preset: ultrafast}
`, t.TempDir(), server.URL(), address, address, camera), 0o600))
	roles = map[string]*process{}
	for _, role := range []string{"origin", "ingest", "transcode"} {
		roles[role] = startVenuecast(t, role, "-c", file)
	}
	for _, p := range roles {
		p.await(t, "venuecast is ready", 30*time.Second)
	}
	return "http://" + address + "/", roles
}
