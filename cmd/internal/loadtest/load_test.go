package loadtest

import (
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/live"
	"github.com/venuecast/venuecast/transport/origin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// measured puts a little load on our own origin and returns what was measured.
func measured(t *testing.T, change func(*Options)) *Result {
	t.Helper()
	server, err := origin.New(origin.Options{Feeds: live.New(live.Options{}), Token: "a token"})
	require.NoError(t, err)
	http := httptest.NewServer(server.Handler())
	defer http.Close()
	source, err := NewSource(SourceOptions{Origin: http.URL, Token: "a token"})
	require.NoError(t, err)
	var result *Result
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err = pipeline.Run(ctx, source, pipeline.Func("load", func(ctx context.Context) (err error) {
		defer cancel()
		o := Options{
			URL: source.URL(), Clients: 5, During: 1500 * time.Millisecond, Ramp: 100 * time.Millisecond, Source: source, PID: os.Getpid(),
		}
		change(&o)
		if err := source.Ready(ctx); err != nil {
			return err
		}
		result, err = Run(ctx, o)
		return err
	}))
	if !errors.Is(err, context.Canceled) {
		require.NoError(t, err)
	}
	require.NotNil(t, result)
	return result
}

func TestEveryViewerGetsEveryPart(t *testing.T) {
	r := measured(t, func(*Options) {})

	require.Empty(t, r.Errors)
	require.True(t, r.Exact)
	require.GreaterOrEqual(t, r.Playlist.Answers, 5*3) // 1.5 s hold four or five parts
	require.GreaterOrEqual(t, r.Media.Answers, 5*3)
	require.Positive(t, r.Playlist.P50)
	require.LessOrEqual(t, r.Playlist.P50, r.Playlist.P99)
	require.LessOrEqual(t, r.Playlist.P99, r.Playlist.Worst)
	require.Positive(t, r.Memory.Before)
	require.Contains(t, r.String(), "no errors")
}

func TestWithoutASourceAPartExistsWhenTheFirstAnswerBegins(t *testing.T) {
	r := measured(t, func(o *Options) {
		o.Source, o.PlaylistsOnly = nil, true
		o.URL = strings.Replace(o.URL, "/video/", "/", 1) // the multivariant playlist
	})

	require.False(t, r.Exact)
	require.Nil(t, r.Media)
	require.GreaterOrEqual(t, r.Playlist.Answers, 5*3)
}

func TestLatencyIsThatOfRanks(t *testing.T) {
	var list []time.Duration
	for i := 100; i > 0; i-- {
		list = append(list, time.Duration(i)*time.Millisecond)
	}
	l := latency(list, 10*time.Second)
	require.Equal(t, Latency{100, 10, 50, 95, 99, 100}, l)
	require.Zero(t, latency(nil, time.Second))
}

func TestAViewerThatComesLaterAsksForALaterPart(t *testing.T) {
	e := edge{place{1000, 4}, 320 * time.Millisecond}
	require.Equal(t, place{1000, 4}, e.after(0, 6))
	require.Equal(t, place{1000, 5}, e.after(330*time.Millisecond, 6))
	require.Equal(t, place{1001, 1}, e.after(time.Second, 6))
}
