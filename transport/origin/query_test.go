package origin

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/live"
)

func TestDirectivesAreReadAsTheStandardSays(t *testing.T) {
	for query, want := range map[string]directives{
		"":                                   {},
		"_HLS_msn=12":                        {hasMSN: true, msn: 12},
		"_HLS_msn=12&_HLS_part=3":            {hasMSN: true, msn: 12, hasPart: true, part: 3},
		"_HLS_part=3&_HLS_msn=12":            {hasMSN: true, msn: 12, hasPart: true, part: 3},
		"_HLS_skip=YES":                      {skip: live.Delta},
		"_HLS_skip=v2":                       {skip: live.DeltaDates},
		"_HLS_skip=NO":                       {},
		"ll=0":                               {plain: true},
		"ll=1":                               {},
		"token=a%zz&CMCD=bl%3D1&_HLS_msn=1":  {hasMSN: true, msn: 1},
		"_HLS_pathway=CDN&_HLS_throughput=5": {},
		"a=1&a=2&&=&x":                       {},
	} {
		got, err := parseQuery(query)
		require.NoError(t, err, query)
		require.Equal(t, want, got, query)
	}
}

func TestMalformedDirectivesAreRefused(t *testing.T) {
	for _, query := range []string{
		"_HLS_part=3", "_HLS_msn=", "_HLS_msn", "_HLS_msn=-1", "_HLS_msn=+1", "_HLS_msn=1.5", "_HLS_msn=0x10", "_HLS_msn=1e3",
		"_HLS_msn=99999999999999999999", "_HLS_msn=1&_HLS_part=x", "_HLS_msn=1&_HLS_msn=2", "_HLS_msn=%zz", "%5FHLS_msn=a",
	} {
		_, err := parseQuery(query)
		require.ErrorIs(t, err, errMalformed, query)
	}
}

func TestTheWantedPlaceFollowsTheStandard(t *testing.T) {
	const parts, advance = 6, 10
	mid := pipeline.Position{MSN: 100, Part: 2} // the last finished segment is 99
	end := pipeline.Position{MSN: 100, Part: 5}
	for _, c := range []struct {
		query string
		last  pipeline.Position
		want  pipeline.Position
		ok    bool
	}{
		{"_HLS_msn=5", mid, pipeline.Position{MSN: 5, Part: 5}, true},
		{"_HLS_msn=100", mid, pipeline.Position{MSN: 100, Part: 5}, true},
		{"_HLS_msn=101", mid, pipeline.Position{MSN: 101, Part: 5}, true},
		{"_HLS_msn=102", mid, pipeline.Position{}, false},
		{"_HLS_msn=102", end, pipeline.Position{MSN: 102, Part: 5}, true},
		{"_HLS_msn=103", end, pipeline.Position{}, false},
		{"_HLS_msn=100&_HLS_part=3", mid, pipeline.Position{MSN: 100, Part: 3}, true},
		{"_HLS_msn=100&_HLS_part=6", mid, pipeline.Position{MSN: 101}, true},
		{"_HLS_msn=100&_HLS_part=9000000000", mid, pipeline.Position{MSN: 101}, true},
		{"_HLS_msn=101&_HLS_part=5", end, pipeline.Position{MSN: 101, Part: 5}, true},
		{"_HLS_msn=102&_HLS_part=3", end, pipeline.Position{MSN: 102, Part: 3}, true},
		{"_HLS_msn=102&_HLS_part=4", end, pipeline.Position{MSN: 102, Part: 4}, false},
		{"_HLS_msn=9223372036854775807&_HLS_part=9", mid, pipeline.Position{}, false},
	} {
		t.Run(fmt.Sprint(c.query, c.last), func(t *testing.T) {
			d, err := parseQuery(c.query)
			require.NoError(t, err)
			want, ok := d.wanted(c.last, parts, advance)
			require.Equal(t, c.ok, ok)
			if ok {
				require.Equal(t, c.want, want)
			}
		})
	}
}

func FuzzQueryIsBounded(f *testing.F) {
	f.Add("_HLS_msn=12&_HLS_part=3&_HLS_skip=YES")
	f.Add("%5FHLS_msn=1&ll=0&;&=&\x00")
	f.Add("_HLS_msn=9223372036854775807&_HLS_part=9223372036854775807")
	f.Fuzz(func(t *testing.T, raw string) {
		d, err := parseQuery(raw)
		if err != nil {
			require.ErrorIs(t, err, errMalformed)
			return
		}
		require.False(t, d.hasPart && !d.hasMSN)
		require.GreaterOrEqual(t, d.msn, int64(0))
		if values, err := url.ParseQuery(raw); err == nil && len(values["_HLS_msn"]) > 0 {
			require.True(t, d.hasMSN)
		}
		last := pipeline.Position{MSN: 100, Part: 2}
		if want, ok := d.wanted(last, 6, 10); ok {
			require.LessOrEqual(t, want.MSN, int64(102))
			require.True(t, want.Part >= 0 && want.Part < 6)
		}
	})
}

func FuzzFileNamesAreCanonical(f *testing.F) {
	for _, name := range []string{"index.m3u8", "12.m4s", "12.3.m4s", "init.0badcafe.mp4", "012.m4s", "1.2.3.m4s", "init.../x.mp4", "\x00.m4s", "-1.m4s"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		parsed := parseFile(name)
		switch parsed.kind {
		case playlistFile:
			require.Equal(t, "index.m3u8", name)
		case segmentFile:
			require.Equal(t, name, fmt.Sprintf("%d.m4s", parsed.place.MSN))
		case partFile:
			require.Equal(t, name, fmt.Sprintf("%d.%d.m4s", parsed.place.MSN, parsed.place.Part))
		case initFile:
			require.Equal(t, name, "init."+parsed.init+".mp4")
		}
	})
}
