//go:build cgo

package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/cmd/internal/bench"
	"github.com/venuecast/venuecast/cmd/internal/watch"
	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/pipeline/capacity"
	"github.com/venuecast/venuecast/pipeline/ladder"
)

// What a feed of low priority costs here: slow presets make an overload of pictures that are cheap otherwise.
var heavy = []ladder.Video{
	{Name: "540p", Width: 960, Height: 540, Bitrate: 2_000_000, Codec: codecs.H264, Preset: "slow"},
	{Name: "360p", Width: 640, Height: 360, Bitrate: 800_000, Codec: codecs.H264, Preset: "slow"},
	{Name: "180p", Width: 320, Height: 180, Bitrate: 300_000, Codec: codecs.H264, Preset: "slow"},
}

// TestAThreefoldOverloadLeavesTheHighestPriorityWhole runs a worker on one processor with feeds that would take three. With
// OVERLOAD=full, as `make overload` does it, it then ends the cameras of all but the most important one, so that there is room
// again, and waits until all is made again.
func TestAThreefoldOverloadLeavesTheHighestPriorityWhole(t *testing.T) {
	needTool(t, "taskset")
	needTool(t, "timeout")
	rate, err := bench.MeasureRate(t.Context(), codecs.H264, "libx264", "veryfast", 300*time.Millisecond)
	require.NoError(t, err)
	cost := capacity.PixelsOf(ladder.Ladder{Video: heavy}, 25)
	feeds := max(2, int(math.Ceil(3*rate.Processor/cost)))
	t.Logf("%d feeds that cost %.1f times what a processor encodes; load average of the machine: %s",
		feeds, float64(feeds)*cost/rate.Processor, loadAverage())

	small, large := freeAddress(t), freeAddress(t)
	startVenuecast(t, "camera", "--listen", small, "--size", "640x360")
	const loaded = 45 * time.Second
	cameras := start(t, exec.Command("timeout", "--preserve-status", strconv.Itoa(int(loaded.Seconds())), "venuecast", "camera", "--listen", large, "--size", "960x540"))
	serve := startOverloaded(t, small, large, feeds)
	w := &overloaded{T: t, metrics: serve.await(t, `venuecast is ready.* metrics=(\S+)`, 40*time.Second)}
	origin := serve.await(t, `venuecast is ready.* url=(\S+)`, time.Second)
	awaitFeed(t, liveURL(origin, "high"), 40*time.Second)

	watcher := watch.New(watch.Options{URL: liveURL(origin, "high")})
	require.NoError(t, limited(watcher, watchFor).Run(t.Context()))
	t.Run("others give way", func(t *testing.T) {
		require.Positive(t, w.sum(`venuecast_overload_degraded_renditions`, `low-`))
		requireGaps(t, origin, serve.text())
	})
	t.Run("the highest priority is whole", func(t *testing.T) {
		requireClean(t, watcher.Report(), watchFor)
		require.Zero(t, w.sum(`venuecast_overload_steps_total`, `"high"`))
		require.Zero(t, w.sum(`venuecast_overload_released_total`, `"high"`))
		requireEveryPicture(t, origin+"live/high/360p/")
		requireEveryPicture(t, origin+"live/high/180p/")
	})
	if os.Getenv("OVERLOAD") != "full" {
		return
	}
	t.Run("what gave way comes back", func(t *testing.T) {
		<-cameras.ended
		late := w.sum(`venuecast_overload_steps_total`, `reason="late"`)
		w.await(12*time.Minute, func() bool { return w.sum(`venuecast_overload_degraded_renditions`, ``) == 0 })
		require.Equal(t, late, w.sum(`venuecast_overload_steps_total`, `reason="late"`), "nothing was taken back and forth")
		require.Zero(t, w.sum(`venuecast_overload_steps_total`, `"high"`))
	})
}

// startOverloaded runs all roles on one processor. It takes every feed, for it is told that it has room.
func startOverloaded(t *testing.T, small, large string, feeds int) *process {
	t.Helper()
	var config strings.Builder
	fmt.Fprintf(&config, "venue: test\ndata: %s\norigin: {listen: \"127.0.0.1:0\"}\nmetrics: {listen: \"127.0.0.1:0\"}\n", t.TempDir())
	fmt.Fprintf(&config, "worker: {capacity: 1000000M}\nfeeds:\n  - {id: high, source: \"rtsp://%s/camera\", priority: 1, ladder: light}\n", small)
	for i := range feeds {
		fmt.Fprintf(&config, "  - {id: low-%d, source: \"rtsp://%s/camera\", ladder: heavy}\n", i, large)
	}
	config.WriteString("ladders:\n  light: {video: [{name: 360p, height: 360, bitrate: 500k}, {name: 180p, height: 180, bitrate: 200k}]}\n  heavy:\n    video:\n")
	for _, v := range heavy {
		fmt.Fprintf(&config, "      - {name: %s, height: %d, bitrate: %d, preset: %s}\n", v.Name, v.Height, v.Bitrate, v.Preset)
	}
	file := filepath.Join(t.TempDir(), "venue.yaml")
	require.NoError(t, os.WriteFile(file, []byte(config.String()), 0o600))
	return start(t, exec.Command("taskset", "-c", lastProcessor(t), "venuecast", "serve", "-c", file))
}

// lastProcessor returns the number of the last one that this process may use.
func lastProcessor(t *testing.T) string {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	last := 0
	for name := range allowed(string(status)) {
		n, err := strconv.Atoi(strings.TrimPrefix(name, "cpu"))
		require.NoError(t, err)
		last = max(last, n)
	}
	return strconv.Itoa(last)
}

// overloaded is the metrics of a worker.
type overloaded struct {
	*testing.T
	metrics string
}

// sum adds up the series of a name whose labels hold a text.
func (o *overloaded) sum(name, labels string) (sum float64) {
	o.Helper()
	for _, m := range regexp.MustCompile(`(?m)^`+name+`\{([^}]*)\} (\S+)$`).FindAllStringSubmatch(get(o.T, o.metrics), -1) {
		if strings.Contains(m[1], labels) {
			v, err := strconv.ParseFloat(m[2], 64)
			require.NoError(o, err)
			sum += v
		}
	}
	return sum
}

func (o *overloaded) await(limit time.Duration, is func() bool) {
	o.Helper()
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for end := time.Now().Add(limit); !is(); <-again.C {
		require.True(o, time.Now().Before(end), "not within %v; load average of the machine: %s", limit, loadAverage())
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, url)
	return string(body)
}

// requireEveryPicture requires that the segments of a rendition are all there, with 48 pictures each.
func requireEveryPicture(t *testing.T, at string) {
	t.Helper()
	list := get(t, at+"index.m3u8?ll=0")
	require.NotContains(t, list, "#EXT-X-GAP")
	segments := regexp.MustCompile(`(?m)^\d+\.m4s$`).FindAllString(list, -1)
	require.Greater(t, len(segments), 8)
	for _, s := range segments[1:] { // the first may leave the window meanwhile
		fragments, err := cmaf.ParseFragments([]byte(get(t, at+s)))
		require.NoError(t, err)
		pictures := 0
		for _, f := range fragments {
			pictures += len(f.Samples)
		}
		require.Equal(t, 48, pictures, "%s%s", at, s)
	}
}

// requireGaps requires that a rendition which was off for a while went on in time, as gaps, and that no smaller one gave way
// before a larger one.
func requireGaps(t *testing.T, origin, log string) {
	t.Helper()
	steps := regexp.MustCompile(`overloaded: less is made of a rendition" feed=low-0 rendition=(\S+) from=\S+ to=(\S+)`).FindAllStringSubmatch(log, -1)
	var order []string
	for _, s := range steps {
		order = append(order, s[1]+" "+s[2])
	}
	all := []string{"540p half", "360p half", "180p half", "540p off", "360p off"}
	require.NotEmpty(t, order)
	require.Equal(t, all[:min(len(all), len(order))], order[:min(len(all), len(order))])
	if !slices.Contains(order, "540p off") {
		t.Log("half the rate was enough")
		return
	}
	low := get(t, origin+"live/low-0/180p/index.m3u8?ll=0")
	top := get(t, origin+"live/low-0/540p/index.m3u8?ll=0") // later, so it has come as far at least
	require.Contains(t, top, "#EXT-X-GAP")
	require.NotContains(t, top+low, "#EXT-X-DISCONTINUITY\n")
	require.NotContains(t, top+low, "#EXT-X-ENDLIST")
	require.NotContains(t, low, "#EXT-X-GAP")
	require.GreaterOrEqual(t, lastSegment(t, top), lastSegment(t, low)-1)
}

func lastSegment(t *testing.T, list string) int64 {
	t.Helper()
	all := regexp.MustCompile(`(?m)^(\d+)\.m4s$`).FindAllStringSubmatch(list, -1)
	require.NotEmpty(t, all)
	n, err := strconv.ParseInt(all[len(all)-1][1], 10, 64)
	require.NoError(t, err)
	return n
}
