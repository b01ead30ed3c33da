package pipeline

import (
	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/captions"
)

// Session is a worker's claim on a feed's output. The origin takes parts only from the session with the highest epoch.
type Session struct {
	Feed  Feed   `json:"feed"`
	Epoch uint64 `json:"epoch"` // of the worker: grows with every takeover
}

// Position is a place in a rendition: the part that is wanted next. Part may be 0 to Parts()-1.
type Position struct {
	MSN  int64 `json:"msn"`
	Part int   `json:"part"`
}

// Less reports whether p comes before q.
func (p Position) Less(q Position) bool {
	return p.MSN < q.MSN || p.MSN == q.MSN && p.Part < q.Part
}

// State is the origin's answer to a claim, and so the resume ledger: for each rendition that has media,
// the position of the part it wants next. A rendition without media is absent.
type State map[string]Position

// Init is the initialization section of a rendition (RFC 8216bis §3).
type Init struct {
	Rendition string
	Codecs    string // RFC 6381, derived from the bitstream: "avc1.64001F", "mp4a.40.2"
	Data      []byte
}

// Part is a partial segment: a moof and its mdat. It is immutable once made.
type Part struct {
	Rendition   string
	Kind        codecs.Kind
	MSN         int64
	Index       int
	Duration    int64 // in units of Timescale; exact
	Timescale   int64
	Independent bool // begins with a random access picture; true for all audio
	Gap         bool // it is not made, and never will be: it has no Data
	Data        []byte
	Captions    captions.Channels // whose captions begin in it
}

// Position returns the place of p.
func (p Part) Position() Position { return Position{p.MSN, p.Index} }
