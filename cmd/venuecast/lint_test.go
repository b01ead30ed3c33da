package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/cmd/internal/lint"
	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/grid"
	"github.com/venuecast/venuecast/pipeline/ladder"
	"github.com/venuecast/venuecast/pipeline/live"
	"github.com/venuecast/venuecast/pipeline/rules"
)

func TestLintPrintsEachFaultOnceAndCountsAll(t *testing.T) {
	rule, ok := rules.Find("part-over-target")
	require.True(t, ok)
	fault := rules.Violation{
		Rule: rule, At: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), URL: "http://venue/a.m3u8?_HLS_msn=7",
		Detail: "part 6.1 lasts 330ms", Lines: []string{`#EXT-X-PART:DURATION=0.33,URI="6.1.m4s"`},
	}
	var text, asJSON bytes.Buffer
	for _, f := range []*findings{newFindings(&text, false), newFindings(&asJSON, true)} {
		for i := range 10 {
			f.add(fault)
			other := fault
			other.Lines = []string{"#EXT-X-PART:" + string(rune('0'+i))}
			f.add(other)
		}
		require.Equal(t, 11, f.broken(rules.Must))
		require.Zero(t, f.broken(rules.Should))
		require.NoError(t, f.summary(lint.Seen{rules.MediaPlaylist: 3}))
	}
	require.Equal(t, maxShown, bytes.Count(text.Bytes(), []byte("part 6.1 lasts")))
	require.Contains(t, text.String(), `> #EXT-X-PART:DURATION=0.33,URI="6.1.m4s"`)
	require.Contains(t, text.String(), "11 violations of a MUST, 0 of a SHOULD")
	require.Contains(t, text.String(), "in 3 playlists")
	lines := bytes.Split(bytes.TrimSpace(asJSON.Bytes()), []byte("\n"))
	require.Len(t, lines, 12)
	var back rules.Violation
	require.NoError(t, json.Unmarshal(lines[0], &back))
	require.Equal(t, fault, back)
}

func TestLintListsAllRules(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, printRules(&out, false))
	require.Equal(t, len(rules.All()), bytes.Count(out.Bytes(), []byte("\n")))
}

func TestLintEndsWithAnErrorWhenAMustIsBroken(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("#EXTM3U\n#EXT-X-STREAM-INF:CODECS=\"avc1.42C01E\"\nindex.m3u8\n"))
	}))
	defer server.Close()
	var out bytes.Buffer
	err := runLint(t.Context(), server.URL+"/all.m3u8", time.Second, newFindings(&out, false))
	require.ErrorIs(t, err, errRulesBroken)
	require.Contains(t, out.String(), "bandwidth-missing")
	require.Contains(t, out.String(), "cors-missing")
}

func TestTheOriginChecksWhatItServes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := grid.Grid{FrameRate: codecs.Rational{Num: 25, Den: 1}, StepFrames: 48, PartFrames: 8}
		g.Epoch = codecs.TicksAt(time.Now()) - codecs.TicksIn(100*g.Step())
		feeds := live.New(live.Options{})
		_, err := feeds.Claim(pipeline.Session{Epoch: 1, Feed: pipeline.Feed{
			ID: "hall", Grid: g, Ladder: ladder.Ladder{Video: []ladder.Video{{Name: "small", Width: 320, Height: 180, Bitrate: 1000}}},
		}})
		require.NoError(t, err)
		asked := map[string]int{}
		handler := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			asked[req.URL.Path]++
			w.Header().Set("Access-Control-Allow-Origin", "*")
			if req.URL.Path == "/live/hall/index.m3u8" {
				_, _ = w.Write([]byte("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\nsmall/index.m3u8\n"))
				return
			}
			_, _ = w.Write([]byte("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:3,\n7.ts\n"))
		})
		registry := prometheus.NewRegistry()
		h := &host{registry: registry, log: slog.New(slog.DiscardHandler)}
		check, err := h.selfCheck(feeds, handler)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 5*checkEach+time.Second)
		defer cancel()
		require.ErrorIs(t, check.Run(ctx), context.DeadlineExceeded)

		require.Equal(t, 1, asked["/live/hall/index.m3u8"])
		require.Equal(t, 5, asked["/live/hall/small/index.m3u8"])
		require.InDelta(t, 5, violations(t, registry, "segment-over-target"), 0)
		require.InDelta(t, 0, violations(t, registry, "cors-missing"), 0)
	})
}

func violations(t *testing.T, registry *prometheus.Registry, rule string) float64 {
	t.Helper()
	families, err := registry.Gather()
	require.NoError(t, err)
	require.Equal(t, "venuecast_playlist_rule_violations_total", families[0].GetName())
	for _, m := range families[0].GetMetric() {
		if m.GetLabel()[0].GetValue() == rule {
			return m.GetCounter().GetValue()
		}
	}
	require.Fail(t, "no such rule", rule)
	return 0
}
