package watch

import (
	"fmt"
	"strconv"
	"time"

	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/codecs/m3u8"
)

// track checks one rendition. It is fed by its follower, one call at a time.
type track struct {
	name   string
	codecs string // what the multivariant playlist says of its variants; empty: nothing
	align  *alignment
	record *recorder
	faults faults

	// playlist
	constants constants
	first     int64 // MEDIA-SEQUENCE of the newest playlist
	end       place // after the newest part or segment
	started   bool
	start     int64              // the first number whose media are fetched
	segments  map[int64]*segment // those listed now
	uris      map[string]place   // URI of each of them and of their parts
	hint      string
	grown     time.Time // when the end last moved

	// media
	inits     map[string]*section // by URI
	partClock clock
	clock     clock
	sums      map[sum]int64

	figures figures
}

// place is a segment's number and a part's index in it.
type place struct {
	msn  int64
	part int
}

// String returns "1000.3", or "1000" for a whole segment.
func (p place) String() string {
	if p.part < 0 {
		return strconv.FormatInt(p.msn, 10)
	}
	return fmt.Sprintf("%d.%d", p.msn, p.part)
}

func (p place) before(q place) bool { return p.msn < q.msn || p.msn == q.msn && p.part < q.part }

// segment is what is known of a listed segment.
type segment struct {
	msn        int64
	listed     m3u8.Segment // as it was listed when it was first complete; till then its newest state
	closed     bool
	init       string // URI of its init section
	number     int64  // discontinuities before it, since the stream began
	wantedPart int    // the first part that has not been asked for
	wanted     bool   // its media were asked for
	parts      [][]byte
	partial    bool // a part is missing in parts
	sum        sum
	fetched    bool
	again      bool // it was fetched a second time
}

// section is an init section.
type section struct {
	sum  sum
	data []byte
	info cmaf.InitInfo
	ok   bool
}

// figures are what a report says besides faults.
type figures struct {
	segments, parts, bytes  int64
	requests                int64
	discontinuities, gaps   int64
	holeTicks, overlapTicks int64
	longestWait             time.Duration
	firstMSN, lastMSN       int64
	kind, codec             string
}

func newTrack(name string, align *alignment, keep int64) *track {
	return &track{
		name:     name,
		align:    align,
		record:   &recorder{limit: keep},
		segments: map[int64]*segment{},
		uris:     map[string]place{},
		inits:    map[string]*section{},
		sums:     map[sum]int64{},
	}
}
