package lint

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline/rules"
)

// answering answers every request, in zstd for who takes it.
func answering(body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Accept-Encoding"), "zstd") {
			w.Header().Set("Content-Encoding", "zstd")
		}
		_, _ = w.Write(body) // a recorder takes every write
	}
}

func TestPlaylistsAreReadInZstdToo(t *testing.T) {
	const text = "#EXTM3U\n"
	encoder, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	squeezed := encoder.EncodeAll([]byte(text), nil)
	seen := map[string]int{}
	for part := range 40 {
		q := &rules.Request{Kind: rules.MediaPlaylist, URL: fmt.Sprintf("http://origin/index.m3u8?_HLS_msn=9&_HLS_part=%d", part)}
		coding := codings(q)
		seen[coding]++
		body := []byte(text)
		if strings.Contains(coding, "zstd") {
			body = squeezed
		}
		r := ask(t.Context(), &http.Client{Transport: Local{answering(body)}}, q)
		require.NoError(t, r.Err)
		require.Equal(t, text, string(r.Body), coding)
		require.Equal(t, strings.Contains(coding, "zstd"), slices.Contains(r.Header["Content-Encoding"], "zstd"))
	}
	require.Len(t, seen, 2)
	for coding, n := range seen {
		require.Greater(t, n, 8, coding)
	}
}

func TestMediaAreNotAskedForInZstd(t *testing.T) {
	for part := range 10 {
		require.Equal(t, "gzip", codings(&rules.Request{Kind: rules.PartialSegment, URL: fmt.Sprint(part)}))
	}
}

func TestABodyThatIsNotInItsCodingIsAnError(t *testing.T) {
	for _, coding := range []string{"gzip", "zstd"} {
		handler := func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", coding)
			_, _ = w.Write([]byte("#EXTM3U\n")) // a recorder takes every write
		}
		r := ask(t.Context(), &http.Client{Transport: Local{http.HandlerFunc(handler)}}, &rules.Request{URL: "http://origin/a"})
		require.Error(t, r.Err, coding)
	}
}
