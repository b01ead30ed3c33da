package metrics_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/transport/metrics"
)

func TestTheServerShowsMetricsHealthAndProfiles(t *testing.T) {
	healthy := error(nil)
	s, err := metrics.NewServer(metrics.Options{
		Listen: "127.0.0.1:0", Gatherer: metrics.NewRegistry("v1.2.3"), Healthy: func() error { return healthy },
	})
	require.NoError(t, err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	get := func(ctx context.Context, path string) (int, string) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Addr().String()+path, http.NoBody)
		require.NoError(t, err)
		resp, err := client.Do(req)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, errors.Join(err, resp.Body.Close()))
		return resp.StatusCode, string(body)
	}
	done := errors.New("done")
	asker := pipeline.Func("asker", func(ctx context.Context) error {
		status, body := get(ctx, "/metrics")
		require.Equal(t, http.StatusOK, status)
		require.Regexp(t, `venuecast_build_info\{goversion="go1[^"]*",version="v1\.2\.3"\} 1`, body)
		require.Contains(t, body, "process_resident_memory_bytes")
		require.Contains(t, body, "go_goroutines")

		status, body = get(ctx, "/healthz")
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, "ok\n", body)
		healthy = errors.New("the bus is away")
		status, body = get(ctx, "/healthz")
		require.Equal(t, http.StatusServiceUnavailable, status)
		require.Equal(t, "the bus is away\n", body)

		status, _ = get(ctx, "/debug/pprof/goroutine?debug=1")
		require.Equal(t, http.StatusOK, status)
		status, _ = get(ctx, "/other")
		require.Equal(t, http.StatusNotFound, status)
		return done
	})
	require.ErrorIs(t, pipeline.Run(t.Context(), s, asker), done)
	_, err = http.Get("http://" + s.Addr().String() + "/healthz") //nolint:bodyclose // nobody listens any more
	require.Error(t, err)
}

func TestATakenPortIsAnErrorAtOnce(t *testing.T) {
	s, err := metrics.NewServer(metrics.Options{Listen: "127.0.0.1:0", Gatherer: metrics.NewRegistry("v0")})
	require.NoError(t, err)
	_, err = metrics.NewServer(metrics.Options{Listen: s.Addr().String(), Gatherer: metrics.NewRegistry("v0")})
	require.ErrorContains(t, err, "listening for metrics on 127.0.0.1:")
	require.NoError(t, s.Close())
}
