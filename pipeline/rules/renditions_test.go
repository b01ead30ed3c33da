package rules

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// reporting returns a playlist with parts, of 8 segments from 10 on and the first part of the next, and what it says of the others.
func reporting(reports string) string {
	return playlistOf(10, "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3,HOLD-BACK=6\n#EXT-X-PART-INF:PART-TARGET=1\n") +
		"#EXT-X-PART:DURATION=1,URI=\"18.0.m4s\",INDEPENDENT=YES\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"18.1.m4s\"\n" + reports
}

func reportOf(rendition string, msn int) string {
	return fmt.Sprintf("#EXT-X-RENDITION-REPORT:URI=\"../%s/index.m3u8\",LAST-MSN=%d,LAST-PART=0\n", rendition, msn)
}

func TestAReportIsHeldAgainstTheNextPlaylistHoweverTheAnswersFallTogether(t *testing.T) {
	for name, c := range map[string]struct {
		promised int
		asked    []int // when a was asked for, after b's report at 3 s, 4 s and 5 s; it is answered a second later
		broken   bool
	}{
		"asked before every report":            {19, []int{2, 2}, false},
		"asked as the first report came":       {19, []int{3}, true},
		"asked before, then as the first came": {19, []int{2, 3}, true},
		"asked as the newest report came":      {19, []int{2, 5}, true},
		"a report that is true":                {18, []int{3, 4, 5}, false},
	} {
		t.Run(name, func(t *testing.T) {
			found := map[string]bool{}
			checker := New(func(v Violation) { found[v.ID] = true })
			begun := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
			at := func(second int) time.Time { return begun.Add(time.Duration(second) * time.Second) }
			playlists := map[string]Request{}
			for _, q := range checker.Answer(checker.Begin("https://venue.example/live/index.m3u8"), response(at(0), right)) {
				playlists[q.URL] = q
			}
			answer := func(rendition string, asked, answered time.Time, body string) {
				q := playlists["https://venue.example/live/"+rendition+"/index.m3u8"]
				r := response(answered, body)
				r.Asked = asked
				checker.Answer(q, r)
			}
			answer("a", at(1), at(1), reporting(reportOf("b", 18)+reportOf("s", 18)))
			for second := 3; second <= 5; second++ {
				answer("b", at(second-1), at(second), reporting(reportOf("a", c.promised)+reportOf("s", 18)))
			}
			for _, second := range c.asked {
				answer("a", at(second), at(second+1), reporting(reportOf("b", 18)+reportOf("s", 18)))
			}
			require.Equal(t, c.broken, found["report-wrong"], "found: %v", found)
		})
	}
}
