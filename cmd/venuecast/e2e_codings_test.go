//go:build cgo

package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/live"
	"github.com/venuecast/venuecast/transport/origin"
)

// TestOthersReadEveryCoding has Chromium, which asks for zstd over https only, and curl read playlists: a short one, and one of
// several blocks of zstd.
func TestOthersReadEveryCoding(t *testing.T) {
	modules := installPlayers(t)
	needTool(t, "chromium")
	address := startHall(t, 1500)
	var urls, texts []string
	for _, path := range []string{"/live/hall/index.m3u8", "/live/hall/540p/index.m3u8", "/dvr/hall/540p/index.m3u8?ll=0"} {
		urls, texts = append(urls, address+path), append(texts, fetchPlain(t, address+path))
	}
	require.Greater(t, len(texts[2]), 128<<10)
	inChromium := fetchInChromium(t, modules, urls...)
	require.Len(t, inChromium, len(urls))
	for i, url := range urls {
		require.Equal(t, decoded{url, "zstd", texts[i]}, inChromium[i])
		require.Equal(t, decoded{url, "zstd", texts[i]}, fetchWithCurl(t, url, "gzip, zstd"))
		require.Equal(t, decoded{url, "gzip", texts[i]}, fetchWithCurl(t, url, "gzip, zstd;q=0"))
	}
}

// decoded is what another program makes of an answer.
type decoded struct {
	URL    string `json:"url"`
	Coding string `json:"coding"`
	Text   string `json:"text"`
}

// startHall runs an origin with a self-signed certificate and one feed, and returns its address.
func startHall(t *testing.T, segments int64) string {
	t.Helper()
	g := grid.Grid{FrameRate: codecs.Rational{Num: 25, Den: 1}, StepFrames: 48, PartFrames: 8}
	first := time.Now().UnixNano()/int64(g.Step()) - segments
	feeds := live.New(live.Options{Window: 4 * time.Hour})
	_, err := feeds.Claim(pipeline.Session{Epoch: 1, Feed: pipeline.Feed{ID: "hall", Grid: g, Ladder: ladder.Ladder{
		Video: []ladder.Video{{Name: "540p", Width: 960, Height: 540, Bitrate: 1_500_000, Divisor: 1}},
	}}})
	require.NoError(t, err)
	feed := feeds.Feed("hall")
	require.NoError(t, feed.PutInit(1, pipeline.Init{Rendition: "540p", Codecs: "avc1.64001F", Data: []byte("init")}))
	for i := range 6 * segments {
		require.NoError(t, feed.PutPart(1, pipeline.Part{
			Rendition: "540p", MSN: first + i/6, Index: int(i % 6), Duration: 28800, Timescale: 90000, Independent: i%6 == 0, Data: []byte("part"),
		}))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	config, err := origin.TLSSelfSigned(time.Now(), "127.0.0.1")
	require.NoError(t, err)
	server, err := origin.New(origin.Options{Feeds: feeds, Token: "secret", Listener: listener, TLS: config})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var group pipeline.Group
	group.Start(ctx, server, func(err error) {
		if err != nil {
			t.Errorf("running the origin: %v", err)
		}
	})
	t.Cleanup(func() { cancel(); group.Wait() })
	return "https://" + listener.Addr().String()
}

func fetchInChromium(t *testing.T, modules string, urls ...string) []decoded {
	t.Helper()
	args := append([]string{filepath.Join(testdata, "players/fetch.mjs"), modules}, urls...)
	out, err := exec.CommandContext(t.Context(), "node", args...).Output()
	require.NoError(t, err)
	var answers []decoded
	require.NoError(t, json.Unmarshal(out, &answers))
	return answers
}

func fetchWithCurl(t *testing.T, url, accept string) decoded {
	t.Helper()
	var coding strings.Builder
	cmd := exec.CommandContext(t.Context(), needTool(t, "curl"), "-sSfk", "--compressed", "-H", "Accept-Encoding: "+accept,
		"-w", "%{stderr}%header{content-encoding}", url)
	cmd.Stderr = &coding
	out, err := cmd.Output()
	require.NoError(t, err, coding.String())
	return decoded{url, coding.String(), string(out)}
}

// fetchPlain returns an answer that is not coded.
func fetchPlain(t *testing.T, url string) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableCompression: true, //nolint:gosec // the test's own server
	}}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	response, err := client.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Empty(t, response.Header.Get("Content-Encoding"))
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(body)
}
