package lint

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/codecs/m3u8"
	"github.com/venuecast/venuecast/pipeline/live"
)

type fault struct {
	name string
	seed func(*house)
	want []string // rules; others may be broken, too
}

// onPlaylist changes the media playlist of the small rendition, once the fault begins.
func onPlaylist(change func(a *answer)) func(*house) {
	return func(h *house) {
		h.answer = func(a *answer) {
			if a.playlist() && a.rendition == small && a.newest >= faultyMSN {
				change(a)
			}
		}
	}
}

func onMultivariant(change func(a *answer)) func(*house) {
	return func(h *house) {
		h.answer = func(a *answer) {
			if a.rendition == "" && a.status == 200 {
				change(a)
			}
		}
	}
}

// onMedia changes answers for a file of the small rendition.
func onMedia(file string, change func(a *answer)) func(*house) {
	return func(h *house) {
		h.answer = func(a *answer) {
			if matched, _ := regexp.MatchString("^"+file+"$", a.file); matched && a.rendition == small {
				change(a)
			}
		}
	}
}

// onFragment changes the fragments of the small rendition from the faulty segment on.
func onFragment(change func(msn int64, part int, f *cmaf.Fragment)) func(*house) {
	return func(h *house) {
		h.fragment = func(rendition string, msn int64, part int, f *cmaf.Fragment) {
			if rendition == small && msn >= faultyMSN {
				change(msn, part, f)
			}
		}
	}
}

func replace(pattern, replacement string) func(*answer) {
	expression := regexp.MustCompile(pattern)
	return func(a *answer) { a.body = expression.ReplaceAllString(a.body, replacement) }
}

func replaceOnce(old, replacement string) func(*answer) {
	return func(a *answer) { a.body = strings.Replace(a.body, old, replacement, 1) }
}

// later moves a number of the playlist's by a difference.
func later(tag string, by int64) func(*answer) {
	expression := regexp.MustCompile(tag + `(\d+)`)
	return func(a *answer) {
		a.body = expression.ReplaceAllStringFunc(a.body, func(s string) string {
			n, _ := strconv.ParseInt(strings.TrimPrefix(s, tag), 10, 64) // it matched
			return tag + strconv.FormatInt(n+by, 10)
		})
	}
}

func status(code int) func(*answer) {
	return func(a *answer) { a.status, a.body = code, "" }
}

// faulty names a file of the first faulty segment.
func faulty(suffix string) string { return fmt.Sprintf("%d%s", faultyMSN, suffix) }

// sequence matches the line that the playlist's numbers begin with.
const sequence = "#EXT-X-MEDIA-SEQUENCE:"

// faults are wrong in one thing each. Those of the first group are the mutations of the project's study of players,
// in its order.
var faults = []fault{
	{"MEDIA-SEQUENCE is reset", onPlaylist(func(a *answer) {
		if a.newest >= faultyMSN+2 {
			later(sequence, -900)(a)
		}
	}), []string{"media-sequence-back"}},
	{"two origins that are not in step answer in turn", onPlaylist(func(a *answer) {
		if a.times%2 == 0 {
			later(sequence, -1)(a)
		}
	}), []string{"media-sequence-back"}},
	{
		"decoding times jump by 5 s", onFragment(func(_ int64, _ int, f *cmaf.Fragment) { f.BaseTime += 5 * 90000 }),
		[]string{"decode-time-gap", "timestamps-differ"},
	},
	{"decoding times double in one rendition", onFragment(func(_ int64, part int, f *cmaf.Fragment) {
		if part == 3 {
			f.BaseTime -= 8 * 3600
		}
	}), []string{"decode-time-overlap"}},
	{
		"timestamps begin anew without a tag", onFragment(func(_ int64, _ int, f *cmaf.Fragment) { f.BaseTime -= faultyMSN * 48 * 3600 }),
		[]string{"decode-time-overlap"},
	},
	{"CODECS is wrong", onMultivariant(replace(`avc1\.42C01E,mp4a`, "hvc1.1.6.L93.B0,mp4a")), []string{"codecs-wrong"}},
	{"a segment is longer than the target", onPlaylist(replace(`EXTINF:1\.92,`, "EXTINF:2.6,")), []string{"segment-over-target", "segment-wrong-duration"}},
	{"TARGETDURATION changes", onPlaylist(replace(`TARGETDURATION:2`, "TARGETDURATION:3")), []string{"target-duration-changed", "target-duration-differs"}},
	{"EXT-X-MAP is missing", onPlaylist(replace("#EXT-X-MAP:.*\n", "")), []string{"map-missing"}},
	{"the init section is that of another rendition", func(h *house) { h.inits[small] = h.inits[large] }, []string{"resolution-wrong"}},
	{"a part is longer than PART-TARGET", onPlaylist(replace(`(PART:DURATION=0\.32)(,URI="\d+\.4)`, "${1}01$2")), []string{"part-over-target"}},
	{"blocking reload is not honoured", onPlaylist(func(a *answer) {
		if i := strings.LastIndex(a.body, "#EXT-X-PART:"); i > strings.LastIndex(a.body, "#EXTINF") {
			end := i + strings.Index(a.body[i:], "\n") + 1
			a.body = a.body[:i] + a.body[end:]
		}
	}), []string{"blocking-early"}},
	{"a hinted part is not there", onMedia(`\d+\.\d+\.m4s`, func(a *answer) {
		if a.times == 1 && strings.Contains(a.file, ".5.m4s") {
			status(404)(a)
		}
	}), []string{"hint-gone"}},
	{"another part comes than was hinted", onPlaylist(replace(`(PRELOAD-HINT:TYPE=PART,URI=)"(.*)"`, `$1"x$2"`)), []string{"hint-wrong", "hint-gone"}},
	{"PART-HOLD-BACK is missing", onPlaylist(replace(`,PART-HOLD-BACK=[\d.]+`, "")), []string{"part-hold-back-missing", "server-control-changed", "server-control-differs"}},
	{"RENDITION-REPORT is missing", onPlaylist(replaceOnce("#EXT-X-RENDITION-REPORT:", "#REPORT:")), []string{"report-missing"}},
	{"SKIPPED-SEGMENTS is off by one", onPlaylist(later("SKIPPED-SEGMENTS=", 1)), []string{"skip-count"}},
	{"EXT-X-SKIP comes without being asked for", onPlaylist(func(a *answer) {
		if i := strings.Index(a.body, "#EXT-X-MAP"); i > 0 && !strings.Contains(a.query, "skip") {
			end := strings.Index(a.body[i:], ".m4s\n")
			a.body = a.body[:i] + "#EXT-X-SKIP:SKIPPED-SEGMENTS=1\n" + a.body[i+end+5:]
		}
	}), []string{"skip-unasked"}},
	{"MSNs of one rendition are one higher", func(h *house) {
		h.answer = func(a *answer) {
			if a.playlist() && a.rendition == small {
				later(sequence, 1)(a)
			}
			if a.playlist() && a.rendition != small {
				later(`small/index.m3u8",LAST-MSN=`, 1)(a)
			}
		}
	}, []string{"msn-differs"}},
	{"dates of one rendition are 3 s late", func(h *house) {
		h.answer = func(a *answer) {
			if a.playlist() && a.rendition == small {
				shiftDates(a, 3*time.Second)
			}
		}
	}, []string{"date-time-differs"}},
	{"segments do not begin with an IDR picture", onFragment(func(_ int64, _ int, f *cmaf.Fragment) {
		f.Samples[0].Data[4] = 0x41
		f.Samples[0].Key = false
	}), []string{"segment-not-independent", "independent-wrong"}},
	{"EXTINF is wrong", onPlaylist(replace(`EXTINF:1\.92,`, "EXTINF:2.4,")), []string{"segment-wrong-duration"}},
	{"sound is half a second late", func(h *house) {
		h.fragment = func(rendition string, _ int64, _ int, f *cmaf.Fragment) {
			if rendition == sound {
				f.BaseTime += 24000
			}
		}
	}, []string{"timestamps-differ"}},
	{"the URI of a number changes", onPlaylist(func(a *answer) {
		if a.newest > faultyMSN+1 {
			replace("(?m)^"+faulty(`\.m4s$`), faulty(".m4s?v=2"))(a)
		}
	}), []string{"uri-changed"}},
	{"a listed segment is not there", onMedia(faulty(`\.m4s`), status(404)), []string{"segment-gone"}},
	{"media are cut off", onMedia(faulty(`\.m4s`), func(a *answer) { a.body = a.body[:len(a.body)-10] }), []string{"media-unreadable"}},
	{"the playlist stops", func(h *house) {
		h.skip = func(_ string, msn int64, _ int) bool { return msn > faultyMSN }
	}, []string{"segment-late"}},
	{"there is no CORS header", func(h *house) { h.answer = func(a *answer) { a.header.Del("Access-Control-Allow-Origin") } }, []string{"cors-missing"}},
	{
		"content types are wrong", func(h *house) { h.answer = func(a *answer) { a.header.Set("Content-Type", "text/plain") } },
		[]string{"playlist-type", "media-type"},
	},

	// Further faults of that study.
	{"a discontinuity leaves without its number", func(h *house) {
		withDiscontinuity(h)
		h.answer = func(a *answer) {
			if a.playlist() {
				replace(`DISCONTINUITY-SEQUENCE:\d+`, "DISCONTINUITY-SEQUENCE:0")(a)
			}
		}
	}, []string{"discontinuity-sequence-changed"}},
	{"EXT-X-DISCONTINUITY-SEQUENCE is missing", func(h *house) {
		withDiscontinuity(h)
		h.answer = func(a *answer) {
			if a.playlist() {
				replace("#EXT-X-DISCONTINUITY-SEQUENCE:.*\n", "")(a)
			}
		}
	}, []string{"discontinuity-sequence-missing", "discontinuity-sequence-changed"}},
	{"a tag stands twice", onPlaylist(replace("(#EXT-X-TARGETDURATION:2\n)", "$1$1")), []string{"tag-twice"}},
	{"the version is too low", onPlaylist(replace("#EXT-X-VERSION:.*\n", "#EXT-X-VERSION:3\n")), []string{"version-low"}},
	{"there is no hint", onPlaylist(replace("#EXT-X-PRELOAD-HINT:.*\n", "")), []string{"hint-missing"}},
	{"HOLD-BACK is too short", onPlaylist(replace(`,HOLD-BACK=6`, ",HOLD-BACK=5.76")), []string{"hold-back-short", "server-control-changed", "server-control-differs"}},
	{"PART-HOLD-BACK is too short", onPlaylist(replace(`PART-HOLD-BACK=0.96`, "PART-HOLD-BACK=0.5")), []string{"part-hold-back-short", "server-control-changed", "server-control-differs"}},
	{"a rendition report is old", onPlaylist(later("LAST-MSN=", -1)), []string{"report-wrong", "renditions-apart"}},
	{"a rendition report promises too much", onPlaylist(later("LAST-MSN=", 1)), []string{"report-wrong", "renditions-apart"}},
	{"dates are missing", onPlaylist(replace("#EXT-X-PROGRAM-DATE-TIME:.*\n", "")), []string{"date-time-missing", "date-time-changed"}},
	{"INDEPENDENT is missing", onPlaylist(replace(",INDEPENDENT=YES", "")), []string{"independent-missing"}},
	{"BANDWIDTH is too low", onMultivariant(replace(":BANDWIDTH=114800", ":BANDWIDTH=2000")), []string{"bandwidth-low"}},
	{"parts are kept too long", onPlaylist(func(a *answer) {
		part := fmt.Sprintf("#EXT-X-PART:DURATION=0.32,URI=\"%d.0.m4s\",INDEPENDENT=YES\n#EXTINF:1.92,\n%[1]d.m4s\n", faultyMSN)
		if !strings.Contains(a.body, fmt.Sprintf("\"%d.0.m4s\"", faultyMSN)) {
			a.replace(fmt.Sprintf("#EXTINF:1.92,\n%d.m4s\n", faultyMSN), part)
		}
	}), []string{"parts-kept"}},

	// More of what goes wrong in the field.
	{"a playlist is no playlist", onPlaylist(replaceOnce("#EXTM3U", "<html>")), []string{"playlist-syntax"}},
	{"PART-TARGET changes", onPlaylist(replace("PART-TARGET=0.32", "PART-TARGET=0.33")), []string{"part-target-changed"}},
	{"an init section changes without a tag", func(h *house) {
		withDiscontinuity(h)
		h.answer = func(a *answer) {
			if a.playlist() {
				replace("#EXT-X-DISCONTINUITY\n", "")(a)
			}
		}
	}, []string{"discontinuity-missing"}},
	{"a part of a listed segment is not there", onMedia(faulty(`\.2\.m4s`), status(404)), []string{"part-gone"}},
	{"a segment has other samples than its parts", onMedia(faulty(`\.m4s`), func(a *answer) {
		a.body = strings.ReplaceAll(a.body, "\x00\x00\x00\x06\x41", "\x00\x00\x00\x06\x01")
	}), []string{"parts-differ"}},
	{"a file changes after it was served", onMedia(`\d+\.m4s`, func(a *answer) {
		if a.times > 1 {
			a.body += "\x00\x00\x00\x08free"
		}
	}), []string{"media-changed"}},
	{"a delta update is not given", func(h *house) {
		h.request = func(req *http.Request) { req.URL.RawQuery = strings.ReplaceAll(req.URL.RawQuery, "_HLS_skip", "skip") }
	}, []string{"skip-ignored"}},
	{"too much is skipped", func(h *house) {
		h.answer = func(a *answer) {
			if a.playlist() && a.rendition == small {
				replace(`CAN-SKIP-UNTIL=\d+`, "CAN-SKIP-UNTIL=18")(a)
			}
		}
	}, []string{"skip-boundary", "server-control-differs"}},
	{
		"the Skip Boundary is too near", onPlaylist(replace(`CAN-SKIP-UNTIL=\d+`, "CAN-SKIP-UNTIL=6")),
		[]string{"skip-until-short", "server-control-changed"},
	},
	{"a removed segment is gone at once", onMedia(`\d+\.m4s`, func(a *answer) {
		if msn, _ := strconv.ParseInt(strings.TrimSuffix(a.file, ".m4s"), 10, 64); msn < a.newest-8 {
			status(404)(a)
		}
	}), []string{"segment-removed-early"}},
	{"a removed part is gone at once", onMedia(`\d+\.0\.m4s`, func(a *answer) {
		if msn, _ := strconv.ParseInt(strings.TrimSuffix(a.file, ".0.m4s"), 10, 64); msn < a.newest-2 {
			status(404)(a)
		}
	}), []string{"part-removed-early"}},
	{"_HLS_part alone is answered", onQuery("_HLS_part=0", 200), []string{"blocking-part-alone"}},
	{"every file is found", onMedia("no-such-segment.m4s", func(a *answer) { a.status = 200 }), []string{"unknown-found"}},
	{"ranges are not served", func(h *house) {
		h.answer = func(a *answer) {
			if a.status == 206 {
				a.status = 200
			}
		}
	}, []string{"range-ignored"}},
	{"playlists are not compressed", func(h *house) { h.answer = func(a *answer) { a.header.Del("Vary") } }, []string{"gzip-missing"}},
	{"a live playlist may be kept for a minute", func(h *house) {
		h.answer = func(a *answer) {
			if a.file == "index.m3u8" && a.query == "" {
				a.header.Set("Cache-Control", "max-age=60")
			}
		}
	}, []string{"cache-control-long"}},
	{"segments are missing and not listed as gaps", func(h *house) {
		withGap(h)
		h.answer = func(a *answer) {
			if a.playlist() {
				replace("#EXT-X-GAP\n|,GAP=YES", "")(a)
			}
		}
	}, []string{"segment-gone", "part-gone"}},
}

// iFrameFaults are those of trick play, and of date ranges in delta updates.
var iFrameFaults = []fault{
	{"an I-frame playlist does not say so", onIFrames(replace("#EXT-X-I-FRAMES-ONLY\n", "")), []string{"i-frames-only-missing"}},
	{"an I-frame playlist has parts", onIFrames(replace("(#EXT-X-I-FRAMES-ONLY\n)", "#EXT-X-PART-INF:PART-TARGET=0.32\n$1")), []string{"i-frames-only-parts"}},
	{"an I-frame playlist stands still", func(h *house) {
		var old string
		onIFrames(func(a *answer) {
			if old == "" && !strings.Contains(a.body, "EXT-X-SKIP") {
				old = a.body
			}
			if old != "" {
				a.body = old
			}
		})(h)
	}, []string{"i-frame-window-differs"}},
	{"an I-frame's range is too short", onIFrames(func(a *answer) {
		a.body = ranges.ReplaceAllStringFunc(a.body, func(s string) string {
			n, _ := strconv.Atoi(strings.TrimPrefix(s, "BYTERANGE:")) // it matched
			return fmt.Sprintf("BYTERANGE:%d", n-2)
		})
	}), []string{"i-frame-wrong"}},
	{"an I-frame's range begins within its moof", onIFrames(replace(`(BYTERANGE:\d+)@0`, "$1@8")), []string{"i-frame-wrong"}},
	{"an I-frame's range gets the whole segment", onMedia(`\d+\.m4s`, func(a *answer) {
		if a.status == 206 {
			a.status = 200
		}
	}), []string{"i-frame-range-ignored"}},
	{"an I-frame's segment is not there", func(h *house) {
		h.answer = func(a *answer) {
			if a.status == 206 {
				status(404)(a)
			}
		}
	}, []string{"segment-gone"}},
	{"I-frames have no BANDWIDTH", onMultivariant(replace("I-FRAME-STREAM-INF:BANDWIDTH=\\d+,", "I-FRAME-STREAM-INF:")), []string{"i-frame-stream-form"}},
	{"I-frames have a frame rate", onMultivariant(replace("I-FRAME-STREAM-INF:", "I-FRAME-STREAM-INF:FRAME-RATE=25.000,")), []string{"i-frame-stream-form"}},
	{
		"BANDWIDTH of I-frames is too low", onMultivariant(replace("I-FRAME-STREAM-INF:BANDWIDTH=\\d+,", "I-FRAME-STREAM-INF:BANDWIDTH=100,")),
		[]string{"i-frame-bandwidth-low"},
	},
	{
		"CODECS of I-frames is wrong", onMultivariant(replace(`(I-FRAME.*CODECS=")avc1\.42C01E`, "${1}hvc1.1.6.L93.B0")),
		[]string{"i-frame-codecs-wrong"},
	},
	{"a delta update names a date range as removed that is not", func(h *house) {
		withEvents(h)
		onPlaylist(func(a *answer) {
			replace(`RECENTLY-REMOVED-DATERANGES="[^"]*"`, `RECENTLY-REMOVED-DATERANGES="other	half"`)(a)
		})(h)
	}, []string{"date-range-removed"}},
}

var ranges = regexp.MustCompile(`BYTERANGE:\d+`)

// onIFrames changes the I-frame playlist of the small rendition, once the fault begins.
func onIFrames(change func(a *answer)) func(*house) {
	return func(h *house) {
		h.answer = func(a *answer) {
			if a.file == "iframes.m3u8" && a.status == 200 && a.rendition == small && a.newest >= faultyMSN {
				change(a)
			}
		}
	}
}

// withEvents adds an event that is over soon, and one that lasts longer than anybody watches.
func withEvents(h *house) {
	h.begin = func(feed *live.Feed) error {
		for id, duration := range map[string]time.Duration{"goal": 10 * time.Second, "half": time.Hour} {
			_, err := feed.AddEvent(m3u8.DateRange{ID: id, StartDate: time.Now(), Duration: duration})
			if err != nil {
				return err
			}
		}
		return nil
	}
}

func onQuery(query string, code int) func(*house) {
	return func(h *house) {
		h.answer = func(a *answer) {
			if a.query == query {
				a.status = code
			}
		}
	}
}

// withGap keeps a segment of the small rendition back.
func withGap(h *house) {
	h.skip = func(rendition string, msn int64, _ int) bool { return rendition == small && msn == faultyMSN }
}

// withDiscontinuity gives the small rendition another init section, as our origin announces it.
func withDiscontinuity(h *house) {
	h.init = func(rendition string, msn int64) ([]byte, string) {
		if rendition != small || msn != faultyMSN {
			return nil, ""
		}
		return h.inits[large], h.codecs[large]
	}
}

var dates = regexp.MustCompile(`DATE-TIME:(.*)`)

func shiftDates(a *answer, by time.Duration) {
	a.body = dates.ReplaceAllStringFunc(a.body, func(line string) string {
		at, _ := time.Parse(time.RFC3339Nano, strings.TrimPrefix(line, "DATE-TIME:")) // ours, so it can be read
		return "DATE-TIME:" + at.Add(by).Format("2006-01-02T15:04:05.000Z")
	})
}

// slowRules show when something leaves the playlist, or comes up in its turn.
var slowRules = []string{
	"discontinuity-sequence-changed", "discontinuity-sequence-missing", "segment-removed-early", "part-removed-early", "media-changed",
	"blocking-part-alone", "unknown-found", "parts-kept", "hint-gone", "media-sequence-back", "segment-late", "i-frame-window-differs",
}

func (f *fault) during() time.Duration {
	if slices.ContainsFunc(f.want, func(id string) bool { return slices.Contains(slowRules, id) }) {
		return twoWindows
	}
	return 11 * time.Second
}

func TestEveryFaultIsFoundByItsRule(t *testing.T) {
	for _, c := range slices.Concat(faults, iFrameFaults, captionFaults) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				c.seed(h)
				found := watched(t, h, c.during())
				for _, id := range c.want {
					require.NotEmpty(t, found[id], "found instead: %v", slices.Sorted(maps.Keys(found)))
				}
				t.Log(slices.Sorted(maps.Keys(found)))
			})
		})
	}
}
