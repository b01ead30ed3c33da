//go:build cgo

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bluenviron/gohlslib/v2"
	"github.com/bluenviron/gohlslib/v2/pkg/codecs"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
)

// awaitFeed waits until a feed plays.
func awaitFeed(t *testing.T, url string, limit time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		err := check(ctx, url)
		if err == nil {
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			require.NoError(t, err, "%s does not play within %v", url, limit)
		}
	}
}

// check requests a URL and returns why it does not answer with 200.
func check(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

// probed is what ffprobe says of a stream.
type probed struct {
	Codec  string `json:"codec_name"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Rate   string `json:"sample_rate"`
}

// probe reads a live rendition with ffprobe.
func probe(ctx context.Context, ffprobe, url string) (probed, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, ffprobe, "-v", "error", "-show_streams", "-of", "json", url).CombinedOutput()
	if err != nil {
		return probed{}, fmt.Errorf("ffprobe %s: %w: %s", url, err, out)
	}
	var answer struct {
		Streams []probed `json:"streams"`
	}
	if err := json.Unmarshal(out, &answer); err != nil || len(answer.Streams) != 1 {
		return probed{}, fmt.Errorf("ffprobe %s: want one stream: %s", url, out)
	}
	return answer.Streams[0], nil
}

// played is what play.mjs reports.
type played struct {
	Failure       string  `json:"failure"`
	Advanced      float64 `json:"advanced"`
	StartSeconds  float64 `json:"startSeconds"`
	LatencyMedian float64 `json:"latencyMedian"`
	Stalls        int     `json:"stalls"`
	Levels        int     `json:"levels"`
	Shown         []int   `json:"shown"` // heights, as they were switched to
	Errors        []struct {
		Details string `json:"details"`
		Fatal   bool   `json:"fatal"`
	} `json:"errors"`
}

// clean reports whether there was no error and no stall.
func (p played) clean() bool { return p.Failure == "" && p.Stalls == 0 }

// switches returns the heights that were shown, in their order.
func (p played) switches() string { return strings.Trim(fmt.Sprint(p.Shown), "[]") }

// installPlayers returns the folder of the players that npm has installed.
func installPlayers(t *testing.T) string {
	t.Helper()
	out, err := exec.Command(filepath.Join(testdata, "players/install.sh")).Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		require.NoError(t, err, "installing the players: %s", failed.Stderr)
	}
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}

// play plays a URL with hls.js in headless Chromium for a time. With heights, it shows each for its share of the time.
func play(ctx context.Context, modules, url string, d time.Duration, heights ...string) (played, error) {
	ctx, cancel := context.WithTimeout(ctx, d+60*time.Second)
	defer cancel()
	script := filepath.Join(testdata, "players/play.mjs")
	out, err := exec.CommandContext(ctx, "node", script, url, fmt.Sprint(d.Seconds()), modules, strings.Join(heights, ",")).Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) && len(out) == 0 {
		return played{}, fmt.Errorf("playing %s: %w: %s", url, err, failed.Stderr)
	}
	var p played
	if err := json.Unmarshal(out, &p); err != nil {
		return played{}, fmt.Errorf("playing %s: %w: %s", url, err, out)
	}
	return p, nil
}

// gohlslibReader reads a ladder with gohlslib's client, which shares no code with ours.
type gohlslibReader struct {
	url           string
	limit         time.Duration
	video, audio  atomic.Int64 // access units
	decodeFailure atomic.Pointer[string]
}

func (g *gohlslibReader) Name() string { return "gohlslib " + g.url }

func (g *gohlslibReader) Run(ctx context.Context) error {
	quiet := func(string) {}
	c := &gohlslib.Client{
		URI:                       g.url,
		OnDownloadPrimaryPlaylist: quiet, OnDownloadStreamPlaylist: quiet, OnDownloadSegment: quiet, OnDownloadPart: quiet,
		OnDecodeError: func(err error) { text := err.Error(); g.decodeFailure.Store(&text) },
	}
	c.OnTracks = func(tracks []*gohlslib.Track) error {
		for _, track := range tracks {
			switch track.Codec.(type) {
			case *codecs.H264:
				c.OnDataH26x(track, func(int64, int64, [][]byte) { g.video.Add(1) })
			case *codecs.MPEG4Audio:
				c.OnDataMPEG4Audio(track, func(_ int64, units [][]byte) { g.audio.Add(int64(len(units))) })
			}
		}
		return nil
	}
	if err := c.Start(); err != nil {
		return fmt.Errorf("starting: %w", err)
	}
	ended := make(chan error, 1)
	watchdog := pipeline.Func("wait", func(context.Context) error { ended <- c.Wait2(); return nil })
	limit := pipeline.Func("limit", func(ctx context.Context) error {
		timer := time.NewTimer(g.limit)
		defer timer.Stop()
		defer c.Close()
		select {
		case <-timer.C:
			return nil
		case err := <-ended:
			return fmt.Errorf("ended early: %w", err)
		case <-ctx.Done():
			return nil
		}
	})
	return pipeline.Run(ctx, watchdog, limit)
}
