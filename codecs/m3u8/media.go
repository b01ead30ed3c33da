package m3u8

import "time"

// Media is a Media Playlist (§3.1.2, §4.4.3).
type Media struct {
	Version               int           // EXT-X-VERSION. It defaults to the lowest that the tags need (§8).
	IndependentSegments   bool          // EXT-X-INDEPENDENT-SEGMENTS
	Start                 *Start        // EXT-X-START
	TargetDuration        int           // EXT-X-TARGETDURATION, in seconds
	ServerControl         ServerControl // EXT-X-SERVER-CONTROL; not written when zero
	PartTarget            time.Duration // EXT-X-PART-INF; not written when zero
	MediaSequence         int64         // EXT-X-MEDIA-SEQUENCE: number of the first segment, skipped ones included
	DiscontinuitySequence int64         // EXT-X-DISCONTINUITY-SEQUENCE
	IFramesOnly           bool          // EXT-X-I-FRAMES-ONLY
	PlaylistType          PlaylistType  // EXT-X-PLAYLIST-TYPE; empty for a sliding window
	Skip                  *Skip         // EXT-X-SKIP
	// Segments are in order. The last may be in progress: its URI is empty, and only its tags and parts are written.
	Segments         []Segment
	DateRanges       []DateRange       // EXT-X-DATERANGE
	PreloadHints     []PreloadHint     // EXT-X-PRELOAD-HINT
	RenditionReports []RenditionReport // EXT-X-RENDITION-REPORT
	EndList          bool              // EXT-X-ENDLIST
}

// PlaylistType says how a playlist may change (§4.4.3.5).
type PlaylistType string

// The playlist types.
const (
	Event PlaylistType = "EVENT"
	VOD   PlaylistType = "VOD"
)

// Start is a preferred point to start at (§4.4.2.2).
type Start struct {
	TimeOffset time.Duration // TIME-OFFSET; negative: from the end
	Precise    bool          // PRECISE
}

// ServerControl says what the server can do (§4.4.3.8).
type ServerControl struct {
	CanBlockReload    bool          // CAN-BLOCK-RELOAD
	CanSkipUntil      time.Duration // CAN-SKIP-UNTIL
	CanSkipDateRanges bool          // CAN-SKIP-DATERANGES
	HoldBack          time.Duration // HOLD-BACK
	PartHoldBack      time.Duration // PART-HOLD-BACK
}

// Skip stands for the segments that a delta update leaves out (§4.4.5.2).
type Skip struct {
	Segments int64 // SKIPPED-SEGMENTS
	// RemovedDateRanges is RECENTLY-REMOVED-DATERANGES. Nil: the update does not skip date ranges.
	RemovedDateRanges []string
}

// Segment is a Media Segment and the tags that apply to it (§4.4.4).
type Segment struct {
	Discontinuity   bool          // EXT-X-DISCONTINUITY
	Map             string        // EXT-X-MAP: URI of the init section; empty: that of the segment before
	ProgramDateTime time.Time     // EXT-X-PROGRAM-DATE-TIME; not written when zero
	Parts           []Part        // EXT-X-PART
	Gap             bool          // EXT-X-GAP
	ByteRange       ByteRange     // EXT-X-BYTERANGE; not written when its length is zero
	Duration        time.Duration // EXTINF
	Title           string        // EXTINF
	URI             string
}

// ByteRange is a piece of a resource (§4.4.4.2).
type ByteRange struct {
	Length, Offset int64 // in bytes
}

// Part is a Partial Segment (§4.4.4.9).
type Part struct {
	Duration    time.Duration // DURATION
	URI         string        // URI
	Independent bool          // INDEPENDENT
	Gap         bool          // GAP
}

// HintType is what a preload hint is about.
type HintType string

// The types of preload hint.
const (
	HintPart HintType = "PART"
	HintMap  HintType = "MAP"
)

// PreloadHint names a resource before it is there (§4.4.5.3).
type PreloadHint struct {
	Type HintType // TYPE
	URI  string   // URI
}

// RenditionReport says how far another rendition is (§4.4.5.4).
type RenditionReport struct {
	URI      string // URI
	LastMSN  int64  // LAST-MSN
	LastPart int    // LAST-PART; −1 when the rendition has no parts
}

// DateRange is a span of time with attributes (§4.4.5.1).
type DateRange struct {
	ID              string        // ID
	Class           string        // CLASS
	StartDate       time.Time     // START-DATE
	EndDate         time.Time     // END-DATE; not written when zero
	Duration        time.Duration // DURATION; not written when zero
	PlannedDuration time.Duration // PLANNED-DURATION; not written when zero
	SCTE35Cmd       []byte        // SCTE35-CMD
	SCTE35Out       []byte        // SCTE35-OUT
	SCTE35In        []byte        // SCTE35-IN
	EndOnNext       bool          // END-ON-NEXT
	Client          []Attribute   // X- attributes, names with the prefix
}

// Attribute is a client-defined attribute of a date range.
type Attribute struct {
	Name  string // begins with X-
	Value string
	Bare  bool // a number, written without quotes
}

// version returns the lowest EXT-X-VERSION that the tags need (§8).
func (m *Media) version() int {
	switch {
	case m.Skip != nil && m.Skip.RemovedDateRanges != nil:
		return 10
	case m.Skip != nil:
		return 9
	}
	lowest := 1
	if m.IFramesOnly {
		lowest = 4
	}
	for i := range m.Segments {
		if m.Segments[i].Map != "" {
			return 6
		}
		if m.Segments[i].ByteRange.Length > 0 {
			lowest = 4
		}
		if lowest < 3 && m.Segments[i].Duration%time.Second != 0 {
			lowest = 3
		}
	}
	return lowest
}
