//go:build cgo

package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/cmd/internal/watch"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/transport/bus"
)

// venueFile is a configuration that a test changes while serve runs.
type venueFile struct {
	*testing.T
	path, data string
}

// write makes the file list these feeds.
func (v venueFile) write(feeds ...string) {
	v.Helper()
	text := "data: " + v.data + "\norigin: {listen: \"127.0.0.1:0\"}\nmetrics: {listen: \"127.0.0.1:0\"}\nfeeds:\n"
	for _, f := range feeds {
		text += "  - " + f + "\n"
	}
	text += `ladders:
  small:
    video:
      - {name: 360p, height: 360, bitrate: 500k, preset: ultrafast}
      - {name: 180p, height: 180, bitrate: 200k, preset: ultrafast}
  tiny: {video: [{name: 180p, height: 180, bitrate: 200k, preset: ultrafast}]}
`
	require.NoError(v, os.WriteFile(v.path, []byte(text), 0o600))
}

// TestFeedsComeAndGoWhileOthersDoNotNotice sends SIGHUP to serve, and watches all the time a camera that has no part in it.
func TestFeedsComeAndGoWhileOthersDoNotNotice(t *testing.T) {
	camera := freeAddress(t)
	startVenuecast(t, "camera", "--listen", camera, "--size", "640x360", "--bitrate", "600000").await(t, regexp.QuoteMeta(camera), 20*time.Second)
	feed := func(id, more string) string {
		return fmt.Sprintf("{id: %s, source: \"rtsp://%s/camera\", ladder: %s}", id, camera, cmp.Or(more, "small"))
	}
	file := venueFile{t, filepath.Join(t.TempDir(), "venue.yaml"), t.TempDir()}
	file.write(feed("court-1", ""))
	serve := startVenuecast(t, "serve", "-c", file.path)
	metrics := serve.await(t, `venuecast is ready.* metrics=(\S+)`, 30*time.Second)
	origin := serve.await(t, `venuecast is ready.* url=(\S+)`, time.Second)
	awaitFeed(t, liveURL(origin, "court-1"), 40*time.Second)

	began := time.Now()
	watcher := watch.New(watch.Options{URL: liveURL(origin, "court-1")})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var watching pipeline.Group
	watching.Start(ctx, watcher, func(err error) { require.NoError(t, err) })

	file.write(feed("court-1", "small, priority: 3"), feed("court-2", ""))
	serve.hangUp(t)
	serve.await(t, `configuration is applied" added=\[court-2\] removed=\[\] changed=\[court-1\] unchanged=0`, 5*time.Second)
	awaitFeed(t, liveURL(origin, "court-2"), 20*time.Second)
	require.Len(t, serve.children(t), 2)
	require.NotEmpty(t, seriesOf(get(t, metrics), "court-2"))

	file.write(feed("court-1", ""), `{id: court-3, source: "http://10.0.0.1/x"}`, "{}")
	serve.hangUp(t)
	serve.await(t, `configuration is refused, nothing is changed" mistake=\S+venue.yaml:6:27: source begins with http`, 5*time.Second)
	serve.await(t, `configuration is refused, nothing is changed" mistake=\S+venue.yaml:7:5: the feed needs id and source`, time.Second)

	before := serve.count(`camera is there" feed=court-2`)
	first := lastSegment(t, get(t, origin+"live/court-2/180p/index.m3u8?ll=0"))
	file.write(feed("court-1", "small, priority: 3"), feed("court-2", "small, transport: udp"))
	serve.hangUp(t)
	serve.await(t, `configuration is applied" added=\[\] removed=\[\] changed=\[court-2\] unchanged=1`, 5*time.Second)
	require.Eventually(t, func() bool { return serve.count(`camera is there" feed=court-2`) > before }, 5*time.Second, 50*time.Millisecond)
	require.Eventually(t, func() bool {
		return lastSegment(t, get(t, origin+"live/court-2/180p/index.m3u8?ll=0")) >= first+2
	}, 10*time.Second, 100*time.Millisecond)
	require.NotContains(t, get(t, origin+"live/court-2/180p/index.m3u8?ll=0"), "#EXT-X-DISCONTINUITY\n", "its playlist goes on")

	file.write(feed("court-1", "small, priority: 3"), feed("court-2", "tiny, transport: udp"))
	serve.hangUp(t)
	serve.await(t, "feed is defined\" feed=court-2 .*renditions=2", 10*time.Second)
	serve.await(t, "running it again\" role=transcode feed=court-2 error=\"the feed is described otherwise than before", 10*time.Second)
	require.Eventually(t, func() bool { return check(t.Context(), origin+"live/court-2/360p/index.m3u8") != nil }, 10*time.Second, 100*time.Millisecond)
	awaitFeed(t, liveURL(origin, "court-2"), 20*time.Second)
	require.Greater(t, lastSegment(t, get(t, origin+"live/court-2/180p/index.m3u8?ll=0")), first+1, "numbers go on")

	file.write(feed("court-1", "small, priority: 3"))
	serve.hangUp(t)
	serve.await(t, `configuration is applied" added=\[\] removed=\[court-2\] changed=\[\] unchanged=1`, 5*time.Second)
	require.Eventually(t, func() bool { return len(serve.children(t)) == 1 }, 8*time.Second, 100*time.Millisecond)
	require.Eventually(t, func() bool { return len(seriesOf(get(t, metrics), "court-2")) == 0 }, 3*time.Second, 100*time.Millisecond)
	for _, line := range []string{
		"venuecast_worker_feeds 1", `venuecast_config_reloads_total{result="applied"} 4`, `venuecast_config_reloads_total{result="refused"} 1`,
	} {
		require.Contains(t, get(t, metrics), "\n"+line+"\n")
	}
	require.Eventually(t, func() bool { return time.Since(began) > 12*time.Second }, 12*time.Second, 100*time.Millisecond)

	watched := time.Since(began)
	stop()
	watching.Wait()
	requireClean(t, watcher.Report(), watched)
	require.Equal(t, 1, serve.count(`camera is there" feed=court-1`), "it has the same session still")
	require.Equal(t, 1, serve.count(`feed is claimed" role=ingest feed=court-1`))
	require.Equal(t, 1, serve.count(`feed is claimed" role=transcode feed=court-1`))
	require.Zero(t, serve.count("at a restart only"))
}

// TestAFeedIsGoneWhenAllIngestsWereTold runs two ingests that stand by for each other, and takes a feed out of one file after the other.
func TestAFeedIsGoneWhenAllIngestsWereTold(t *testing.T) {
	server, err := bus.StartEmbedded(bus.EmbeddedOptions{Dir: filepath.Join(t.TempDir(), "nats"), MaxStoreBytes: 1 << 30})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	_, registry := connectTo(t, server)
	camera := freeAddress(t)
	startVenuecast(t, "camera", "--listen", camera, "--size", "320x180", "--bitrate", "300000").await(t, regexp.QuoteMeta(camera), 20*time.Second)

	dir := t.TempDir()
	write := func(name string, ids ...string) (file string) {
		text := fmt.Sprintf("nats: {url: %q}\nmetrics: {listen: \"127.0.0.1:0\"}\nworker: {name: %s}\nfeeds:\n", server.URL(), name)
		for _, id := range ids {
			text += fmt.Sprintf("  - {id: %s, source: \"rtsp://%s/camera\", standby: warm}\n", id, camera)
		}
		file = filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		return file
	}
	listed := func(there, retired []string) {
		t.Helper()
		require.Eventually(t, func() bool {
			feeds, gone, err := registry.Feeds(t.Context())
			ids := []string{}
			for _, f := range feeds {
				ids = append(ids, f.ID)
			}
			return err == nil && slices.Equal(ids, there) && slices.Equal(gone, retired)
		}, 15*time.Second, 50*time.Millisecond, "want %v, and %v retired", there, retired)
	}
	first := startVenuecast(t, "ingest", "-c", write("first", "leaves", "stays"))
	first.await(t, "feed is claimed.* feed=stays", 30*time.Second)
	listed([]string{"leaves", "stays"}, nil)
	second := startVenuecast(t, "ingest", "-c", write("second", "leaves", "stays"))
	second.await(t, `camera is there" feed=leaves`, 30*time.Second)

	write("first", "stays")
	first.hangUp(t)
	first.await(t, `feed is retired" role=ingest feed=leaves`, 10*time.Second)
	second.await(t, "feed is claimed.* feed=leaves", 10*time.Second)
	listed([]string{"leaves", "stays"}, nil)
	write("second", "stays")
	second.hangUp(t)
	second.await(t, `feed is retired" role=ingest feed=leaves`, 10*time.Second)
	listed([]string{"stays"}, []string{"leaves"})
	require.Zero(t, second.count("feed is claimed.* feed=stays"))
	require.Equal(t, 1, first.count(`camera is there" feed=stays`))
}

// TestRolesWithoutFeedsOutliveSIGHUP sends it to an origin.
func TestRolesWithoutFeedsOutliveSIGHUP(t *testing.T) {
	file := filepath.Join(t.TempDir(), "venue.yaml")
	require.NoError(t, os.WriteFile(file, []byte("data: "+t.TempDir()+"\norigin: {listen: \"127.0.0.1:0\", push_token: secret-of-the-test}\nmetrics: {listen: \"127.0.0.1:0\"}\n"), 0o600))
	origin := startVenuecast(t, "origin", "-c", file)
	metrics := origin.await(t, `venuecast is ready.* metrics=(\S+)`, 30*time.Second)
	for range 2 {
		origin.hangUp(t)
		origin.await(t, "SIGHUP is ignored: this role takes no feeds from the configuration", 5*time.Second)
	}
	require.NotEmpty(t, get(t, metrics), "it is alive")
}

// seriesOf returns the series of a feed but for the origin's, which has its past still.
func seriesOf(metrics, feed string) (series []string) {
	for line := range strings.Lines(metrics) {
		if strings.Contains(line, `feed="`+feed+`"`) && !strings.HasPrefix(line, "venuecast_origin_") {
			series = append(series, line)
		}
	}
	return series
}

// children returns the processes that a process has started.
func (p *process) children(t *testing.T) (pids []string) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	for _, file := range stats {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended meanwhile
		}
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]) // state, parent, …
		if len(fields) > 1 && string(fields[1]) == strconv.Itoa(p.cmd.Process.Pid) {
			pids = append(pids, filepath.Base(filepath.Dir(file)))
		}
	}
	return pids
}
