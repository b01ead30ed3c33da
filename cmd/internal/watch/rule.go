package watch

import (
	"fmt"
	"maps"
	"time"
)

// Rule names what a fault is about.
type Rule string

// The rules, in the order of reports.
const (
	Missing       Rule = "missing"       // numbers were skipped, or listed media could not be fetched
	Doubled       Rule = "doubled"       // one URI, or the same bytes, under two numbers
	Changed       Rule = "changed"       // media or their listing differ from what was served before
	Sequence      Rule = "msn"           // EXT-X-MEDIA-SEQUENCE or the end of the playlist went back
	Discontinuity Rule = "discontinuity" // EXT-X-DISCONTINUITY-SEQUENCE does not fit
	Hole          Rule = "hole"          // decoding times leave a gap
	Overlap       Rule = "overlap"       // decoding times go back
	Parts         Rule = "parts"         // the parts of a segment are not its samples
	Key           Rule = "key"           // no random access picture where there must be one, or an unmarked one
	Duration      Rule = "duration"      // EXTINF or DURATION is not that of the samples, or longer than the target
	PartTarget    Rule = "part-target"   // a part is longer than PART-TARGET, or too short
	Alignment     Rule = "alignment"     // segments of one number begin at different times
	Constant      Rule = "constant"      // a constant of the stream changed, or breaks its own bounds
	DateTime      Rule = "date-time"     // EXT-X-PROGRAM-DATE-TIME is missing or jumps
	Hint          Rule = "hint"          // the part that came is not the one that was hinted
	Reload        Rule = "reload"        // a blocking request was answered without what it asked for
	Codecs        Rule = "codecs"        // an init section has another codec than CODECS says
	Media         Rule = "media"         // an init section or fragment cannot be read
	Playlist      Rule = "playlist"      // a playlist cannot be read
	HTTP          Rule = "http"          // a request failed
)

// Rules returns all rules in the order of reports.
func Rules() []Rule {
	return []Rule{
		Missing, Doubled, Changed, Sequence, Discontinuity, Hole, Overlap, Parts, Key, Duration,
		PartTarget, Alignment, Constant, DateTime, Hint, Reload, Codecs, Media, Playlist, HTTP,
	}
}

// Fault is one breach of a rule.
type Fault struct {
	At   time.Time `json:"at"`
	Rule Rule      `json:"rule"`
	Text string    `json:"text"`
}

// maxDetails bounds the faults that are kept with their text. All are counted.
const maxDetails = 50

// faults counts breaches and keeps the first ones.
type faults struct {
	counts  map[Rule]int
	details []Fault
	report  func(Fault) // may be nil
}

func (f *faults) add(at time.Time, rule Rule, format string, args ...any) {
	if f.counts == nil {
		f.counts = map[Rule]int{}
	}
	f.counts[rule]++
	fault := Fault{at, rule, fmt.Sprintf(format, args...)}
	if len(f.details) < maxDetails {
		f.details = append(f.details, fault)
	}
	if f.report != nil {
		f.report(fault)
	}
}

func (f *faults) copyCounts() map[Rule]int {
	counts := map[Rule]int{}
	maps.Copy(counts, f.counts)
	return counts
}
