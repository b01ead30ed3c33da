//go:build cgo

package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const testdata = "../../testdata"

// picture is what GStreamer's cameras show: cheap to encode, without B-pictures, a key frame each second.
const picture = "videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=25/1 ! " +
	"x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 bitrate=600 ! rtph264pay name=pay0 pt=96 config-interval=-1 "

// startGStreamer runs GStreamer's RTSP server, with Digest authentication when there is a user, and returns its address.
func startGStreamer(t *testing.T, user, password string, streams ...string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(freeAddress(t))
	require.NoError(t, err)
	script, err := filepath.Abs(filepath.Join(testdata, "servers/gst.py"))
	require.NoError(t, err)
	cmd := exec.Command(script, append([]string{port}, streams...)...)
	if user != "" {
		cmd.Env = append(os.Environ(), "USER_NAME="+user, "PASSWORD="+password)
	}
	start(t, cmd).await(t, "ready", 20*time.Second)
	return "127.0.0.1:" + port
}

// startVLC runs VLC's RTSP server, which speaks UDP only, on one of the bundled files and returns the URL.
func startVLC(t *testing.T, file string) string {
	t.Helper()
	dir := t.TempDir()
	long := filepath.Join(dir, "long.mp4")
	loop := exec.Command(ffTool(t, "ffmpeg"), "-v", "error", "-stream_loop", "100", "-i", filepath.Join(testdata, "media", file), "-c", "copy", long)
	out, err := loop.CombinedOutput()
	require.NoError(t, err, "%s", out)

	url := "rtsp://" + freeAddress(t) + "/vlc"
	args := []string{"cvlc", "-I", "dummy", "--no-dbus", "--no-sout-all", "--sout-keep", "--sout", "#rtp{sdp=" + url + "}", long}
	if os.Geteuid() == 0 { // VLC refuses to run as root
		args = append([]string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"}, args...)
		require.NoError(t, os.Chmod(dir, 0o755))
		require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
	}
	needTool(t, "cvlc")
	cmd := exec.Command(needTool(t, args[0]), args[1:]...)
	cmd.Env = append(os.Environ(), "HOME="+dir)
	cmd.Dir = dir
	start(t, cmd)
	return url
}

// freeAddress returns an address on which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	return l.Addr().String()
}

// startServe runs all roles on the given feeds, a line of YAML each, and returns the origin's URL.
func startServe(t *testing.T, feeds ...string) string {
	t.Helper()
	config := "venue: test\ndata: " + t.TempDir() + "\norigin: {listen: \"127.0.0.1:0\"}\nmetrics: {listen: \"127.0.0.1:0\"}\nfeeds:\n"
	for _, f := range feeds {
		config += "  - " + f + "\n"
	}
	config += `ladders:
  small:
    segment: 2s
    part: 320ms
    dvr: 1m
    video:
      - {name: 360p, height: 360, bitrate: 500k, preset: ultrafast}
      - {name: 180p, height: 180, bitrate: 200k, preset: ultrafast}
    audio:
      - {name: stereo, bitrate: 96k}
`
	file := filepath.Join(t.TempDir(), "venue.yaml")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	return startVenuecast(t, "serve", "-c", file).await(t, `venuecast is ready.* url=(\S+)`, 30*time.Second)
}

// feedLine returns a feed of the configuration.
func feedLine(id, source, transport string) string {
	return fmt.Sprintf("{id: %s, source: %q, transport: %s, ladder: small}", id, source, transport)
}
