package origin

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestThePlaylistIsSentAsTheClientLikesItBest(t *testing.T) {
	for accept, want := range map[string]string{
		"": "", "gzip": "gzip", "zstd": "zstd", "gzip, deflate, br": "gzip", "gzip, deflate, br, zstd": "zstd",
		"deflate,gzip ": "gzip", "ZSTD ,GZip": "zstd", "x-gzip": "gzip", "br": "", "\tgzip\t;\tq=0.3\t": "gzip", ",, ,gzip": "gzip",
		// Weights come first, then our choice.
		"gzip;q=0.9, zstd;q=0.8": "gzip", "gzip;q=0.8, zstd;q=0.8": "zstd", "gzip, zstd;q=0.999": "gzip", "br;q=1.0, gzip;q=0.8": "gzip",
		"gzip;q=0.001, zstd;q=0": "gzip", "gzip;Q=0.5, zstd;q=0.50": "zstd", "gzip;q=1.000, zstd;q=1.": "zstd",
		// What is excluded.
		"gzip;q=0": "", "gzip; q=0.000": "", "zstd;q=0, gzip;q=0": "", "gzip, gzip;q=0": "", "*;q=0": "", "*;q=0, zstd": "zstd",
		// None of them.
		"identity": "", "identity, gzip;q=0.5": "", "identity;q=0.5, gzip;q=0.5": "gzip", "identity;q=0, gzip;q=0.1": "gzip",
		"identity;q=0": "", "identity;q=0, br": "",
		// Any.
		"*": "gzip", "*;q=0.5, zstd;q=0.2": "gzip", "*, zstd": "zstd", "gzip;q=0, *": "", "gzip;q=0.2, *;q=0.9, zstd;q=0.1": "gzip",
		// What can not be read is not there.
		"gzip;q=2, zstd;q=1.001": "", "gzip;q=-1": "", "gzip;q=0.1234": "", "gzip;q=.5": "", "gzip;q=": "", "gzip;level=9": "", "gzip;q=1;q=0": "",
		"gzip;q=1e0": "", "gzip zstd": "", "gzip;q=0.5x, zstd;q=0.4": "zstd",
	} {
		require.Equal(t, want, codingOf(accepts(accept)), accept)
	}
	require.Equal(t, "zstd", codingOf(accepts("gzip", "zstd")), "a header in two lines is one")
	require.Empty(t, codingOf(http.Header{}))
}

func accepts(values ...string) http.Header { return http.Header{"Accept-Encoding": values} }

func TestEntityTagsAreComparedWeakly(t *testing.T) {
	const tag = `W/"1a-0badcafe-zstd"`
	for header, want := range map[string]bool{
		tag: true, `"1a-0badcafe-zstd"`: true, "*": true, `W/"other",` + tag: true, `"other" , ` + tag: true,
		"": false, `W/"1a-0badcafe-gzip"`: false, `W/"1a-0badcafe"`: false, `1a-0badcafe-zstd`: false,
	} {
		require.Equal(t, want, known(http.Header{"If-None-Match": {header}}, tag), header)
	}
	require.False(t, known(http.Header{}, tag))
}

func FuzzNoCodingIsSentThatIsNotAccepted(f *testing.F) {
	for _, accept := range []string{
		"", "gzip, deflate, br, zstd", "gzip;q=0, *", "identity;q=0,zstd;q=0.5", "*;q=0", "gzip;q=1.0000", ";q=1", ",", "gzip;;q=1", "zstd ; q=0.001",
	} {
		f.Add(accept)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		chosen, lower := codingOf(accepts(accept)), strings.ToLower(accept)
		switch chosen {
		case "":
		case "gzip":
			require.True(t, strings.Contains(lower, "gzip") || strings.Contains(lower, "*"))
		case "zstd":
			require.Contains(t, lower, "zstd")
		default:
			require.Fail(t, chosen)
		}
		require.Equal(t, chosen, codingOf(accepts(strings.Split(accept, ",")...)), "lines of a header are one list")
		require.Equal(t, chosen, codingOf(accepts(strings.ReplaceAll(accept, ",", " ,\t"))), "space around commas says nothing")
		require.NotEqual(t, "zstd", codingOf(accepts(accept, "zstd;q=0")))
		require.Empty(t, codingOf(accepts(accept, "gzip;q=0, zstd;q=0")))
		require.Equal(t, "zstd", codingOf(accepts(accept, "zstd, gzip, identity")))
		require.Equal(t, chosen, codingOf(accepts(chosen)), "the answer to a parked request is made from it")
	})
}
