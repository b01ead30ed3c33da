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

// TestDemandCrossesNATS runs ingest, transcode and origin as processes of their own, and asks the origin for a rendition on demand.
func TestDemandCrossesNATS(t *testing.T) {
	origin, roles := startRoles(t, "{name: 360p, height: 360, bitrate: 500k, preset: ultrafast, encode: on_demand}")
	awaitFeed(t, liveURL(origin, "cam"), 40*time.Second)
	list := origin + "live/cam/360p/index.m3u8"
	require.Equal(t, http.StatusServiceUnavailable, head(t, sameSegment(t, origin+"live/cam/180p/", origin+"live/cam/360p/")),
		"HEAD is no demand: nothing of it is made")

	began := time.Now()
	media := fetch(t, list+"?ll=0")
	first := lastOf(t, media)
	picture := fetch(t, origin+"live/cam/360p/"+first)
	took := time.Since(began)
	t.Logf("%s was there after %v; load average of the machine: %s", first, took, loadAverage())
	require.Less(t, took, patience)
	roles["origin"].await(t, "rendition on demand is there", patience)

	// What is filled and what is made from then on fit together.
	var number int64
	_, err := fmt.Sscanf(first, "%d.m4s", &number)
	require.NoError(t, err)
	next := fmt.Sprintf("%d.m4s", number+1)
	require.Eventually(t, func() bool { return bytes.Contains(fetch(t, list+"?ll=0"), []byte(next)) }, 20*time.Second, 100*time.Millisecond)
	all := append(fetch(t, origin+"live/cam/360p/"+string(initSection.Find(media))), picture...)
	file := filepath.Join(t.TempDir(), "joined.mp4")
	require.NoError(t, os.WriteFile(file, append(all, fetch(t, origin+"live/cam/360p/"+next)...), 0o600))
	require.Empty(t, complaints(t, ffTool(t, "ffmpeg"), "-v", "warning", "-xerror", "-i", file, "-f", "null", "-"))
	require.Len(t, shown(t, file, "v"), 2*48)
	for name, p := range roles {
		require.NotContains(t, p.text(), "slow consumer", name)
	}
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

// sameSegment returns the address of one rendition's segment that another one has newest.
func sameSegment(t *testing.T, of, in string) string {
	t.Helper()
	return in + lastOf(t, fetch(t, of+"index.m3u8?ll=0"))
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

// startRoles runs a camera of 640×360 and each role as a process of its own, on a NATS server of the test's. The ladder has
// the given rendition and one of 180 lines.
func startRoles(t *testing.T, rendition string) (origin string, roles map[string]*process) {
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
      - %s
      - {name: 180p, height: 180, bitrate: 200k, preset: ultrafast}
`, t.TempDir(), server.URL(), address, address, camera, rendition), 0o600))
	roles = map[string]*process{}
	for _, role := range []string{"origin", "ingest", "transcode"} {
		roles[role] = startVenuecast(t, role, "-c", file)
	}
	for _, p := range roles {
		p.await(t, "venuecast is ready", 30*time.Second)
	}
	return "http://" + address + "/", roles
}
